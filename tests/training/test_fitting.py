"""Tests of fitting candidates to all cases, ahead of when they are needed."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.training.jobs import Strange
from tests.training.small import N_CASES, candidate_of, table_of, target_of
from training.fitting import Fits
from training.fold import Fit
from training.workers import Workers

EVERYTHING = np.arange(N_CASES)
PATIENCE = 60.0


@pytest.fixture
def fits(tmp_path: Path, workers: Workers) -> Fits:
    target = target_of(2)
    return Fits(table_of(tmp_path, target), target, EVERYTHING, workers)


def patience() -> float:
    return time.monotonic() + PATIENCE


def test_candidates_are_fitted_as_in_the_run_itself(fits: Fits, tmp_path: Path) -> None:
    candidates = [candidate_of(), candidate_of(family="convolutions", selects=True)]
    assert not fits.has(candidates)
    assert fits.wait(iter(candidates), patience())
    assert fits.has(candidates)
    target = target_of(2)
    table = table_of(tmp_path, target)
    for candidate in candidates:
        X = np.array(table.matrix(candidate.family))
        wanted = Fit(table, target, candidate, EVERYTHING)().predict_proba(X)
        np.testing.assert_array_equal(fits.fitted(candidate).predict_proba(X), wanted)


def test_what_was_begun_is_not_begun_again(fits: Fits, tmp_path: Path) -> None:
    told = tmp_path / "told"
    candidate = candidate_of(Strange(file=str(told)))
    fits.begin([candidate])
    fits.begin([candidate, candidate], first=True)
    assert fits.wait([candidate], patience())
    assert fits.wait([candidate], patience())
    assert len(told.read_text().split()) == 1


def test_what_fails_is_told_and_not_waited_for(fits: Fits) -> None:
    bad, good = candidate_of(Strange("raise")), candidate_of()
    assert not fits.wait([bad, good], patience())
    assert fits.failures == {bad.key: "ValueError: # cases are too few"}
    assert fits.has([good])
    with pytest.raises(KeyError):
        fits.fitted(bad)


def test_waiting_ends_with_the_deadline(fits: Fits, workers: Workers) -> None:
    slow = candidate_of(Strange("sleep"))
    began = time.monotonic()
    assert not fits.wait([slow], began + 0.1)
    assert time.monotonic() - began < PATIENCE
    assert not workers.is_idle
    # Others are fitted meanwhile.
    assert fits.wait([candidate_of(LogisticRegression(C=0.5))], patience())

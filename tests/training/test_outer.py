"""As many outer folds as the time does for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.training.small import part_of, target_of, tools_of
from training.finder import Finder
from training.ledger import Ledger
from training.outer import JOB_SECONDS, OuterFold, affordable, seconds_beside
from training.split import split_cases
from training.trial import Trial
from training.workers import Workers


@pytest.fixture
def ways(tmp_path: Path) -> list[list[OuterFold]]:
    """Return ten, five and three outer folds of three inner folds each."""
    tools = tools_of(tmp_path, Workers(2))  # none of which begins: nothing is compared
    return [
        [
            OuterFold(Finder(part_of(tmp_path, name=f"outer-{k}-of-{len(splits)}"), tools), split)
            for k, split in enumerate(splits, 1)
        ]
        for splits in split_cases(target_of(2)).outer_splits()
    ]


def known_of(fit_seconds: float, predict_seconds: float = 0.0, n_folds: int = 3) -> Trial:
    return Trial(
        "a", "a", "a", "portfolio", "features", 0.0,
        fold_scores=(1.0,) * n_folds, fit_seconds=fit_seconds, predict_seconds=predict_seconds,
    )  # fmt: skip


def no_fits(_n_outer: int) -> float:
    return 0.0


@pytest.mark.parametrize(
    ("fit_seconds", "left", "expected"),
    [
        (0.01, 98, 10),  # a search of 5 s in each of ten folds, and of 10 s for all cases
        (0.01, 93, 5),  # in each of five
        (0.01, 58, 5),
        (0.01, 54, 5),  # perhaps: with ten there would be no time for any
        (0.01, 44, 10),  # in none of them: the score is what it is for
        (0.01, 12, 10),
        (0.01, 5, 5),
        (1.5, 70, 5),
        (1.5, 60, 5),
        (1.5, 26, 3),
        (1.5, 16, 0),
        (1.5, -1, 0),
    ],
)
def test_the_finest_is_taken_that_the_time_does_for(
    tmp_path: Path,
    ways: Sequence[list[OuterFold]],
    fit_seconds: float,
    left: float,
    expected: int,
) -> None:
    known = {"a": known_of(fit_seconds), "b": known_of(fit_seconds / 2)}
    none = Ledger(tmp_path / "none")
    assert len(affordable(ways, known, none, no_fits, left=left, n_workers=2)) == expected


def test_a_single_way_is_taken_or_none(tmp_path: Path, ways: Sequence[list[OuterFold]]) -> None:
    none, known = Ledger(tmp_path / "none"), {"a": known_of(1.0)}
    assert affordable(ways[:1], known, none, no_fits, left=56, n_workers=1) == ways[0]
    assert affordable(ways[:1], known, none, no_fits, left=54, n_workers=1) == ()


def test_the_last_fits_have_to_find_room(tmp_path: Path, ways: Sequence[list[OuterFold]]) -> None:
    none, known = Ledger(tmp_path / "none"), {"a": known_of(0.01)}
    # TPOT would not be asked with ten, of which each has its last fits.
    found = affordable(ways, known, none, lambda n: 1 + 2 * n, left=98, n_workers=2)
    assert len(found) == 5
    # And where it is not to be asked, there is no reason for fewer.
    for left in (98, 58):
        found = affordable(ways, known, none, no_fits, left=left, n_workers=2, searches=False)
        assert len(found) == 10


def test_fits_take_as_long_as_there_is_to_learn_from_and_answers_to_answer_for(
    ways: Sequence[list[OuterFold]],
) -> None:
    (fold, *_), part = ways[0], ways[0][0].finder.part
    everything = fold.split.train.size + fold.split.held_out.size
    # With ten folds of all cases, nine tenths of them are learned from in each.
    learned = sum(fit_on.size for fit_on, _ in part.folds) / (0.9 * everything)
    asked = sum(asked.size for _, asked in part.folds) / (0.1 * everything)
    jobs = part.n_folds * 0.5
    assert fold.seconds(known_of(7.0, n_folds=10), 0.5) == pytest.approx(7 * learned + jobs)
    assert fold.seconds(known_of(0.0, 7.0, n_folds=10), 0.5) == pytest.approx(7 * asked + jobs)


def test_what_folds_take_beside_is_what_workers_spent_on_no_fit(
    tmp_path: Path, ways: Sequence[list[OuterFold]]
) -> None:
    known = [known_of(1.0, 0.5), known_of(2.0, 0.5)]
    # Twelve seconds of fits and answers in six folds, and as much beside them.
    assert seconds_beside(known, 12.0, 2) == pytest.approx(2.0)
    assert seconds_beside(known, 3.0, 2) == JOB_SECONDS, "the ledger knew of some"
    none, by_key = Ledger(tmp_path / "none"), {"a": known_of(0.3)}
    found = [
        affordable(ways, by_key, none, no_fits, left=58, n_workers=2, beside=beside, searches=False)
        for beside in (0.1, 0.5, 3.0)
    ]
    assert [len(folds) for folds in found] == [10, 10, 5]


def test_the_way_that_an_earlier_start_has_taken_is_taken_again(
    tmp_path: Path, ways: Sequence[list[OuterFold]]
) -> None:
    ledger = Ledger(tmp_path / "some")
    for fold in ways[1]:
        trial = known_of(1.0)
        ledger.record(fold.finder.part.name, trial, np.ones((4, 2), dtype=np.float32))

    for left in (-1, 50, 5000):
        found = affordable(ways, {"a": known_of(1.0)}, ledger, no_fits, left=left, n_workers=1)
        assert found == ways[1]

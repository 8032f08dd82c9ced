"""As many outer folds as the time does for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.small import part_of, target_of, tools_of
from training.finder import Finder
from training.ledger import Ledger
from training.outer import OuterFold, affordable
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


@pytest.mark.parametrize(
    ("fold_seconds", "left", "expected"),
    [
        (0.01, 98, 10),  # a search of 5 s in each of ten folds, and of 10 s for all cases
        (0.01, 95, 5),  # in each of five
        (0.01, 58, 5),
        (0.01, 54, 10),  # in none of them: the score is what it is for
        (0.01, 12, 10),
        (0.01, 5, 5),
        (1.5, 70, 10),
        (1.5, 60, 5),
        (1.5, 26, 3),
        (1.5, 16, 0),
        (1.5, -1, 0),
    ],
)
def test_the_finest_is_taken_that_the_time_does_for(
    tmp_path: Path,
    ways: Sequence[list[OuterFold]],
    fold_seconds: float,
    left: float,
    expected: int,
) -> None:
    each = {"a": fold_seconds, "b": fold_seconds / 2}
    main = part_of(tmp_path)  # of as many cases: what it took is what they take
    assert (
        len(affordable(ways, main, each, Ledger(tmp_path / "none"), left=left, n_workers=2))
        == expected
    )


def test_a_single_way_is_taken_or_none(tmp_path: Path, ways: Sequence[list[OuterFold]]) -> None:
    none = Ledger(tmp_path / "none")
    main = part_of(tmp_path)
    assert affordable(ways[:1], main, {"a": 1.0}, none, left=56, n_workers=1) == ways[0]
    assert affordable(ways[:1], main, {"a": 1.0}, none, left=54, n_workers=1) == ()


def test_fewer_cases_take_less(tmp_path: Path, ways: Sequence[list[OuterFold]]) -> None:
    none, part = Ledger(tmp_path / "none"), part_of(tmp_path)
    twice = tuple((np.repeat(fit_on, 2), asked) for fit_on, asked in part.folds)
    main = replace(part, folds=twice)
    assert affordable(ways[:1], main, {"a": 2.0}, none, left=56, n_workers=1) == ways[0]
    assert affordable(ways[:1], main, {"a": 2.0}, none, left=54, n_workers=1) == ()


def test_the_way_that_an_earlier_start_has_taken_is_taken_again(
    tmp_path: Path, ways: Sequence[list[OuterFold]]
) -> None:
    ledger = Ledger(tmp_path / "some")
    for fold in ways[1]:
        trial = Trial("a", "a", "a", "portfolio", "features", 0.0)
        ledger.record(fold.finder.part.name, trial, np.ones((4, 2), dtype=np.float32))

    for left in (-1, 50, 5000):
        found = affordable(ways, part_of(tmp_path), {"a": 1.0}, ledger, left=left, n_workers=1)
        assert found == ways[1]

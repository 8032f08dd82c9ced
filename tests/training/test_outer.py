"""As many outer folds as the time does for."""

from __future__ import annotations

from collections.abc import Sequence
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

FOLD_SECONDS = {"a": 1.0, "b": 0.5}


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
    ("seconds", "expected"),
    [(91, 10), (89, 5), (23, 5), (22, 3), (14, 3), (13, 0)],
)
def test_the_finest_is_taken_that_the_time_does_for(
    tmp_path: Path, ways: Sequence[list[OuterFold]], seconds: float, expected: int
) -> None:
    assert len(affordable(ways, FOLD_SECONDS, Ledger(tmp_path / "none"), seconds)) == expected


def test_a_single_way_has_all_of_the_time(tmp_path: Path, ways: Sequence[list[OuterFold]]) -> None:
    assert affordable(ways[:1], FOLD_SECONDS, Ledger(tmp_path / "none"), 46) == ways[0]


def test_what_an_earlier_start_has_evaluated_costs_nothing(
    tmp_path: Path, ways: Sequence[list[OuterFold]]
) -> None:
    ledger = Ledger(tmp_path / "some")
    for fold in ways[0]:
        for key in FOLD_SECONDS:
            trial = Trial(key, key, key, "portfolio", "features", 0.0)
            ledger.record(fold.finder.part.name, trial, np.ones((4, 2), dtype=np.float32))

    assert affordable(ways, FOLD_SECONDS, ledger, 0.0) == ways[0]

"""Tests of the features of a run that is started again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.test_run import run_of
from training.__main__ import LEAST_TO_END, _counted
from training.cases import read
from training.clock import Clock
from training.features import extract_features, seconds_to_repeat
from training.run import Run

MINIMAL = {"default_fc_parameters": "minimal"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return run_of(tmp_path, "@targetLabel true", extract_features=MINIMAL)


def test_what_was_lost_is_computed_again_however_little_time_is_left(
    run: Run, tmp_path: Path
) -> None:
    assert seconds_to_repeat(tmp_path) == 0
    began = time.monotonic()
    extract_features(run, read(run))
    took = time.monotonic() - began
    file = tmp_path / "features.npy"
    first = np.load(file)
    assert seconds_to_repeat(tmp_path) == 0

    file.unlink()
    assert 0 < seconds_to_repeat(tmp_path) <= took + 0.001
    late = replace(run, clock=Clock(60.0, time.monotonic() - 61.0))
    again = extract_features(late, read(late))
    np.testing.assert_array_equal(again.table.matrix("features"), first)


@pytest.mark.parametrize(
    ("spent", "budget", "repeated", "counted"),
    [
        (100.0, 600.0, 0.0, 100.0),
        (100.0, 600.0, 300.0, 100.0),
        (590.0, 600.0, 0.0, 600.0 - LEAST_TO_END),
        (590.0, 600.0, 300.0, 300.0 - LEAST_TO_END),
        (20.0, 20.0, 0.0, 10.0),
        (20.0, 20.0, 15.0, 0.0),
    ],
)
def test_time_is_left_for_the_end_and_for_what_was_lost(
    spent: float, budget: float, repeated: float, counted: float
) -> None:
    assert _counted(spent, budget, repeated) == counted

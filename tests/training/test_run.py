"""Tests of the stages of a run."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tideline.errors import LabelError
from tideline.spec import TrainingSpec
from training.clock import Clock
from training.journal import Journal
from training.run import Run, read

HEADER = "@problemName ages\n@univariate true\n"
SERIES = "".join(f"{n},{n + 1},{n * n}:{n % 3}\n" for n in range(9))


def run_of(folder: Path, header: str, **fields: object) -> Run:
    (folder / "series.ts").write_text(f"{HEADER}{header}\n@data\n{SERIES}")
    return Run(
        spec=TrainingSpec.from_mapping({"pipeline_id": "a", "raw_data": "series.ts", **fields}),
        folder=folder,
        run_id="a",
        scratch=folder,
        clock=Clock(60.0),
        journal=Journal(stream=io.StringIO()),
    )


def test_the_header_says_that_whole_numbers_are_no_classes(tmp_path: Path) -> None:
    assert read(run_of(tmp_path, "@targetLabel true")).target.task == "regression"
    assert read(run_of(tmp_path, "@classLabel true 0 1 2")).target.task == "classification"


def test_the_header_says_nothing_of_labels_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps({str(n): n % 3 for n in range(9)}))
    run = run_of(tmp_path, "@targetLabel true", labels="labels.json")
    assert read(run).target.task == "classification"


def test_labels_that_nothing_can_be_learned_from_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps(dict.fromkeys(map(str, range(9)), "a")))
    with pytest.raises(LabelError, match="every case has the label 'a'"):
        read(run_of(tmp_path, "@targetLabel true", labels="labels.json"))

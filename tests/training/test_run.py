"""Tests of the stages of a run."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tideline.fitted import document_of, fitted
from tideline.errors import LabelError
from tideline.spec import TrainingSpec
from tideline.store import open_store
from training.cases import read
from training.clock import LEAST_PATIENCE, OVERSHOOT, Clock
from training.journal import Journal
from training.run import Run, publish

HEADER = "@problemName ages\n@univariate true\n"
SERIES = "".join(f"{n},{n + 1},{n * n}:{n % 3}\n" for n in range(9))


def run_of(folder: Path, header: str, **fields: object) -> Run:
    (folder / "series.ts").write_text(f"{HEADER}{header}\n@data\n{SERIES}")
    return Run(
        spec=TrainingSpec.from_mapping({"pipeline_id": "a", "raw_data": "series.ts", **fields}),
        folder=folder,
        run_id="a",
        scratch=folder,
        kept=folder,
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


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Publish a small pipeline to a shared store, and return what the run said."""
    monkeypatch.setenv("TIDELINE_HOME", str(tmp_path / "home"))
    store = (tmp_path / "store").as_uri()

    def say(clock: Clock) -> str:
        told, pipeline = io.StringIO(), fitted()
        run = replace(
            run_of(tmp_path, "@targetLabel true", store=store),
            clock=clock,
            journal=Journal(stream=told),
        )
        version = publish(run, pipeline, document_of(pipeline, "a", "a"), {})
        assert open_store(store).list() == (version,)
        return told.getvalue()

    return say


def test_a_finished_training_waits_for_its_store_as_long_as_the_run_has_time(
    published: Callable[..., str],
) -> None:
    told = re.search(r"waited for (\d+) s at most", published(Clock(3600.0)))
    assert told is not None
    assert 3600 < int(told[1]) <= 3600 * OVERSHOOT


def test_a_run_whose_time_is_over_still_tries_to_publish() -> None:
    assert Clock(10.0, started=time.monotonic() - 60).patience == LEAST_PATIENCE


@pytest.mark.parametrize(("limit", "warns"), [("1000", True), ("1000000", False), ("", False)])
def test_warns_of_a_model_that_predictors_would_refuse(
    published: Callable[..., str], monkeypatch: pytest.MonkeyPatch, limit: str, warns: bool
) -> None:
    monkeypatch.setenv("TIDELINE_MAX_MODEL_BYTES", limit)
    told = published(Clock(60.0))
    assert ("takes 1000 (TIDELINE_MAX_MODEL_BYTES) will refuse it" in told) is warns
    assert ("warning" in told) is warns

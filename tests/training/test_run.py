"""Tests of the stages of a run."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.tideline.fitted import document_of, fitted
from tests.training import small
from tests.training.small import candidate_of, target_of
from tideline.errors import LabelError
from tideline.model import ScoreCard
from tideline.panel import Panel
from tideline.store import open_store
from training import run as run_module
from training.cases import Cases, read
from training.choice import Choice
from training.clock import LEAST_PATIENCE, OVERSHOOT, Clock
from training.fitting import Fits
from training.heldout import HeldOut
from training.journal import Journal
from training.record import measured
from training.run import Run, publish, tell_scores, train
from training.scoring import Score
from training.search import Found
from training.table import Table
from training.workers import Workers

HEADER = "@problemName ages\n@univariate true\n"
SERIES = "".join(f"{n},{n + 1},{n * n}:{n % 3}\n" for n in range(9))


def run_of(folder: Path, header: str, **fields: object) -> Run:
    (folder / "series.ts").write_text(f"{HEADER}{header}\n@data\n{SERIES}")
    return small.run_of(folder, raw_data="series.ts", **fields)


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


def scored(run: Run, later: np.ndarray, groups: np.ndarray | None = None) -> ScoreCard:
    """Return the scores of 60 cases whose search raised the balanced accuracy.

    Parameters
    ----------
    later
        The probability of the later class, of which every second case is.
    """
    target, everything = target_of(2, 60), np.arange(60)
    answers = np.column_stack([1 - later, later])
    held_out = HeldOut("hold-out", ((everything, everything),), answers.astype(np.float32))
    score = Score(0.75, 0.75, {"accuracy": 0.8})
    choice = Choice(((1.0, candidate_of()),), 1.0, score, answers, "made up")
    with Workers(1) as workers:
        fits = Fits(Table({}), target, everything, workers)
        found = Found(choice, fits, held_out, "balanced_accuracy")
        cases = Cases(Panel.from_arrays(np.zeros((60, 1, 4))), target, groups)
        return tell_scores(run, cases, found, None)


def test_what_follows_the_search_has_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDELINE_HOME", str(tmp_path / "home"))
    asked = {
        "extract_features": {"default_fc_parameters": "minimal"},
        "model_training": {"model": "LogisticRegression"},
    }
    run = run_of(tmp_path, "@classLabel true 0 1 2", **asked)
    servers: list[int] = []

    def counting(*given: Any) -> Any:
        children = psutil.Process().children()
        servers.append(sum("forkserver" in " ".join(child.cmdline()) for child in children))
        return measured(*given)

    monkeypatch.setattr(run_module, "measured", counting)
    train(run)
    assert servers == [0]


def test_scores_are_told_by_the_metric_that_the_spec_names_and_by_groups(tmp_path: Path) -> None:
    run, everything = run_of(tmp_path, "@classLabel true 0 1 2"), np.arange(60)
    # Of six groups two are answered wrongly.
    later = np.where((everything % 2 == 1) == (everything >= 20), 0.9, 0.1)
    alone, grouped = (scored(run, later, groups) for groups in (None, everything // 10))
    assert alone.cross_validation == {"accuracy": 0.8, "balanced_accuracy": 0.75}
    assert alone.held_out == grouped.held_out
    assert alone.held_out is not None
    assert alone.held_out["balanced_accuracy"] == pytest.approx(2 / 3)
    assert alone.majority is not None
    assert alone.held_out.keys() == alone.majority.keys()
    assert alone.held_out_interval is not None
    assert grouped.held_out_interval is not None
    for metric in ("accuracy", "balanced_accuracy", "log_loss"):
        narrow, wide = alone.held_out_interval[metric], grouped.held_out_interval[metric]
        assert np.ptp(wide) > 1.5 * np.ptp(narrow)
    assert grouped.beats_baselines is True
    assert run.journal.notices == []


def test_a_model_that_is_no_better_than_the_majority_says_so(tmp_path: Path) -> None:
    run = run_of(tmp_path, "@classLabel true 0 1 2")
    assert scored(run, np.full(60, 0.4)).beats_baselines is False
    [warning] = run.journal.notices
    assert warning.startswith("WARNING: on cases that it has not seen, the model does not beat")
    assert "the majority class (0.5000) by its balanced accuracy of 0.5000." in warning

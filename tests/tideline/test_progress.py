"""What is read back of the events of a run, and the page that tells of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from tideline.progress import MAX_FAILURES, Best, Event, Pipelines, Progress
from tideline.wording import score_of
from training.journal import STAGES

PAGE = (Path(__file__).parents[2] / "docs" / "progress-events.md").read_text(encoding="utf-8")
OLD = {"time": "2026-01-01T00:00:00+00:00", "stage": "search", "share": 0.5, "message": "tries"}


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    return {f"{prefix}{name}" for name in model.model_fields}


def test_the_example_of_the_page_is_an_event() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    event = Event.model_validate_json(example)
    assert event.model_dump(mode="json") == json.loads(example)
    assert (
        event.standing == "34 pipelines tried, 2 failed; best ExtraTreesClassifier, log-loss 0.31"
    )


def test_the_page_names_every_key_and_every_stage() -> None:
    told = set(re.findall(r"^\| `([a-z_.]+)` \|", PAGE, re.MULTILINE))
    nested = keys(Pipelines, "pipelines.") | keys(Best, "best.")
    assert told - {"state", "progress", "end"} == keys(Event) | nested
    row = next(line for line in PAGE.splitlines() if line.startswith("| `stage`"))
    assert re.findall(r"`(\w+)`", row)[1:] == list(STAGES)
    stages = Progress.model_fields["stage"].description or ""
    assert stages.partition(";")[0].split(", ") == list(STAGES)


def test_an_event_without_the_later_keys_is_read() -> None:
    progress = Event.model_validate(OLD).progress
    assert progress == Progress(stage="search", share=0.5, message="tries")
    assert type(progress) is Progress
    assert progress.standing == ""


def test_keys_of_a_later_version_are_left_out() -> None:
    later = OLD | {"colour": "green", "best": {"name": "a", "metric": "r2", "value": 1, "x": []}}
    dumped = Event.model_validate(later).model_dump_json()
    assert "colour" not in dumped
    assert '"x"' not in dumped


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema_version": 2},
        {"share": float("nan")},
        {"share": 1.1},
        {"share": -0.1},
        {"budget_share": float("inf")},
        {"budget_share": -0.1},
        {"pipelines": {"tried": -1}},
        {"pipelines": {"tried": 2**70}},
        {"best": {"name": "a", "metric": "r2", "value": float("inf")}},
        {"best": "ExtraTrees"},
    ],
)
def test_what_is_no_event_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Event.model_validate(OLD | wrong)


def test_what_is_too_much_is_cut() -> None:
    failures = [{"reason": f"{n}" * 1000, "count": 1} for n in range(9)]
    event = Event.model_validate(
        {
            "stage": "s" * 100,
            "message": "m\ud800" * 10_000,
            "pipelines": {"tried": 9, "failed": 9, "failures": failures},
            "best": {"name": "b" * 1000, "metric": "m" * 1000, "value": 1.0},
        }
    )
    assert event.pipelines is not None
    assert event.best is not None
    assert [len(f.reason) for f in event.pipelines.failures] == [200] * MAX_FAILURES
    lengths = (event.stage, event.message, event.best.name, event.best.metric)
    assert [len(text) for text in lengths] == [40, 1000, 200, 60]
    assert event.message.startswith("m?m?")
    assert event.message.endswith("…")


@pytest.mark.parametrize(
    ("metric", "value", "told"),
    [
        ("neg_log_loss", -0.3142, "log-loss 0.314"),
        ("neg_log_loss", 0.0, "log-loss 0"),
        ("balanced_accuracy", 0.9, "balanced accuracy 0.9"),
        ("r2", -1.5, "R² -1.5"),
        ("roc_auc", 1.0, "ROC AUC 1"),
        ("neg_root_mean_squared_error", -1234567.0, "root mean squared error 1.23e+06"),
    ],
)
def test_scores_are_told_as_people_write_them(metric: str, value: float, told: str) -> None:
    assert score_of(metric, value) == told

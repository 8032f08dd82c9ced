from __future__ import annotations

import json

import pytest
from sklearn.svm import LinearSVC

from tests.tideline.fitted import document_of, fitted
from tideline.errors import ModelRefused
from tideline.features.convolutions import plan_for_lengths
from tideline.features.documents import count_of_entries
from tideline.model import ModelDocument, ScoreCard

CLASSES = [("a", "b"), (1, 2), (1.0, 2.0), (False, True), ("1", "2"), ("true", "false")]


def test_describes_the_pipeline() -> None:
    pipeline = fitted().narrowed()
    document = document_of(pipeline)

    assert document.feature_plan == pipeline.plan
    assert document.classes == ("calm", "loud")
    assert document.model_type == "LogisticRegression"
    assert document.has_probabilities
    assert document.versions.keys() >= {"python", "tideline", "tsfresh", "scikit-learn", "numpy"}
    assert document.created.utcoffset().total_seconds() == 0


def test_the_summary_speaks_the_founding_services_words() -> None:
    scores = ScoreCard(cross_validation={"accuracy": 0.9, "log_loss": 0.3})
    document = document_of(fitted()).model_copy(update={"scores": scores})

    summary = document.summary(3)

    assert summary["modelId"] == "waves"
    assert summary["version"] == 3
    assert summary["modelType"] == "LogisticRegression"
    assert summary["trainShape"] == [24, 20]
    assert summary["trainTime"] == 0.5
    assert summary["mean_cv_accuracy"] == 0.9
    assert summary["mean_cv_log_loss"] == 0.3
    assert summary["mean_cv_roc_auc"] is None
    assert summary["run_id"] == "run"
    assert json.loads(json.dumps(summary)) == summary


def test_a_document_with_the_first_name_of_has_probabilities_is_read() -> None:
    content = document_of(fitted(LinearSVC())).to_bytes()

    older = ModelDocument.from_bytes(content.replace(b"has_probabilities", b"calibrated"))

    assert not older.has_probabilities


def test_says_when_scores_are_no_probabilities() -> None:
    assert not document_of(fitted(LinearSVC())).has_probabilities


@pytest.mark.parametrize("classes", CLASSES)
def test_survives_its_file_with_classes_of_every_kind(classes: tuple) -> None:
    scores = ScoreCard(
        cross_validation={"accuracy": 0.9},
        held_out={"accuracy": 0.8},
        held_out_interval={"accuracy": (0.7, 0.9)},
        n_held_out=10,
        majority={"accuracy": 0.5},
    )
    before = document_of(fitted(classes=classes)).model_copy(update={"scores": scores})

    after = ModelDocument.from_bytes(before.to_bytes())

    assert after == before
    assert [type(c) for c in after.classes] == [type(c) for c in classes]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"task": "clustering"}, "task"),
        ({"surplus": 1}, "surplus"),
        ({"name": None}, "name"),
        ({"roles": {"column_ix": "id"}}, "roles.column_ix"),
        ({"roles": {"column_id": 7}}, "roles.column_id"),
        ({"created": "2026-01-01T00:00:00"}, "created"),
    ],
)
def test_refuses_a_document_of_another_form(change: dict, place: str) -> None:
    content = json.loads(document_of(fitted()).to_bytes()) | change

    with pytest.raises(ModelRefused, match=place):
        ModelDocument.from_bytes(json.dumps(content).encode())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_refuses_what_is_no_document(content: bytes) -> None:
    with pytest.raises(ModelRefused, match=r"model\.json cannot be read"):
        ModelDocument.from_bytes(content)


def test_features_are_counted_in_tables_too() -> None:
    plan = plan_for_lengths({"x": 50}, features=400)
    entries = plan.to_json()["features"]
    assert count_of_entries(entries) == len(plan.features) > len(entries)

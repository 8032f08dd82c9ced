"""The demonstration's data: real series, in the forms that a client posts."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.datasets import DataSet, load
from demo.files import write_files
from tideline.readers import ColumnRoles, read_labels, read_panel
from tideline.spec import TrainingSpec

ROLES = ColumnRoles("case", "step")


@pytest.fixture(scope="module")
def data_sets() -> dict[str, DataSet]:
    return {data_set.name: data_set for data_set in load()}


@pytest.mark.parametrize(
    ("name", "channels", "trained_on", "held_back"),
    [("gun-point", 1, 50, 150), ("basic-motions", 6, 40, 40)],
)
def test_holds_every_series_of_both_parts(
    data_sets: dict[str, DataSet], name: str, channels: int, trained_on: int, held_back: int
) -> None:
    data_set = data_sets[name]
    assert (len(data_set.labels), len(data_set.truth)) == (trained_on, held_back)
    assert data_set.training["case"].nunique() == trained_on
    assert data_set.held_back["case"].nunique() == held_back
    assert data_set.training.shape[1] == channels + 2


def test_its_specs_are_training_specs(data_sets: dict[str, DataSet]) -> None:
    for data_set in data_sets.values():
        assert TrainingSpec.from_mapping(data_set.spec).pipeline_id == data_set.name


def test_counts_what_the_most_frequent_label_would_score(data_sets: dict[str, DataSet]) -> None:
    assert data_sets["basic-motions"].majority_accuracy == 0.25
    assert data_sets["gun-point"].majority_accuracy == pytest.approx(74 / 150)


def test_counts_the_cases_whose_most_probable_class_is_right(
    data_sets: dict[str, DataSet],
) -> None:
    data_set = data_sets["gun-point"]
    answers = {case: {"1": 0.6, "2": 0.4} for case in data_set.truth}
    right = sum(label == 1 for label in data_set.truth.values())
    assert data_set.accuracy(answers) == right / 150


def test_writes_files_that_the_readers_read(data_sets: dict[str, DataSet], tmp_path: Path) -> None:
    data_set = data_sets["gun-point"]
    data, labels, spec, new = write_files(data_set, tmp_path / "example")
    panel = read_panel(data, ROLES).panel
    assert panel.n_cases == 50
    assert (panel.channels["hand"].values == data_set.training["hand"].to_numpy()).all()
    assert read_labels(labels, "case").aligned_to(panel) == tuple(data_set.labels.values())
    assert TrainingSpec.from_yaml(spec.read_bytes()).pipeline_id == "gun-point"
    assert read_panel(new, ROLES).panel.n_cases == 5

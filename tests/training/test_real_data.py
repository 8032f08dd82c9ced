"""Tests on real series: the parameter files of the founding service, and what makes data hard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from tests.training.conftest import Program
from tideline import open_store, read_labels, read_panel
from tideline.panel import case_key
from tideline.pipeline import Prediction
from tideline.readers import ColumnRoles

SharedData = Callable[[str], Path]

FOUNDING = """
pipeline_id: 1
raw_data: raw_data.json
labels: labels.json
store: models
budget: 120
extract_features:
  column_id: example_id
  impute_function: tsfresh.utilities.dataframe_functions.impute
  default_fc_parameters: MinimalFCParameters()
model_training:
  model: {model}
  model_args: {args}
"""
TPOT_ARGS = "{generations: 20, population_size: 10, verbosity: 2, max_time_mins: 0.1}"


def rows_of(table: dict[str, dict[str, Any]], ids: set[Any]) -> str:
    kept = [row for row, case in table["example_id"].items() if case in ids]
    return json.dumps({name: {row: column[row] for row in kept} for name, column in table.items()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "args"),
    [
        ("sklearn.ensemble.RandomForestClassifier", "{}"),
        ("tpot.TPOTClassifier", TPOT_ARGS),
    ],
)
def test_the_founding_parameter_files_reach_nine_tenths(
    program: Program, shared_data: SharedData, model: str, args: str
) -> None:
    folder = shared_data("HAR_automl_service")
    series = json.loads((folder / "data_test.json").read_text())
    labels = json.loads((folder / "label_test.json").read_text())
    truth = read_labels(folder / "label_test.json", "example_id")
    learned, asked = train_test_split(
        list(truth.ids), test_size=0.5, stratify=list(truth.values), random_state=1
    )
    program.write("raw_data.json", rows_of(series, set(learned)))
    program.write("labels.json", rows_of(labels, set(learned)))
    rest = program.write("rest.json", rows_of(series, set(asked)))
    spec = FOUNDING.replace("{model}", model).replace("{args}", args)
    ended = program.run(program.write("spec.yaml", spec))
    assert ended.code == 0, ended.log
    store = open_store(program.folder / "models")
    pipeline, _ = store.load(store.resolve("1"))
    scores = pipeline.predict(read_panel(rest, ColumnRoles("example_id")).panel).scores()
    label_of = {case_key(i): v for i, v in zip(truth.ids, truth.values, strict=True)}
    assert len(scores) == len(asked)
    assert roc_auc_score([label_of[key] for key in scores], list(scores.values())) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"), [("JapaneseVowels", 0.9), ("PLAID", 0.7), ("DodgerLoopDay", 0.25)]
)
def test_hard_classes_are_learned(
    program: Program, shared_data: SharedData, name: str, least: float
) -> None:
    prediction, truth, _ = trained(program, shared_data(name), name, "Classifier")
    hits = [a == b for a, b in zip(prediction.labels, truth, strict=True)]
    assert np.mean(hits) > least


@pytest.mark.slow
def test_numbers_are_learned(program: Program, shared_data: SharedData) -> None:
    name = "DailyOilGasPrices"
    prediction, truth, summary = trained(program, shared_data(name), name, "Regressor")
    wanted = np.array(truth, dtype=np.float64)
    assert prediction.values is not None
    error = np.sqrt(np.mean((prediction.values - wanted) ** 2))
    assert error < np.std(wanted)
    assert summary["scores"]["held_out"].keys() == {"r2", "mae", "rmse"}
    assert summary["mean_cv_accuracy"] is None


def trained(
    program: Program, folder: Path, name: str, kind: str
) -> tuple[Prediction, tuple[Any, ...], dict[str, Any]]:
    """Train on the one file, and answer for the other."""
    ended = program.run(
        program.spec(
            raw_data=str(folder / f"{name}_TRAIN.ts"),
            store="models",
            budget=120,
            extract_features={"default_fc_parameters": "minimal"},
            model_training={"model": f"sklearn.ensemble.ExtraTrees{kind}"},
        )
    )
    assert ended.code == 0, ended.log
    reading = read_panel(folder / f"{name}_TEST.ts", ColumnRoles(None))
    assert reading.labels is not None
    store = open_store(program.folder / "models")
    pipeline, _ = store.load(store.resolve("waves"))
    answer = pipeline.predict(reading.panel)
    return answer, reading.labels.aligned_to(reading.panel), ended.result["published"]

"""The series that are trained on: real ones, cut in two, and waves where that is not the point."""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Table = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Halves:
    """A labelled data set, cut in two by id: the one half to train on, the other to predict.

    Attributes
    ----------
    raw_data, labels
        What is posted to train on.
    unseen
        The series that are held back.
    truth
        Their labels, by id as text.
    """

    raw_data: str
    labels: str
    unseen: str
    truth: dict[str, Any]

    def few(self, cases: int) -> str:
        """Return some of the unseen series, to ask often."""
        kept = set(list(self.truth)[:cases])
        return json.dumps(_rows(json.loads(self.unseen), lambda case: str(case) in kept))


def human_activity(folder: Path) -> Halves:
    """Return HAR_automl_service, half of it by id, stratified."""
    table: Table = json.loads((folder / "data_test.json").read_text())
    labels: Table = json.loads((folder / "label_test.json").read_text())
    [column] = [name for name in labels if name != "example_id"]
    known = {case: labels[column][row] for row, case in labels["example_id"].items()}
    trained = _half(known)
    return Halves(
        raw_data=json.dumps(_rows(table, trained.__contains__)),
        labels=json.dumps(_rows(labels, trained.__contains__)),
        unseen=json.dumps(_rows(table, lambda case: case not in trained)),
        truth={str(case): label for case, label in known.items() if case not in trained},
    )


def _half(labels: dict[Any, Any]) -> set[Any]:
    by_label = defaultdict(list)
    for case, label in labels.items():
        by_label[label].append(case)
    chance = random.Random(0)
    half: set[Any] = set()
    for cases in by_label.values():
        half |= set(chance.sample(sorted(cases), len(cases) // 2))
    return half


def _rows(table: Table, is_kept: Any) -> Table:
    rows = [row for row, case in table["example_id"].items() if is_kept(case)]
    return {column: {row: cells[row] for row in rows} for column, cells in table.items()}


def waves(cases: int = 24, steps: int = 32) -> tuple[str, str]:
    """Return sine and square waves, and which is which; small and soon learnt."""
    chance = random.Random(1)
    instances, labels = [], {}
    for number in range(cases):
        phase = chance.uniform(0, 2 * math.pi)
        sine = [math.sin(phase + 0.7 * step) for step in range(steps)]
        is_square = number % 2
        wave = [math.copysign(1, height) if is_square else height for height in sine]
        case = f"w{number}"
        instances.append({"id": case, "height": [h + chance.gauss(0, 0.05) for h in wave]})
        labels[case] = ("sine", "square")[is_square]
    return json.dumps({"instances": instances}), json.dumps(labels)


def forest(name: str, **more: object) -> dict[str, Any]:
    """Return the first parameter file of the founding service, with a name of one's own."""
    return {
        "pipeline_id": name,
        "extract_features": {
            "column_id": "example_id",
            "impute_function": "tsfresh.utilities.dataframe_functions.impute",
            "default_fc_parameters": "MinimalFCParameters()",
        },
        "model_training": {"model": "sklearn.ensemble.RandomForestClassifier"},
        "budget": 300,
        **more,
    }


def waves_spec(name: str, **more: object) -> dict[str, Any]:
    """Return what learns the waves at once."""
    return {
        "pipeline_id": name,
        "extract_features": {"default_fc_parameters": "minimal"},
        "model_training": {"model": "sklearn.linear_model.LogisticRegression"},
        "budget": 120,
        **more,
    }


def roc_auc(scores: dict[str, float], truth: dict[str, Any]) -> float:
    """Return how often a case of the later class scores over one of the other."""
    later = max(truth.values())
    positive = [scores[case] for case, label in truth.items() if label == later]
    negative = [scores[case] for case, label in truth.items() if label != later]
    return sum(map(_beats, _pairs(positive, negative))) / (len(positive) * len(negative))


def _pairs(some: Iterable[float], others: list[float]) -> Iterable[tuple[float, float]]:
    return ((one, other) for one in some for other in others)


def _beats(pair: tuple[float, float]) -> float:
    one, other = pair
    return 1.0 if one > other else 0.5 if one == other else 0.0

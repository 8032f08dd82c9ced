"""What the client posts is what the services' readers read."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tideline.client.upload import labels_part, raw_data_part, spec_part
from tideline.errors import DataError
from tideline.labels import Labels
from tideline.panel import Channel, Panel
from tideline.readers import ColumnRoles, read_labels, read_panel

VALUES = st.floats(allow_nan=True, allow_infinity=False, width=64)


def sent(part: object) -> bytes:
    assert isinstance(part, bytes)
    return part


@given(arrays(np.float64, (3, 2, 4), elements=VALUES))
def test_a_panel_arrives_bit_for_bit(values: np.ndarray) -> None:
    panel = Panel.from_arrays(values, ids=["a", 7, 2.5], channel_names=["x", "y"])
    with ExitStack() as opened:
        body = sent(raw_data_part(panel, opened))
    read = read_panel(body, ColumnRoles(None)).panel
    assert read.ids == panel.ids
    for name, channel in panel.channels.items():
        np.testing.assert_array_equal(read.channels[name].values, channel.values)


def test_series_of_several_lengths_arrive_as_they_are() -> None:
    panel = Panel((1, 2), {"x": Channel.from_series([[1.0], [2.0, 3.0]])})
    with ExitStack() as opened:
        read = read_panel(sent(raw_data_part(panel, opened)), ColumnRoles(None)).panel
    assert read.channels["x"].lengths.tolist() == [1, 2]


def test_a_channel_called_id_is_refused() -> None:
    panel = Panel((1,), {"id": Channel.from_series([[1.0, 2.0]])})
    with ExitStack() as opened, pytest.raises(DataError, match="called 'id'"):
        raw_data_part(panel, opened)


def test_a_table_arrives_with_its_columns_and_without_its_index() -> None:
    table = pd.DataFrame({"case": [1, 1, 2], "x": [0.1, 0.2, 0.3]}, index=[9, 9, 9])
    with ExitStack() as opened:
        read = read_panel(sent(raw_data_part(table, opened)), ColumnRoles("case")).panel
    assert read.ids == (1, 2)
    assert list(read.channels) == ["x"]
    assert read.channels["x"].values.tolist() == [0.1, 0.2, 0.3]


def test_a_file_is_sent_as_it_is_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(b'{"x": {}}')
    with ExitStack() as opened:
        part = raw_data_part(path, opened)
        assert not isinstance(part, bytes)
        assert part.read() == b'{"x": {}}'
    assert part.closed


@pytest.mark.parametrize(
    "labels",
    [
        Labels((7, "b"), ("up", "down")),
        {7: "up", "b": "down"},
        {np.int64(7): np.str_("up"), "b": "down"},
        pd.DataFrame({"case": ["7", "b"], "label": ["up", "down"]}),
    ],
)
def test_labels_arrive_under_their_ids(labels: object) -> None:
    with ExitStack() as opened:
        read = read_labels(sent(labels_part(labels, opened)), "case")  # type: ignore[arg-type]  # the cases above
    assert dict(zip(read.keys, read.values, strict=True)) == {"7": "up", "b": "down"}


def test_a_label_that_is_no_scalar_is_refused() -> None:
    with ExitStack() as opened, pytest.raises(TypeError, match="set found"):
        labels_part({"a": {1}}, opened)  # type: ignore[dict-item]  # the point of the test


def test_a_spec_may_be_a_mapping() -> None:
    spec = {"pipeline_id": 1, "extract_features": {"column_id": "é"}}
    with ExitStack() as opened:
        body = sent(spec_part(spec, opened))
    assert yaml.safe_load(body) == json.loads(body) == spec

"""Parquet read a part at a time: the same panel, and what only a part must refuse."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.readers.long_panels import (
    ROLES,
    STACKED,
    assert_same,
    columns,
    long_rows,
    panels,
    stacked_rows,
)
from tideline.errors import DataError, InputNotFound
from tideline.panel import Channel, Panel
from tideline.readers import ColumnRoles, read_panel
from tideline.readers import chunks as module
from tideline.readers import seen as seen_module
from tideline.readers.chunks import LongParquet, panels_of_parquet
from tideline.readers.seen import Seen

lean = settings(max_examples=40, deadline=None)
BY_ID = ColumnRoles(column_id="id")


def written(folder: Path, table: dict[str, Any] | pa.Table, row_group: int | None = None) -> Path:
    path = folder / "data.parquet"
    whole = table if isinstance(table, pa.Table) else pa.table(table)
    pq.write_table(whole, path, row_group_size=row_group)
    return path


def joined(parts: list[Panel]) -> Panel:
    """Put panels of the same channels together, case after case."""
    assert len({tuple(part.channels) for part in parts}) == 1
    names = parts[0].channels
    together = {name: [part.channels[name] for part in parts] for name in names}
    return Panel(
        tuple(i for part in parts for i in part.ids),
        {name: _joined(channels) for name, channels in together.items()},
    )


def _joined(channels: list[Channel]) -> Channel:
    lengths = np.concatenate([channel.lengths for channel in channels])
    index = [channel.index for channel in channels if channel.index is not None]
    return Channel(
        np.concatenate([channel.values for channel in channels]),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate(index) if index else None,
    )


def assert_parts_make_the_whole(path: Path, roles: ColumnRoles, rows: int | None) -> None:
    whole = read_panel(path, roles).panel
    together = joined(list(panels_of_parquet(path, roles, rows=rows)))
    assert_same(together, whole)
    assert together.fingerprint() == whole.fingerprint()


@lean
@given(panels(), st.integers(1, 20), st.integers(1, 20))
def test_the_parts_are_the_whole_for_any_number_of_rows(
    panel: Panel, rows: int, row_group: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), columns(long_rows(panel)), row_group)
        assert_parts_make_the_whole(path, ROLES, rows)


@lean
@given(panels(ragged=True, least=0), st.integers(1, 20), st.integers(1, 20))
def test_the_parts_of_a_stacked_file_are_the_whole(panel: Panel, rows: int, row_group: int) -> None:
    listed = stacked_rows(panel)
    if not listed:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), columns(listed), row_group)
        assert_parts_make_the_whole(path, STACKED, rows)


@pytest.mark.parametrize(
    "ids",
    [
        pa.array(["a", "a", "b", "c"]),
        pa.array(["a", "a", "b", "c"], pa.large_string()),
        pa.array(["b", "b", "a", "c"]).dictionary_encode(),
        pa.array([True, True, False, False]),
        pa.array([2**63 + 1, 2**63 + 1, 2**63, 1], pa.uint64()),
        pa.array([0.5, 0.5, 2.0, -1.0], pa.float32()),
    ],
    ids=str,
)
@pytest.mark.parametrize("rows", [None, 1, 3])
def test_ids_of_every_type(tmp_path: Path, ids: pa.Array, rows: int | None) -> None:
    path = written(tmp_path, pa.table({"id": ids, "x": [1.0, 2.0, None, 4.0]}))
    assert_parts_make_the_whole(path, BY_ID, rows)
    kept = pa.array(read_panel(path, BY_ID).panel.ids, LongParquet(path, BY_ID).id_type)
    assert tuple(kept.to_pylist()) == read_panel(path, BY_ID).panel.ids


def test_dates_are_the_times_of_every_part(tmp_path: Path) -> None:
    days = np.arange("2026-01-01", "2026-01-07", dtype="datetime64[D]")
    table = {"id": [1, 1, 1, 2, 2, 2], "t": days[::-1], "x": np.arange(6.0)}
    path = written(tmp_path, table)
    assert_parts_make_the_whole(path, ROLES, 1)
    for part in panels_of_parquet(path, ROLES, rows=1):
        assert part.channels["x"].index.dtype == "datetime64[ns]"


def test_only_columns_with_a_role_are_read_where_the_values_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, {"x.y": ["no"] * 4, "id": [1, 1, 2, 2], "x": [1.0, 2.0, 3.0, 4.0]})
    assert_parts_make_the_whole(path, ColumnRoles(column_id="id", column_value="x"), 2)


def test_the_unnamed_index_of_pandas_is_no_channel(tmp_path: Path) -> None:
    path = written(tmp_path, {"id": [1, 2], "x": [1.0, 2.0], "__index_level_0__": [0, 1]})
    assert_parts_make_the_whole(path, BY_ID, 1)


def test_tells_the_rows_of_each_part(tmp_path: Path) -> None:
    path = written(tmp_path, {"id": [1, 1, 1, 2, 2, 3], "x": np.arange(6.0)})
    data = LongParquet(path, BY_ID, rows=2)
    assert data.n_rows == 6
    found = [(part.panel.ids, part.start, part.stop) for part in data.parts()]
    assert found == [((1,), 0, 3), ((2,), 3, 5), ((3,), 5, 6)]


def test_a_part_lacks_no_kind_that_another_has(tmp_path: Path) -> None:
    table = {"id": [1, 1, 2, 2], "kind": ["a", "a", "b", "b"], "value": [1.0, 2.0, 3.0, 4.0]}
    roles = ColumnRoles(column_id="id", column_kind="kind")
    first, second = panels_of_parquet(written(tmp_path, table), roles, rows=2)
    assert [c.lengths.tolist() for c in first.channels.values()] == [[2], [0]]
    assert [c.lengths.tolist() for c in second.channels.values()] == [[0], [2]]


def test_a_file_without_a_row_is_one_part_without_a_case(tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([], pa.string()), "x": pa.array([], pa.float64())})
    assert_parts_make_the_whole(written(tmp_path, table), BY_ID, None)


@pytest.mark.parametrize("rows", [None, 1, 2, 3, 4])
def test_refuses_a_case_that_comes_again(tmp_path: Path, rows: int | None) -> None:
    table = {"id": ["a", "b", "b", "c", "b"], "t": range(5), "x": np.arange(5.0)}
    path = written(tmp_path, table)
    told = "case 'b' begins at row 2 and comes again at row 5"
    with pytest.raises(DataError, match=told) as refusal:
        list(panels_of_parquet(path, ROLES, rows=rows))
    assert refusal.value.mend == "Sort the file by 'id' and 't'."


def test_keeps_ids_that_only_share_a_hash_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_for_all(keys: np.ndarray, *, categorize: bool) -> np.ndarray:
        return np.zeros(keys.size, dtype=np.uint64)

    monkeypatch.setattr(seen_module.pd.util, "hash_array", one_for_all)
    path = written(tmp_path, {"id": [5, 6, 6, 7, 8], "x": np.arange(5.0)})
    assert_parts_make_the_whole(path, BY_ID, 1)


@given(st.lists(st.lists(st.integers(0, 40), unique=True, max_size=9), max_size=9))
def test_finds_every_case_that_was_met_before(parts: list[list[int]]) -> None:
    seen = Seen()
    met: set[int] = set()
    for part in parts:
        again = seen.again([str(case) for case in part])
        assert again == [position for position, case in enumerate(part) if case in met]
        met.update(part)
    assert len(seen._runs) <= len(parts).bit_length() + 4


def test_refuses_a_single_case_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CASE_CELLS", 100)
    path = written(tmp_path, {"id": [7] * 60, "x": np.zeros(60)})
    with pytest.raises(DataError, match=r"case 7 has 60 rows or more, 120 cells; .* at most 100"):
        list(panels_of_parquet(path, BY_ID, rows=20))


def test_refuses_kinds_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KINDS", 3)
    path = written(tmp_path, {"id": [1] * 4, "kind": [1, 2, 3, 4], "value": np.zeros(4)})
    with pytest.raises(DataError, match="column_kind 'kind' names more than 3 channels"):
        list(panels_of_parquet(path, ColumnRoles(column_id="id", column_kind="kind")))


@pytest.mark.parametrize(
    ("table", "roles", "told"),
    [
        ({"id": [1], "x": [[1.0]]}, BY_ID, r"nested columns: 'x\.list\.element'"),
        ({"id": [1], "x": [1.0]}, ColumnRoles(), "column_id is not set"),
        ({"id": [1], "x": [1.0]}, ColumnRoles("case"), "column_id 'case' is not in raw_data"),
        ({"id": [1], "x": [1.0]}, ROLES, "column_sort 't' is not in raw_data: found 'id', 'x'"),
        (
            {"id": [1], "x": [1.0]},
            ColumnRoles("id", column_value="y"),
            "column_value 'y' is not in raw_data",
        ),
    ],
)
def test_refuses_before_a_row_is_read(
    tmp_path: Path, table: dict[str, Any], roles: ColumnRoles, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        panels_of_parquet(written(tmp_path, table), roles)


def test_refuses_two_columns_of_one_name(tmp_path: Path) -> None:
    table = pa.table([[1], [1.0], [2.0]], names=["id", "x", "x"])
    with pytest.raises(DataError, match="name 'x' more than once"):
        panels_of_parquet(written(tmp_path, table), BY_ID)


@pytest.mark.parametrize("rows", [None, 1])
@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"id": [1], "t": [1]}, "no channel"),
        ({"id": [1, None], "t": [1, 2], "x": [1.0, 2.0]}, "column 'id' has nothing at row"),
        ({"id": [1, np.nan], "t": [1, 2], "x": [1.0, 2.0]}, "column 'id' has nan at row"),
        ({"id": [1, 2], "t": [1, None], "x": [1.0, 2.0]}, "column_sort 't' holds None"),
        ({"id": [1, 2], "t": [1, 2], "x": [None, "high"]}, "column 'x' holds 'high' at case 2"),
    ],
)
def test_refuses_in_a_part_what_is_refused_in_the_whole(
    tmp_path: Path, table: dict[str, Any], told: str, rows: int | None
) -> None:
    path = written(tmp_path, table)
    for read in (
        lambda: read_panel(path, ROLES),
        lambda: list(panels_of_parquet(path, ROLES, rows=rows)),
    ):
        with pytest.raises(DataError, match=told):
            read()


def test_tells_from_where_the_rows_of_a_part_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path, {"id": [1, 2, 2], "x": [None, None, "high"]})
    told = "counting rows from 2 of the file as 1: column 'x' holds 'high' at case 2, row 2;"
    with pytest.raises(DataError, match=told):
        list(panels_of_parquet(path, BY_ID, rows=1))


def test_refuses_a_file_that_is_not_there_or_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="there is no file"):
        panels_of_parquet(tmp_path / "data.parquet", BY_ID)
    (tmp_path / "data.csv").write_text("id,x\n1,2\n")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        panels_of_parquet(tmp_path / "data.csv", BY_ID)


def test_refuses_a_damaged_page_when_it_is_met(tmp_path: Path) -> None:
    path = written(
        tmp_path, {"id": np.arange(4000), "x": np.random.default_rng(0).normal(size=4000)}
    )
    content = bytearray(path.read_bytes())
    content[100:20000] = bytes(19900)
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(panels_of_parquet(path, BY_ID, rows=100))


def test_takes_a_path_as_text(tmp_path: Path) -> None:
    path = written(tmp_path, {"id": [1, 1, 2], "x": [1.0, 2.0, 3.0]})

    parts = list(panels_of_parquet(str(path), BY_ID))

    assert joined(parts).ids == (1, 2)


def test_tells_the_rows_of_a_case(tmp_path: Path) -> None:
    path = written(tmp_path, {"id": [1, 1, 2, 3, 3, 3], "x": [1.0] * 6, "y": [1.0] * 6})

    parts = list(LongParquet(path, BY_ID, rows=3).parts())

    rows = [part.rows_of(position) for part in parts for position in range(part.panel.n_cases)]
    assert len(parts) > 1
    assert rows == [(1, 2), (3, 3), (4, 6)]

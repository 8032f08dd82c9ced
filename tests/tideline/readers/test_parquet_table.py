"""Parquet: what is refused before anything is uncompressed."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tideline.errors import DataError
from tideline.readers.parquet_table import MAX_CELLS, parquet_table


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def test_refuses_a_file_that_is_small_only_while_compressed() -> None:
    rows = 2**20
    bomb = parquet(pa.table({f"x{c}": pa.nulls(rows) for c in range(257)}))
    assert len(bomb) < 2**20
    with pytest.raises(DataError, match=r"a table of \d+ cells") as refusal:
        parquet_table(bomb, "raw_data")
    assert str(MAX_CELLS) in refusal.value.message


def test_refuses_a_row_that_holds_any_number_of_values() -> None:
    values = pa.array(np.zeros(2**20))
    lists = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
    bomb = parquet(pa.table({"id": [1], "x.y": [1.0], "x": lists}))
    assert len(bomb) < 4096
    with pytest.raises(DataError, match=r"nested columns: 'x\.list\.element'; one value a row"):
        parquet_table(bomb, "raw_data")


@pytest.mark.parametrize("value", [{"a": 1.0}, {"x": 1.0}])
def test_refuses_a_column_of_records(value: dict[str, float]) -> None:
    with pytest.raises(DataError, match=r"nested columns: 'x\.[ax]'"):
        parquet_table(parquet(pa.table({"id": [1], "x": [value]})), "raw_data")


def test_a_dot_in_the_name_of_a_column_nests_nothing() -> None:
    table = parquet_table(parquet(pa.table({"id": [1, 1], "x.y": [1.0, 2.0]})), "raw_data")
    assert list(table.columns) == ["id", "x.y"]

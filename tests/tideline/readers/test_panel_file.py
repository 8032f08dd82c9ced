"""What `read_panel` understands, and what it refuses in every format."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tideline.errors import DataError, InputNotFound
from tideline.panel import Panel
from tideline.readers import ColumnRoles, read_panel

ID = ColumnRoles("id")
TIMED = ColumnRoles("id", "t")
FRAME = pd.DataFrame({"id": [7, 7, 3, 3], "x": [1.0, 2.0, 3.0, None]})


def parquet(frame: pd.DataFrame | pa.Table) -> bytes:
    sink = io.BytesIO()
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame)
    pq.write_table(table, sink)
    return sink.getvalue()


def series(panel: Panel, channel: str = "x") -> list[list[float]]:
    return [panel.channels[channel].series(case).tolist() for case in range(panel.n_cases)]


def read(source: bytes, roles: ColumnRoles = ID) -> Panel:
    return read_panel(source, roles).panel


@pytest.mark.parametrize(
    "source",
    [
        FRAME.to_json().encode(),
        FRAME.to_json(orient="records").encode(),
        FRAME.to_csv(index=False).encode(),
        FRAME.to_csv().encode(),
        FRAME.to_csv(index=False, sep=";").encode(),
        FRAME.to_csv(index=False, sep="\t", lineterminator="\r\n").encode(),
        codecs.BOM_UTF8 + FRAME.to_csv(index=False).encode(),
        codecs.BOM_UTF8 + FRAME.to_json().encode(),
        parquet(FRAME),
        parquet(FRAME.set_index("id")),
        parquet(FRAME.set_axis([2, 4, 6, 8])),
        b'{"id": [7, 7, 3, 3], "x": [1, 2, 3, NaN]}',
        b'{"instances": [{"id": 7, "x": [1, 2]}, {"id": 3, "x": [3, null]}]}',
        b'\n [{"id": 7, "x": 1}, {"x": 2, "id": 7}, {"id": 3, "x": 3}, {"id": 3}]',
    ],
)
def test_reads_the_same_panel_whatever_the_format(source: bytes) -> None:
    panel = read(source)
    assert panel.ids == (7, 3)
    assert list(panel.channels) == ["x"]
    np.testing.assert_array_equal(series(panel), [[1.0, 2.0], [3.0, np.nan]])


def test_reads_a_file_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "series.txt"
    path.write_bytes(parquet(FRAME))
    assert read_panel(path, ID).panel.ids == (7, 3)


def test_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="there is no file") as refusal:
        read_panel(tmp_path / "absent.csv", ID)
    assert refusal.value.field == "raw_data"


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([8, 3], (8, 3)),
        (["b", "a"], ("b", "a")),
        (["007", "07"], ("007", "07")),
        ([1.5, 2], (1.5, 2)),
        ([True, False], (True, False)),
        ([True, 1], (True, 1)),
        (["", "é"], ("", "é")),
        ([2**70, 1], (2**70, 1)),
    ],
)
def test_keeps_ids_as_json_spells_them(ids: list[object], expected: tuple[object, ...]) -> None:
    panel = read(json.dumps([{"id": i, "x": 1.0} for i in ids]).encode())
    assert panel.ids == expected
    assert [type(i) for i in panel.ids] == [type(i) for i in expected]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["7", "8"], (7, 8)),
        (["7.0", "8.5"], (7.0, 8.5)),
        (["007", "8"], ("007", "8")),
        (["1.1", "1.10"], ("1.1", "1.10")),
        (["5e3", "6"], ("5e3", "6")),
        (["True", "False"], ("True", "False")),
    ],
)
def test_reads_csv_ids_as_numbers_only_where_nothing_is_lost(
    texts: list[str], expected: tuple[object, ...]
) -> None:
    source = "id,x\n" + "".join(f"{text},1\n" for text in texts)
    assert read(source.encode()).ids == expected


def test_cases_stand_in_order_of_first_appearance_and_rows_stay_in_order() -> None:
    panel = read(b"id,x\nb,1\na,2\nb,3\na,4\n")
    assert panel.ids == ("b", "a")
    assert series(panel) == [[1.0, 3.0], [2.0, 4.0]]


@pytest.mark.parametrize(
    ("times", "kind"),
    [
        (["2", "10", "1"], "f"),
        (["2.5", "1e1", "0.5"], "f"),
        (["2024-02-01", "2024-11-01T00:00:00Z", "2024-01-01 12:00"], "M"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "records", "parquet", "instances"])
def test_sorts_by_numbers_or_datetimes(times: list[str], kind: str, form: str) -> None:
    typed = [float(t) for t in times] if kind == "f" else times
    rows = [{"id": 1, "t": t, "x": x} for t, x in zip(typed, [2.0, 3.0, 1.0], strict=True)]
    source = {
        "csv": "id,t,x\n" + "".join(f"1,{t},{r['x']}\n" for t, r in zip(times, rows, strict=True)),
        "records": json.dumps(rows),
        "parquet": parquet(pd.DataFrame(rows)),
        "instances": json.dumps({"instances": [{"id": 1, "t": typed, "x": [2, 3, 1]}]}),
    }[form]
    panel = read(source if isinstance(source, bytes) else source.encode(), TIMED)
    assert series(panel) == [[1.0, 2.0, 3.0]]
    index = panel.channels["x"].index
    assert index is not None
    assert index.dtype == {"f": np.float64, "M": np.dtype("datetime64[ns]")}[kind]
    assert (np.diff(index.astype(np.float64)) > 0).all()


def test_sorts_nanoseconds_that_float64_cannot_tell_apart() -> None:
    start = 1_700_000_000_000_000_000
    panel = read(f"id,t,x\n1,{start + 2},3\n1,{start},1\n1,{start + 1},2\n".encode(), TIMED)
    assert series(panel) == [[1.0, 2.0, 3.0]]


def test_sorts_parquet_timestamps() -> None:
    times = pd.to_datetime(["2024-02-01", "2024-01-01"]).tz_localize("Europe/Berlin")
    panel = read(parquet(pd.DataFrame({"id": 1, "t": times, "x": [2.0, 1.0]})), TIMED)
    assert series(panel) == [[1.0, 2.0]]
    assert panel.channels["x"].index[0] == np.datetime64("2023-12-31T23:00")


def test_roles_mean_what_they_mean_in_tsfresh() -> None:
    source = b"id,k,x,y\n1,a,1,9\n1,b,2,9\n2,b,3,9\n1,a,4,9\n"
    stacked = read(source, ColumnRoles("id", column_kind="k", column_value="x"))
    assert list(stacked.channels) == ["a", "b"]
    assert series(stacked, "a") == [[1.0, 4.0], []]
    assert series(stacked, "b") == [[2.0], [3.0]]
    alone = read(b"id,x,y\n1,1,2\n", ColumnRoles("id", column_value="y"))
    assert list(alone.channels) == ["y"]
    guessed = read(b"id,k,x\n1,a,1\n", ColumnRoles("id", column_kind="k"))
    assert series(guessed, "a") == [[1.0]]


def test_column_json_is_aligned_by_key() -> None:
    panel = read(b'{"x": {"0": 1, "1": 2, "2": 3}, "id": {"2": 8, "0": 7, "1": 7}}')
    assert panel.ids == (7, 8)
    assert series(panel) == [[1.0, 2.0], [3.0]]


def test_reads_ten_thousand_ids_of_one_point_which_the_panel_then_refuses() -> None:
    panel = read(pd.DataFrame({"id": range(10_000), "x": 1.0}).to_json().encode())
    assert panel.n_cases == 10_000
    with pytest.raises(
        DataError, match="10000 of 10000 series hold fewer than 2 values"
    ) as refusal:
        panel.require_usable()
    assert "the id column may number the rows" in refusal.value.mend


@pytest.mark.parametrize(
    "source", [parquet(FRAME.iloc[:0]), b'{"id": {}, "x": {}}', b'{"id": [], "x": []}']
)
def test_reads_a_table_without_a_row_which_the_panel_then_refuses(source: bytes) -> None:
    panel = read(source)
    assert panel.ids == ()
    with pytest.raises(DataError, match="no case"):
        panel.require_usable()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"", "raw_data is empty: 0 bytes"),
        (b" \n ", "raw_data is empty: 3 bytes"),
        (codecs.BOM_UTF8, "raw_data is empty: 3 bytes"),
        (b"5", "one line of text, '5'"),
        (b"null", "one line of text, 'null'"),
        (b'"text"', "one line of text"),
        (b"id,x\n", "one line of text, 'id,x'"),
        (b"[1, 2]", "not a table: found a list of [1, 2]"),
        (b"[]", "not a table: found an empty list"),
        (b"{}", "not a table: found an empty object"),
        (b'{"a": 1}', "not a table: found an object of {'a': 1}"),
        (b'{"x": {"0": 1}, "id": [7]}', "not a table"),
        (b'{"x": {"0": 1', "Expecting ',' delimiter at line 1, column 14"),
        (b'{"x": {"0": 1, "0": 2}, "id": {"0": 7}}', "an object has the key '0' twice"),
        (b'{"x": {"0": 1, "1": 2}, "id": {"0": 7}}', "'id' does not have the rows of column 'x'"),
        (b'{"x": [1, 2], "id": [7]}', "differ in length: {'id': 1, 'x': 2}"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"x":' * 100_000, "nested too deeply"),
        (b'{"x": {"0": ' + b"1" * 5000 + b'}, "id": {"0": 7}}', "thousands of digits"),
        (b'{"x": {"0": 1}, "id": {"0": "\\ud800"}}', "half of a surrogate pair"),
        (b'{"x": {"0": 1}}', "column_id 'id' is not in raw_data: found 'x'"),
        (b'{"id": {"0": 1}}', "has no channel"),
        (b'{"instances": []}', "should list instances, and holds none"),
        (b'{"instances": [3]}', "should list instances, and holds [3]"),
        (b'{"instances": [], "more": 1}', "should list instances, and holds ['more']"),
        (b'{"instances": [{"x": [1]}]}', "column 'id' has nothing at row 1"),
        (b'{"instances": [{"id": 1}]}', "has no channel"),
        (b'{"instances": [{"id": 1, "x": 1}]}', "channel 'x' of case 1 is 1; a list"),
        (b'{"instances": [{"id": 1, "x": [2, "a"]}]}', "'x' holds 'a' at case 1, position 1"),
        (b'{"instances": [{"id": 1, "x": [1]}, {"id": "1", "x": [1]}]}', "more than one case"),
        (b"id,x\n1,2\n1\n", "Row #3: Expected 2 columns, got 1"),
        (b'id,x\n1,"2\n', "not sound CSV: a quote is not closed"),
        (b"id,x,x\n1,2,3\n", "name 'x' more than once"),
        (b"id,,x\n1,2,3\n", "leave a name empty"),
        (b"id,x\n,2\n", "column 'id' has nothing at row 1"),
        (b"id,x\nnan,2\n", "column 'id' has nothing at row 1"),
        ("id,x\ncaf\u00e9,2\n".encode("latin-1"), "byte 0xe9 was found at position 8, in line 2"),
        ("id,x\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"PAR1" + bytes(8), "begins like Parquet, but cannot be read"),
        (parquet(FRAME)[:-20], "begins like Parquet, but cannot be read"),
        (
            parquet(pa.table({"id": [7], "é": [1.0]})).replace("é".encode(), b"\xff\xff"),
            "begins like Parquet, but cannot be read",
        ),
        (gzip.compress(b"id,x\n1,2\n", mtime=0), "gzip"),
        (pickle.dumps(FRAME), "a pickle"),
        (b"<!doctype html>", "HTML or XML"),
    ],
)
def test_refuses_what_is_no_table(source: bytes, told: str) -> None:
    with pytest.raises(DataError) as refusal:
        read(source)
    assert told in refusal.value.message
    assert refusal.value.field == "raw_data"
    assert refusal.value.mend
    assert len(refusal.value.message) < 500


@pytest.mark.parametrize("value", ["abc", "1,5", True, [1.0], {"a": 1}, "1_0", "0x10"])
def test_refuses_a_value_that_is_no_number(value: object) -> None:
    rows = [{"id": "a", "x": 1.0}, {"id": "b", "x": None}, {"id": "b", "x": value}]
    with pytest.raises(DataError, match=r"column 'x' holds .* at case 'b', row 3; a number"):
        read(json.dumps(rows).encode())


@pytest.mark.parametrize("value", ["abc", "1,5", "True", "1_0", "0x10", "?"])
def test_refuses_a_csv_cell_that_is_no_number(value: str) -> None:
    source = f'id,x\na,1\nb,\nb,"{value}"\nb,also bad\n'
    with pytest.raises(DataError) as refusal:
        read(source.encode())
    assert f"column 'x' holds {value!r} at case 'b', row 3; a number" in refusal.value.message


@pytest.mark.parametrize("values", [["1", "2"], [True, False], [b"1", b"2"]])
def test_refuses_a_parquet_column_that_is_no_number(values: list[object]) -> None:
    with pytest.raises(DataError, match=r"column 'x' holds .* at case 7, row 1; a number"):
        read(parquet(pa.table({"id": [7, 7], "x": values})))


@pytest.mark.parametrize("missing", ["null", '""', '"NaN"', "NaN"])
def test_reads_what_json_writers_put_for_a_missing_value(missing: str) -> None:
    panel = read(f'[{{"id": 1, "x": 2}}, {{"id": 1, "x": {missing}}}]'.encode())
    np.testing.assert_array_equal(series(panel), [[2.0, np.nan]])


@pytest.mark.parametrize("token", ["Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_leaves_infinities_to_the_panel(token: str) -> None:
    panel = read(f'[{{"id": 1, "x": 2}}, {{"id": 1, "x": {token}}}]'.encode())
    with pytest.raises(DataError, match="1 infinite value, in cases 1"):
        panel.require_usable()


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ([1, None], "column 'id' has nothing at row 2"),
        ([1.5, float("nan")], "column 'id' has nan at row 2"),
        ([1, float("inf")], "column 'id' has inf at row 2"),
        ([1, [2]], r"column 'id' has \[2\] at row 2"),
        ([7, "7"], "more than one case has the same id: '7'"),
        ([None, None], "column 'id' has nothing at row 1"),
    ],
)
def test_refuses_what_is_no_id(ids: list[object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        read(json.dumps([{"id": i, "x": 1.0} for i in ids]).encode())


@pytest.mark.parametrize(
    ("roles", "told"),
    [
        (ColumnRoles(), "column_id is not set, and a table needs it: found 'id', 'k', 't', 'x'"),
        (ColumnRoles("machine"), "column_id 'machine' is not in raw_data"),
        (ColumnRoles("id", "when"), "column_sort 'when' is not in raw_data"),
        (ColumnRoles("id", column_kind="kind"), "column_kind 'kind' is not in raw_data"),
        (ColumnRoles("id", column_value="y"), "column_value 'y' is not in raw_data"),
        (ColumnRoles("id", column_kind="k"), "needs one column to be left for the values; 2 are"),
    ],
)
def test_refuses_roles_that_do_not_fit(roles: ColumnRoles, told: str) -> None:
    with pytest.raises(DataError) as refusal:
        read(b"id,k,t,x\n1,a,0,2\n", roles)
    assert told in refusal.value.message
    assert "Set extract_features.column_" in refusal.value.mend


@pytest.mark.parametrize(
    ("form", "times", "told"),
    [
        ("json", [1, None], "None"),
        ("json", [1, "b"], "'b'"),
        ("json", ["2024-01-01", "yesterday"], "'yesterday'"),
        ("json", [1, True], "True"),
        ("json", [1, float("nan")], "nan"),
        ("json", ["2024-01-01", "4000-01-01"], "'4000-01-01'"),
        ("csv", ["1", ""], "''"),
        ("csv", ["1", "b"], "'b'"),
        ("csv", ["2024-01-01", "yesterday"], "'yesterday'"),
        ("csv", ["1", "inf"], "'inf'"),
    ],
)
def test_refuses_what_cannot_be_sorted_by(form: str, times: list[object], told: str) -> None:
    rows = [{"id": 1, "t": t, "x": 1.0} for t in times]
    source = json.dumps(rows) if form == "json" else pd.DataFrame(rows).to_csv(index=False)
    with pytest.raises(DataError) as refusal:
        read(source.encode(), TIMED)
    assert f"column_sort 't' holds {told} at case 1, row 2" in refusal.value.message


def test_refuses_times_that_do_not_fit_an_instance() -> None:
    source = b'{"instances": [{"id": 1, "t": [0, 1], "x": [1, 2, 3]}]}'
    with pytest.raises(DataError, match="channel 'x' of case 1 has 3 values for 2 times in 't'"):
        read(source, TIMED)


@pytest.mark.parametrize(
    ("kinds", "told"), [(["a", None], "row 2 is None"), ([1, "1"], "as text and as a number")]
)
def test_refuses_what_names_no_channel(kinds: list[object], told: str) -> None:
    rows = [{"id": 1, "k": k, "x": 1.0} for k in kinds]
    with pytest.raises(DataError, match=told):
        read(json.dumps(rows).encode(), ColumnRoles("id", column_kind="k"))


def test_refuses_more_series_than_memory_holds() -> None:
    rows = [{"id": i, "k": f"k{i}", "x": 1.0} for i in range(6000)]
    with pytest.raises(DataError, match="6000 cases of 6000 channels") as refusal:
        read(json.dumps(rows).encode(), ColumnRoles("id", column_kind="k"))
    assert "channels' names" in refusal.value.mend


def test_takes_a_path_as_text(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    FRAME.to_csv(path, index=False)
    assert read_panel(str(path), ID).panel.fingerprint() == read_panel(path, ID).panel.fingerprint()


def test_what_holds_whole_cases_needs_no_roles(tmp_path: Path) -> None:
    path = tmp_path / "series.ts"
    path.write_text("@classLabel false\n@data\n1,2,3\n4,5,6\n")
    panel = read_panel(path).panel
    assert series(panel, *panel.channels) == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(DataError, match="column_id is not set, and a table needs it"):
        read_panel(FRAME.to_csv().encode())


@pytest.mark.parametrize("text", ['{"id": [7]}', "id,x\n" * 5000, "a\0b"])
def test_refuses_content_that_is_given_as_text(text: str) -> None:
    with pytest.raises(InputNotFound, match="there is no file"):
        read_panel(text, ID)


def test_a_column_that_is_nearly_named_is_told() -> None:
    with pytest.raises(DataError, match=r"Did you mean 'id'\? Set extract_features.column_id to"):
        read(FRAME.to_csv().encode(), ColumnRoles("idd"))

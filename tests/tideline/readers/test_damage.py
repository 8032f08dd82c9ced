"""Whatever is done to a file, it is read or refused; nothing else comes out."""

from __future__ import annotations

import io
import json
from contextlib import suppress

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tideline.errors import TidelineError
from tideline.readers import ColumnRoles, read_labels, read_panel

FRAME = pd.DataFrame(
    {
        "id": ["a", "a", "b", "b"],
        "t": ["2024-01-01", "2024-01-02", "2024-01-01", "2024-01-02"],
        "kind": ["x", "x", "y", "y"],
        "value": [1.0, 2.0, None, 4.0],
    }
)
STACKED = ColumnRoles("id", "t", "kind", "value")


def parquet() -> bytes:
    sink = io.BytesIO()
    FRAME.to_parquet(sink)
    return sink.getvalue()


SOUND = {
    "column JSON": FRAME.to_json().encode(),
    "records": FRAME.to_json(orient="records").encode(),
    "CSV": FRAME.to_csv(index=False).encode(),
    "Parquet": parquet(),
    ".ts": b"@dimensions 2\n@classLabel true a b\n@data\n1,?:3,4:a\n5:6,7,8:b\n",
    "instances": b'{"instances": [{"id": "a", "t": [1, 2], "x": [1, null]}]}',
    "mapping": b'{"a": 1, "b": 0}',
}
lean = settings(max_examples=60, deadline=None)


def read_or_refuse(content: bytes) -> None:
    for roles in (STACKED, ColumnRoles("id"), ColumnRoles("id", column_value="value")):
        with suppress(TidelineError):
            panel = read_panel(content, roles).panel
            panel.require_usable()
    with suppress(TidelineError):
        read_labels(content, "id", "value")


@pytest.mark.parametrize("form", SOUND)
@lean
@given(data=st.data())
def test_changed_bytes_are_read_or_refused(form: str, data: st.DataObject) -> None:
    content = bytearray(SOUND[form])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    read_or_refuse(bytes(content))


@pytest.mark.parametrize("form", SOUND)
def test_a_file_that_is_cut_off_is_read_or_refused(form: str) -> None:
    content = SOUND[form]
    for end in range(0, len(content), max(1, len(content) // 60)):
        read_or_refuse(content[:end])


@lean
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refuse(content)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda part: st.one_of(
        st.lists(part, max_size=4),
        st.dictionaries(st.sampled_from(["id", "t", "kind", "value", "0", "1"]), part, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused(document: object) -> None:
    read_or_refuse(json.dumps(document).encode())
    read_or_refuse(json.dumps({"id": {"0": document}, "value": {"0": document}}).encode())
    read_or_refuse(json.dumps([{"id": 1, "t": document, "kind": document, "value": 1}]).encode())
    read_or_refuse(json.dumps({"instances": [document, {"id": 1, "x": document}]}).encode())

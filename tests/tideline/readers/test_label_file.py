"""What `read_labels` understands, and what it refuses."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from tideline.errors import DataError, InputNotFound, LabelError
from tideline.readers import read_labels

FRAME = pd.DataFrame({"id": [8, 15], "label": [1, 0]})


def parquet(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.to_parquet(sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    "source",
    [
        FRAME.to_json().encode(),
        FRAME.to_json(orient="records").encode(),
        FRAME.to_csv(index=False).encode(),
        FRAME.to_csv().encode(),
        parquet(FRAME),
        b'{"8": 1, "15": 0}',
        b'{"id": [8, 15], "label": [1, 0]}',
    ],
)
def test_reads_the_same_labels_whatever_the_format(source: bytes) -> None:
    labels = read_labels(source, "id")
    assert labels.keys == ("8", "15")
    assert labels.values == (1, 0)
    assert [type(value) for value in labels.values] == [int, int]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "0"], (1, 0)),
        (["2.50", "1e-05"], (2.5, 1e-05)),
        (["1", "2.5"], (1.0, 2.5)),
        (["01", "02"], ("01", "02")),
        (["True", "false"], (True, False)),
        (["walk", "1"], ("walk", "1")),
    ],
)
def test_reads_csv_labels_as_what_they_spell(
    texts: list[str], expected: tuple[object, ...]
) -> None:
    source = "id,label\n" + "".join(f"{i},{text}\n" for i, text in enumerate(texts))
    assert read_labels(source.encode(), "id").values == expected


def test_reads_the_column_that_is_named() -> None:
    labels = read_labels(b"id,a,b\n1,x,y\n", "id", "b")
    assert labels.values == ("y",)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"", "labels is empty"),
        (b"[1, 0]", "not a table"),
        (b"5", "one line of text"),
        (b"id,a,b\n1,x,y\n", "2 columns beside column_id 'id', and one is expected: found"),
        (b"id\n1\n", "0 columns beside column_id 'id'"),
        (b"case,a\n1,x\n", "column_id 'id' is not in labels: found 'case', 'a'"),
        (b"id,a\nx,1\ny,\n", "the label at row 2, id 'y' is nothing"),
        (b"id,a\n,x\n", "column 'id' has nothing at row 1"),
        (b'{"8": null}', "the label at id '8' is nothing"),
        (b'{"8": ""}', "the label at id '8' is nothing"),
        (b'{"8": NaN}', "the label at id '8' is nan"),
        (b'{"8": Infinity}', "the label at id '8' is inf"),
        (b'{"8": 1, "8": 0}', "has the key '8' twice"),
        (b'{"8": 1, "9": "1"}', "several kinds: numbers (1) and text ('1')"),
        (b'[{"id": 1, "y": true}, {"id": 2, "y": 1}]', "several kinds: booleans (True) and"),
        (b'{"id": {"0": 8, "1": 9}, "y": {"0": 1, "1": "1"}}', "several kinds"),
        (b'{"id": {"0": 8}, "y": {"0": [1]}}', "the label at row 1, id 8 is [1]"),
        (b"@data\n1,2:a\n", "labels is a .ts file"),
        (b"id,a\n1,caf\xe9\n", "labels is not UTF-8"),
    ],
)
def test_refuses_unsound_labels(source: bytes, told: str) -> None:
    with pytest.raises(DataError) as refusal:
        read_labels(source, "id")
    assert told in refusal.value.message
    assert refusal.value.field == "labels"
    assert refusal.value.mend


def test_refuses_a_table_without_column_id() -> None:
    with pytest.raises(DataError, match="column_id is not set"):
        read_labels(b"id,a\n1,x\n", None)


def test_refuses_a_label_column_that_is_not_there() -> None:
    with pytest.raises(DataError, match="column_label 'c' is not in labels") as refusal:
        read_labels(b"id,a\n1,x\n", "id", "c")
    assert refusal.value.mend.startswith("Set column_label ")


def test_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound) as refusal:
        read_labels(tmp_path / "absent.json", "id")
    assert refusal.value.field == "labels"


def test_a_label_that_is_missing_is_a_label_error() -> None:
    with pytest.raises(LabelError):
        read_labels(b"id,a\n1,\n", "id")

"""What may come in over HTTP and must be refused: the parts of a body, and what the answer says."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SPEC = b"""
pipeline_id: publish
extract_features: {column_id: id, default_fc_parameters: minimal}
model_training: {model: sklearn.ensemble.RandomForestClassifier}
"""

VALUES = {n: [float((n * 7 + t * t) % 5) for t in range(8)] for n in range(6)}
LABELS = {str(n): n % 2 for n in VALUES}


def rows(values: dict[object, list[object]], channel: str = "x") -> bytes:
    """Return record JSON, one row a value."""
    return json.dumps([{"id": i, channel: v} for i, s in values.items() for v in s]).encode()


def good() -> dict[str, bytes]:
    return {"raw_data": rows(VALUES), "labels": json.dumps(LABELS).encode(), "params": SPEC}


@dataclass(frozen=True)
class Bad:
    name: str
    parts: dict[str, bytes | None]
    """What differs from a good body; None leaves the part out."""
    status: int
    code: str
    field: str
    said: tuple[str, ...] = field(default=())
    """Words of the detail or the mend."""

    def body(self) -> dict[str, tuple[str, bytes]]:
        parts = good() | self.parts
        return {n: (n, content) for n, content in parts.items() if content is not None}


GROUPED = b"group_id: machine\n"


def grouped(groups: str) -> bytes:
    """Return a table of labels, with the group of each case by one letter."""
    lines = (f"{i},{v},{g}" for (i, v), g in zip(LABELS.items(), groups, strict=True))
    return "\n".join(["id,y,machine", *lines]).encode()


def _labels(labels: dict[str, object]) -> bytes:
    return json.dumps(labels).encode()


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 107)
)
WITH_INFINITY = rows(VALUES).replace(b"4.0", b"1e999", 1)
SHORT = {**VALUES, 5: [1.0]}
EMPTY = json.dumps(
    {"instances": [{"id": i, "x": s if i != 5 else []} for i, s in VALUES.items()]}
).encode()
ONE_EACH = json.dumps([{"id": i, "x": 0.5} for i in range(10_000)]).encode()


def _nested_parquet() -> bytes:
    """Return a small Parquet file, one row of which holds a million values."""
    values = pa.array(np.zeros(2**20))
    lists = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [1], "x": lists}), sink)
    return sink.getvalue()


FIVE = {
    "raw_data": rows({i: s for i, s in VALUES.items() if i < 5}),
    "labels": _labels({i: v for i, v in LABELS.items() if i != "5"}),
}


def ts(header: str, labels: list[object]) -> bytes:
    """Return a `.ts` file with some series of three values."""
    lines = ["@problemName p", "@univariate true", header, "@data"]
    return "\n".join([*lines, *(f"1.0,{i},2.0:{v}" for i, v in enumerate(labels))]).encode()


BAD = [
    Bad("an empty file", {"raw_data": b""}, 422, "bad-data", "raw_data", ("empty",)),
    Bad("empty labels", {"labels": b""}, 422, "bad-data", "labels", ("empty",)),
    Bad("JSON that is no table", {"raw_data": b"[1, 2, 3]"}, 422, "bad-data", "raw_data"),
    Bad("a JSON scalar", {"raw_data": b"{}"}, 422, "bad-data", "raw_data"),
    Bad("broken JSON", {"raw_data": b'{"x": {"0": 1'}, 422, "bad-data", "raw_data"),
    Bad("deep JSON", {"raw_data": b"[" * 100_000}, 422, "bad-data", "raw_data"),
    Bad(
        "a missing column",
        {"params": SPEC.replace(b"column_id: id", b"column_id: machine")},
        422,
        "bad-data",
        "raw_data",
        ("'machine'", "'id'", "'x'"),
    ),
    Bad(
        "labels of cases that are not there",
        {"labels": _labels(LABELS | {"90": 1, "91": 0})},
        422,
        "bad-labels",
        "labels",
        ("'90'", "'91'"),
    ),
    Bad(
        "cases without a label",
        {"labels": _labels({i: v for i, v in LABELS.items() if i not in "45"})},
        422,
        "bad-labels",
        "labels",
        ("4", "5"),
    ),
    Bad(
        "one class only",
        {"labels": _labels(dict.fromkeys(LABELS, 1))},
        422,
        "bad-labels",
        "labels",
        ("1",),
    ),
    Bad(
        "a class with one member",
        {"labels": _labels(LABELS | {"5": 2})},
        422,
        "bad-labels",
        "labels",
        ("2", "one member"),
    ),
    Bad(
        "strings among the values",
        {"raw_data": rows({**VALUES, 3: [1.0, "warm", 2.0]})},
        422,
        "bad-data",
        "raw_data",
        ("'warm'", "'x'", "3"),
    ),
    Bad("an infinity", {"raw_data": WITH_INFINITY}, 422, "bad-data", "raw_data", ("infinit",)),
    Bad("a series of one point", {"raw_data": rows(SHORT)}, 422, "bad-data", "raw_data", ("5",)),
    Bad("a series of length zero", {"raw_data": EMPTY}, 422, "bad-data", "raw_data", ("5",)),
    Bad(
        "10,000 ids with one point each",
        {"raw_data": ONE_EACH},
        422,
        "bad-data",
        "raw_data",
        ("10000 of 10000", "number the rows"),
    ),
    Bad(
        "a Parquet bomb",
        {"raw_data": _nested_parquet()},
        422,
        "bad-data",
        "raw_data",
        ("nested", "x."),
    ),
    Bad("a YAML bomb", {"params": BOMB}, 422, "bad-spec", "params"),
    Bad(
        "a YAML tag",
        {"params": b"!!python/object/apply:os.system ['true']"},
        422,
        "bad-spec",
        "params",
    ),
    Bad("no YAML", {"params": b"{"}, 422, "bad-spec", "params"),
    Bad(
        "a spec in Latin-1",
        {"params": SPEC + "# für\n".encode("latin-1")},
        422,
        "bad-spec",
        "params",
    ),
    Bad(
        "data in Latin-1",
        {"raw_data": "id,x\nä,1\n".encode("latin-1")},
        422,
        "bad-data",
        "raw_data",
        ("UTF-8",),
    ),
    Bad(
        "an unknown key",
        {"params": SPEC + b"bugdet: 60\n"},
        422,
        "bad-spec",
        "bugdet",
        ("budget",),
    ),
    Bad(
        "an unknown class",
        {"params": SPEC.replace(b"RandomForestClassifier", b"RandomForrestClassifier")},
        422,
        "bad-spec",
        "model_training.model",
        ("RandomForestClassifier",),
    ),
    Bad(
        "a class that runs what it is given",
        {"params": SPEC.replace(b"sklearn.ensemble.RandomForestClassifier", b"os.system")},
        422,
        "bad-spec",
        "model_training.model",
    ),
    Bad(
        "a spec that names a URL",
        {"params": SPEC + b"raw_data: http://127.0.0.1:1/x\n"},
        422,
        "bad-spec",
        "raw_data",
    ),
    Bad(
        "a name that leaves the store",
        {"params": SPEC.replace(b"publish", b"../x")},
        422,
        "bad-spec",
        "pipeline_id",
    ),
    Bad(
        "a budget of a week",
        {"params": SPEC + b"budget: 604800\n"},
        422,
        "bad-spec",
        "budget",
        ("604800", "86400", "TIDELINE_MAX_BUDGET_SECONDS"),
    ),
    Bad("five cases", FIVE, 422, "bad-labels", "labels", ("5", "6")),
    Bad(
        "a .ts file of classes, written as numbers, of which one has one member",
        {"raw_data": ts("@classLabel true 1 2 3", [1, 1, 1, 2, 2, 3]), "labels": None},
        422,
        "bad-labels",
        "labels",
        ("one member",),
    ),
    Bad(
        "a group of another name",
        {
            "params": SPEC + b"group_id: machina\ncolumn_label: y\n",
            "labels": grouped("aabbcc"),
        },
        422,
        "bad-data",
        "group_id",
        ("'machina'", "Did you mean 'machine'", "raw_data has 'id', 'x'"),
    ),
    Bad(
        "a group of another name, where the column of labels is not named",
        {"params": SPEC + b"group_id: machina\n", "labels": grouped("aabbcc")},
        422,
        "bad-data",
        "labels",
        ("Did you mean 'machine' by group_id 'machina'",),
    ),
    Bad(
        "no table that could hold groups",
        {"params": SPEC + GROUPED},
        422,
        "bad-data",
        "group_id",
        ("raw_data has 'id', 'x'",),
    ),
    Bad(
        "cases that are all the same",
        {"raw_data": rows({n: [1.0, 2.0, 3.0] for n in VALUES})},
        422,
        "bad-data",
        "raw_data",
        ("all 6 cases hold the same values", "column_id"),
    ),
    Bad(
        "one group only",
        {"params": SPEC + GROUPED, "labels": grouped("aaaaaa")},
        422,
        "bad-data",
        "group_id",
        ("'a'", "at least 2"),
    ),
    Bad(
        "a case without a group",
        {"params": SPEC + GROUPED, "labels": grouped("aabbcc").replace(b"1,a", b"1,", 1)},
        422,
        "bad-data",
        "labels",
        ("'machine'", "nothing at row 2"),
    ),
    Bad(
        "a group that differs within a case",
        {
            "params": SPEC + GROUPED,
            "raw_data": rows(VALUES)
            .replace(b'"x"', b'"machine": "b", "x"')
            .replace(b'"b"', b'"a"', 9),
        },
        422,
        "bad-data",
        "raw_data",
        ("differs within 1 case: 1", "'a' at row 9", "'b' at row 10"),
    ),
    Bad(
        "a class in one group only",
        {"params": SPEC + GROUPED, "labels": grouped("ababab")},
        422,
        "bad-data",
        "group_id",
        ("2 classes with members in one group only: 0, 1", "at least 2 groups"),
    ),
    Bad(
        "a weight of a class that is not there",
        {
            "params": SPEC.replace(
                b"RandomForestClassifier", b"RandomForestClassifier, class_weight: {2: 5}"
            ),
        },
        422,
        "bad-spec",
        "model_training.class_weight.2",
        ("'2', which is not a class",),
    ),
    Bad("no labels at all", {"labels": None}, 422, "bad-labels", "labels"),
    Bad("no parameters", {"params": None}, 400, "bad-request", "params"),
    Bad("a part of another name", {"data": b"x"}, 400, "bad-request", "data", ("raw_data",)),
]

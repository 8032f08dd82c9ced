"""Each format gives back the panel that was written to it."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.readers.long_panels import (
    NAMES,
    ROLES,
    STACKED,
    WHOLE,
    assert_same,
    columns,
    long_rows,
    panels,
    stacked_rows,
)
from tideline.panel import Panel
from tideline.readers import ColumnRoles, read_panel

# CSV and Parquet hold a text of nothing, or NaN, for missing; .ts has no ids.
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1)
SPELLED = PLAIN.filter(lambda text: text not in {"NaN", "nan"}).map(lambda text: f"c{text}")

lean = settings(max_examples=40, deadline=None)


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns(rows)), sink)
    return sink.getvalue()


@lean
@given(panels())
def test_column_json(panel: Panel) -> None:
    document = {
        name: {str(row): value for row, value in enumerate(values)}
        for name, values in columns(long_rows(panel)).items()
    }
    assert_same(read_panel(as_json(document), ROLES).panel, panel)


@lean
@given(panels())
def test_column_json_that_a_client_sorted_as_text(panel: Panel) -> None:
    document = {
        name: dict(sorted((str(row), value) for row, value in enumerate(values)))
        for name, values in columns(long_rows(panel)).items()
    }
    assert_same(read_panel(as_json(document), ROLES).panel, panel)


@lean
@given(panels())
def test_record_json(panel: Panel) -> None:
    assert_same(read_panel(as_json(long_rows(panel)), ROLES).panel, panel)


@lean
@given(panels(names=NAMES, ragged=True))
def test_stacked_record_json(panel: Panel) -> None:
    assert_same(read_panel(as_json(stacked_rows(panel)), STACKED).panel, panel)


@lean
@given(panels(ids=WHOLE, names=SPELLED))
def test_csv(panel: Panel) -> None:
    assert_same(read_panel(as_csv(long_rows(panel)), ROLES).panel, panel)


@lean
@given(panels(ids=SPELLED, names=SPELLED, ragged=True))
def test_stacked_csv(panel: Panel) -> None:
    assert_same(read_panel(as_csv(stacked_rows(panel)), STACKED).panel, panel)


@lean
@given(panels(names=SPELLED))
def test_parquet(panel: Panel) -> None:
    assert_same(read_panel(as_parquet(long_rows(panel)), ROLES).panel, panel)


@lean
@given(panels(ragged=True))
def test_stacked_parquet(panel: Panel) -> None:
    assert_same(read_panel(as_parquet(stacked_rows(panel)), STACKED).panel, panel)


@lean
@given(panels(ragged=True, least=0))
def test_instances(panel: Panel) -> None:
    instances = [
        {"id": case_id}
        | {
            name: [None if math.isnan(v) else v for v in channel.series(case)]
            for name, channel in panel.channels.items()
        }
        for case, case_id in enumerate(panel.ids)
    ]
    found = read_panel(as_json({"instances": instances}), ColumnRoles("id")).panel
    assert_same(found, panel)


@lean
@given(panels(ragged=True, least=0), st.data())
def test_ts(panel: Panel, data: st.DataObject) -> None:
    labels = [data.draw(st.sampled_from(["walking", "-1", "2"])) for _ in panel.ids]
    lines = [
        ":".join(
            ",".join("?" if math.isnan(v) else repr(float(v)) for v in channel.series(case))
            for channel in panel.channels.values()
        )
        for case in range(panel.n_cases)
    ]
    head = f"@problemName drawn\n@dimensions {len(panel.channels)}\n@classLabel true\n@data\n"
    text = head + "".join(f"{line}:{label}\n" for line, label in zip(lines, labels, strict=True))
    reading = read_panel(text.encode(), ColumnRoles())
    names = [str(c) for c in range(len(panel.channels))]
    numbered = Panel(
        tuple(range(panel.n_cases)), dict(zip(names, panel.channels.values(), strict=True))
    )
    assert_same(reading.panel, numbered)
    assert reading.labels is not None
    assert reading.labels.aligned_to(reading.panel) == tuple(labels)

"""What a client posts: files as they are, and Python objects in a form that the services read."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from tideline.errors import DataError
from tideline.labels import Label, Labels
from tideline.panel import CaseId, FloatArray, Panel, case_key

RawData = bytes | Path | Panel | pd.DataFrame
"""Series: the bytes of a file, a file, a panel, or a table with the columns that the spec names."""

# Any: the keys are ids, but a mapping of one kind of id is no mapping of every kind.
LabelData = bytes | Path | Labels | Mapping[Any, Label] | pd.DataFrame
"""Labels: the bytes of a file, a file, labels, a mapping of id to label, or a table."""

SpecData = bytes | Path | Mapping[str, object]
"""A parameter file: its bytes, the file, or what it says as a mapping."""

Part = bytes | IO[bytes]


def raw_data_part(data: RawData, opened: ExitStack) -> Part:
    """Return series as the body of a multipart part.

    Parameters
    ----------
    data
        A panel goes as prediction JSON, without the times of its values; a table as Parquet,
        without its index.
    opened
        What closes the file, when `data` names one.

    Raises
    ------
    DataError
        When a channel of a panel is called `id`.
    """
    if isinstance(data, Panel):
        return _instances(data)
    return _part(data, opened)


def labels_part(labels: LabelData, opened: ExitStack) -> Part:
    """Return labels as the body of a multipart part."""
    if isinstance(labels, Labels):
        return _json(dict(zip(labels.keys, labels.values, strict=True)))
    if isinstance(labels, Mapping):
        return _json({case_key(_plain(i)): label for i, label in labels.items()})
    return _part(labels, opened)


def spec_part(spec: SpecData, opened: ExitStack) -> Part:
    """Return a parameter file as the body of a multipart part; a mapping goes as JSON."""
    # JSON is YAML, so the service reads both in one way.
    return _json(spec) if isinstance(spec, Mapping) else _part(spec, opened)


def _part(data: bytes | Path | pd.DataFrame, opened: ExitStack) -> Part:
    if isinstance(data, pd.DataFrame):
        body = io.BytesIO()
        data.to_parquet(body, index=False)
        return body.getvalue()
    return opened.enter_context(data.open("rb")) if isinstance(data, Path) else data


def _instances(panel: Panel) -> bytes:
    if "id" in panel.channels:
        raise DataError(
            "a channel is called 'id', which is the key of the case's id in prediction JSON.",
            mend="Give the channel another name, or post the series as a table.",
            field="raw_data",
        )
    return _json(
        {
            "instances": [
                {"id": case_id}
                | {name: _listed(c.series(at)) for name, c in panel.channels.items()}
                for at, case_id in enumerate(panel.ids)
            ]
        }
    )


def _listed(series: FloatArray) -> list[float | None]:
    return [None if math.isnan(value) else value for value in series.tolist()]


def _json(value: object) -> bytes:
    return json.dumps(value, default=_plain).encode()


def _plain(value: object) -> CaseId:
    """Return a NumPy scalar as Python's own."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str | int | float | bool):
        return plain
    raise TypeError(f"{type(value).__name__} found; text, a number or a boolean is expected")

"""Every evaluated pipeline as a row: `search.parquet`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.trial import Trial

_TEXT_MAP = pa.map_(pa.string(), pa.string())
_NUMBER_MAP = pa.map_(pa.string(), pa.float64())


def _written(text: str | None) -> str | None:
    # A text of JSON may hold half a character, which no file of UTF-8 can.
    return None if text is None else text.encode(errors="replace").decode()


def _pairs(parameters: Mapping[str, str]) -> list[tuple[str | None, str | None]]:
    return [(_written(name), _written(value)) for name, value in parameters.items()]


COLUMNS: dict[str, tuple[pa.DataType, Callable[[Trial], Any]]] = {
    "key": (pa.string(), lambda trial: _written(trial.key)),
    "name": (pa.string(), lambda trial: _written(trial.name)),
    "model_type": (pa.string(), lambda trial: _written(trial.model_type)),
    "origin": (pa.string(), lambda trial: _written(trial.origin)),
    "family": (pa.string(), lambda trial: _written(trial.family)),
    "selects": (pa.bool_(), lambda trial: trial.selects),
    "at": (pa.float64(), lambda trial: trial.at),
    "value": (pa.float64(), lambda trial: trial.value),
    "score": (pa.float64(), lambda trial: trial.score),
    "fold_scores": (pa.list_(pa.float64()), lambda trial: list(trial.fold_scores)),
    "metrics": (_NUMBER_MAP, lambda trial: list(trial.metrics.items())),
    "fit_seconds": (pa.float64(), lambda trial: trial.fit_seconds),
    "predict_seconds": (pa.float64(), lambda trial: trial.predict_seconds),
    "parameters": (_TEXT_MAP, lambda trial: _pairs(trial.parameters)),
    "failure": (pa.string(), lambda trial: _written(trial.failure)),
}
"""The columns, as `Trial` has them; of a failure, the numbers are not a number."""


def search_table(trials: Sequence[Trial]) -> pa.Table:
    """Return a table of all trials, in their order.

    Returns
    -------
    pyarrow.Table of shape (n_trials, 15)
        `fold_scores` is a list of float64 a row, `metrics` and `parameters` are maps.
    """
    schema = pa.schema([(name, kind) for name, (kind, _) in COLUMNS.items()])
    rows = {name: [value(trial) for trial in trials] for name, (_, value) in COLUMNS.items()}
    return pa.Table.from_pydict(rows, schema=schema)


def search_parquet(trials: Sequence[Trial]) -> bytes:
    """Return the table of all trials as a Parquet file, compressed."""
    sink = pa.BufferOutputStream()
    pq.write_table(search_table(trials), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content

"""Features of a file that memory does not hold: from Parquet to Parquet, a part at a time.

`python -m tideline.features.files SOURCE TARGET --column-id id` does it from the shell.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tideline.errors import (
    DataError,
    InputMismatch,
    InputNotFound,
    Interrupted,
    SpecError,
    TidelineError,
)
from tideline.features.draft import complete
from tideline.features.extraction import Progress, extract
from tideline.features.pace import Pace
from tideline.features.plan import FeaturePlan, Settings
from tideline.features.threads import thread_count
from tideline.features.views import PLAIN, View
from tideline.panel import CaseId, FloatArray, Panel, named
from tideline.readers.chunks import LongParquet, Part
from tideline.roles import ColumnRoles
from tideline.wording import shown

PLAN_KEY = b"tideline.plan"
"""Where in the schema's metadata a file of features keeps its plan."""

MATRIX_CELLS = 2**22
"""How many features are computed at a time, cases times columns: 32 MiB."""

GROUP_CELLS = 2**24
"""How many features make a row group: 128 MiB. Each column of each group has a line in the
footer, which is in memory until the file is complete."""

GROUP_CASES = 2**18
"""How many cases a row group has at most, however few the features."""

OPTIONS = {
    "extract_features.default_fc_parameters": "--set",
    "extract_features.column_id": "--column-id",
    "extract_features.column_sort": "--column-sort",
    "extract_features.column_kind": "--column-kind",
    "extract_features.column_value": "--column-value",
    "column_id": "--column-id",
    "column_sort": "--column-sort",
    "column_kind": "--column-kind",
    "column_value": "--column-value",
}
"""What refusals call a part of a training spec, and the option of the command that it is."""


def extract_to_parquet(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    roles: ColumnRoles,
    parameters: Settings | FeaturePlan | None = "efficient",
    kind_to: Mapping[str, Settings] | None = None,
    *,
    views: Sequence[View] = (PLAIN,),
    workers: int = 1,
    progress: Progress | None = None,
) -> FeaturePlan:
    """Compute the features of a long Parquet file of any size into another.

    What is in memory is bounded by a part of the source and a row group of the target. The target
    is there when it is complete, in the place of one that was there before, or not at all.

    Parameters
    ----------
    source
        See `LongParquet`: the rows of each case stand together.
    target
        Gets a row a case in the order of the source: its id under the name of `column_id`, and
        a float64 column for each feature under its name. NaN is a value, and not null.
    roles
        What the columns of the source mean.
    parameters
        A parameter set's name, calculators with their parameters as tsfresh takes them, or the
        plan itself, which leaves nothing to `kind_to` and `views`.
    kind_to, views
        As `FeaturePlan.for_panel` takes them. The channels are those of the source.
    workers
        How many threads share the cases; -1 for one a processor.
    progress
        Called with the rows of the source that are done, and the number of all.

    Returns
    -------
    FeaturePlan
        What was computed, which the target keeps as well: `plan_of_file` reads it.

    Raises
    ------
    InputNotFound
        When there is no source, or no folder for the target.
    SpecError
        When target and source are one, the parameters name what there is not, or a feature has
        the name of the column of ids.
    DataError
        When the source cannot be read, or `extract` refuses a series in it; its case and the rows
        of the source that hold it are told.
    """
    source, target = Path(source), Path(target)
    workers = thread_count(workers, field="workers")
    _require_apart(source, target)
    data = LongParquet(source, roles, field="source")
    plan = _planned(data, parameters, kind_to, views)
    _require_distinct((str(roles.column_id), *plan.names))
    with (
        complete(target) as draft,
        _FeatureFile(draft, pa.field(str(roles.column_id), data.id_type), plan) as file,
    ):
        for part in data.parts():
            tell = None if progress is None else _scaled(progress, part, data.n_rows)
            for ids, matrix in _extracted(part, plan, workers, tell):
                file.add(ids, matrix)
    return plan


def plan_of_file(path: str | os.PathLike[str]) -> FeaturePlan:
    """Return the plan of a file that `extract_to_parquet` has written: what its columns are.

    Raises
    ------
    InputNotFound
        When there is no such file.
    DataError
        When the file holds no plan.
    ModelRefused
        When this version of Tideline does not understand it.
    """
    path = Path(path)
    try:
        metadata = pq.read_schema(path).metadata or {}
    except FileNotFoundError as error:
        raise InputNotFound(
            f"there is no file {shown(str(path))}.", mend="Name an existing file."
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise _without_plan(path, str(error)[:200]) from error
    if PLAN_KEY not in metadata:
        raise _without_plan(path, f"no {PLAN_KEY.decode()!r} in its metadata")
    return FeaturePlan.from_json(json.loads(metadata[PLAN_KEY]))


def _without_plan(path: Path, why: str) -> DataError:
    return DataError(
        f"{shown(str(path))} holds no plan: {why}.",
        mend="Name a file that extract_to_parquet has written.",
    )


def _planned(
    data: LongParquet,
    parameters: Settings | FeaturePlan | None,
    kind_to: Mapping[str, Settings] | None,
    views: Sequence[View],
) -> FeaturePlan:
    if not isinstance(parameters, FeaturePlan):
        # Read for this alone: kept, it would be in memory to the end.
        first = next(data.parts()).panel
        return FeaturePlan.for_panel(first, parameters, kind_to, views=views)
    if kind_to is not None or tuple(views) != (PLAIN,):
        raise ValueError("kind_to and views: a plan has its own, none are expected beside it")
    return parameters


def _extracted(
    part: Part, plan: FeaturePlan, workers: int, tell: Progress | None
) -> Iterator[tuple[tuple[CaseId, ...], FloatArray]]:
    """Yield the ids and features of some cases of a part after another."""
    panel, n_cases = part.panel, part.panel.n_cases
    size = max(1, MATRIX_CELLS // max(1, len(plan.features)))
    # A part without a case is extracted too, so that it is refused.
    for start in range(0, max(n_cases, 1), size):
        some = panel if n_cases <= size else panel.take(range(n_cases)[start : start + size])

        def count(done: int, _: int, start: int = start) -> None:
            if tell is not None:
                tell(start + done, n_cases)

        try:
            matrix = extract(some, plan, workers=workers, progress=count)
        except DataError as error:
            raise _with_rows(error, part, plan) from error
        yield some.ids, matrix


def _with_rows(error: DataError, part: Part, plan: FeaturePlan) -> DataError:
    """Return a refusal with the rows of the first case that cannot be computed."""
    if isinstance(error, InputMismatch):
        return error
    at = next((n for n in range(part.panel.n_cases) if not _is_usable(part.panel, n, plan)), None)
    if at is None:
        return error
    first, last = part.rows_of(at)
    return type(error)(
        f"{error.message} Case {shown(part.panel.ids[at])} is in rows {first:,} to {last:,}.",
        mend=error.mend.replace("send null", "write null"),
        field=error.field,
    )


def _is_usable(panel: Panel, position: int, plan: FeaturePlan) -> bool:
    series = (panel.channels[n].series(position) for n in plan.channels if n in panel.channels)
    return all(not np.isinf(s).any() and np.count_nonzero(~np.isnan(s)) > 1 for s in series)


def _scaled(progress: Progress, part: Part, n_rows: int) -> Progress:
    """Return a function that is told the cases of a part, and tells the rows of the file."""

    def count(done: int, of: int) -> None:
        progress(part.start + (part.stop - part.start) * done // of, n_rows)

    return count


class _FeatureFile:
    """A Parquet file of features that is being written, a row group at a time."""

    def __init__(self, path: Path, ids: pa.Field, plan: FeaturePlan) -> None:
        columns = [ids, *(pa.field(name, pa.float64()) for name in plan.names)]
        told = json.dumps(plan.to_json(), separators=(",", ":"))
        self._schema = pa.schema(columns, metadata={PLAN_KEY: told.encode()})
        size = min(GROUP_CASES, max(1, GROUP_CELLS // max(1, len(plan.names))))
        self._ids: list[CaseId] = []
        # A row a feature, so that what Parquet takes is in one piece.
        self._values = np.empty((len(plan.names), size))
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=False,
            write_statistics=[ids.name],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._ids:
                self._flush()
        finally:
            self._writer.close()

    def add(self, ids: Sequence[CaseId], matrix: FloatArray) -> None:
        """Take the features of some cases; full row groups are written."""
        done = 0
        while done < len(ids):
            at = len(self._ids)
            taken = min(self._values.shape[1] - at, len(ids) - done)
            self._values[:, at : at + taken] = matrix[done : done + taken].T
            self._ids += ids[done : done + taken]
            done += taken
            if len(self._ids) == self._values.shape[1]:
                self._flush()

    def _flush(self) -> None:
        columns = [pa.array(self._ids, self._schema.field(0).type)]
        columns += [pa.array(feature[: len(self._ids)]) for feature in self._values]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._ids.clear()


def _require_apart(source: Path, target: Path) -> None:
    if not target.parent.is_dir():
        raise InputNotFound(
            f"there is no folder {shown(str(target.parent))} for the features.",
            mend="Make the folder first, or name a file in another.",
        )
    if target.is_dir() or (target.exists() and source.exists() and target.samefile(source)):
        found = "a folder" if target.is_dir() else "the source itself"
        raise SpecError(
            f"the target {shown(str(target))} is {found}; a file of its own is expected.",
            mend="Name another file for the features.",
        )


def _require_distinct(names: Sequence[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise SpecError(
            f"more than one column would be named {named(repeated)}; the names of the features "
            "and of the column of ids are expected to differ.",
            mend="Rename the channel, or the column of ids.",
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once and return the exit code, that of the error where there is one."""
    asked = _parser().parse_args(arguments)
    roles = ColumnRoles(asked.column_id, asked.column_sort, asked.column_kind, asked.column_value)
    try:
        plan = extract_to_parquet(
            asked.source,
            asked.target,
            roles,
            asked.set,
            workers=asked.workers,
            progress=Pace("rows", _say),
        )
    except TidelineError as error:
        _say(f"error: {_in_options(str(error))}")
        return error.exit_code
    _say(f"{len(plan.features)} features a case, {asked.target.stat().st_size:,} bytes")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tideline.features.files",
        description="Compute the features of a long Parquet file of any size into another.",
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="the long table")
    parser.add_argument("target", type=Path, metavar="TARGET", help="the features, a row a case")
    parser.add_argument("--column-id", required=True, help="the column that tells cases apart")
    parser.add_argument("--column-sort", help="the column of times")
    parser.add_argument("--column-kind", help="the column that names the channel of a row")
    parser.add_argument("--column-value", help="the column of values")
    parser.add_argument("--set", default="efficient", help="the parameter set")
    parser.add_argument(
        "--workers", type=_workers, default=1, help="how many threads; -1 for one a processor"
    )
    return parser


def _workers(text: str) -> int:
    try:
        return thread_count(int(text), field="the number")
    except (ValueError, SpecError) as error:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} was found; a number of threads from 1, or -1 for one a processor, is "
            "expected"
        ) from error


def _in_options(sentence: str) -> str:
    """Return a refusal in the words of the command, where it names parts of a training spec."""
    for field, option in OPTIONS.items():
        # Not a column of that name, which a refusal quotes.
        sentence = re.sub(rf"(?<!['\w.]){re.escape(field)}(?!['\w])", option, sentence)
    return sentence.replace(", or send the column", "")


def _interrupted(*_: object) -> NoReturn:
    raise Interrupted("told to stop before the features were complete; none are written.")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, _interrupted)
    sys.exit(main())

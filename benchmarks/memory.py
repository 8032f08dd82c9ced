"""A file that memory does not hold, to a file of features: `python -m benchmarks.memory`.

Writes series to a temporary folder, extracts the `efficient` set of them in a process of its own
and prints that process's greatest resident memory, which has to stay below 2 GiB. The features of
1,000,000 series are 6 GB as float64; the target holds them compressed (zstd), in about 4 GB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GIB = 2**30
LIMIT = 2 * GIB
CASES_AT_ONCE = 10_000


def main() -> int:
    """Run once; return 1 where the memory is over the limit, or the extraction failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tideline-memory-") as folder:
        source, target = Path(folder) / "series.parquet", Path(folder) / "features.parquet"
        write_series(source, asked.cases, asked.length)
        seconds, peak = extracted(source, target, asked.workers)
        found = pq.read_metadata(target)
        size = target.stat().st_size
    n_features = found.num_columns - 1
    plain = found.num_rows * n_features * 8
    print(f"{found.num_rows:,} series of {asked.length:,} steps, {n_features} features each")
    print(f"time    {seconds:,.0f} s, {found.num_rows / seconds:,.0f} series a second")
    print(f"target  {size / GIB:.2f} GiB, {plain / GIB:.2f} GiB uncompressed")
    print(f"memory  {peak / GIB:.2f} GiB at most, {LIMIT / GIB:.0f} GiB allowed")
    return int(peak >= LIMIT or found.num_rows != asked.cases)


def write_series(path: Path, cases: int, length: int) -> None:
    """Write random walks as a long table of columns `id`, `t` and `value`, some at a time."""
    rng = np.random.default_rng(0)
    schema = pa.schema({"id": pa.int64(), "t": pa.int32(), "value": pa.float32()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, cases, CASES_AT_ONCE):
            count = min(CASES_AT_ONCE, cases - start)
            walks = rng.normal(size=(count, length)).cumsum(axis=1)
            columns = (
                np.repeat(np.arange(start, start + count), length),
                np.tile(np.arange(length, dtype=np.int32), count),
                walks.astype(np.float32).reshape(-1),
            )
            writer.write_table(pa.Table.from_arrays(list(map(pa.array, columns)), schema=schema))


def extracted(source: Path, target: Path, workers: int) -> tuple[float, int]:
    """Extract in a process of its own, and return its seconds and greatest resident bytes.

    Linux begins a child's account with what its parent had at most, so that a small parent is
    the least that can be told.
    """
    command = [sys.executable, "-m", "tideline.features.files", str(source), str(target)]
    roles = ["--column-id", "id", "--column-sort", "t"]
    began = time.perf_counter()
    process = subprocess.Popen([*command, *roles, "--workers", str(workers)])  # noqa: S603 - ours
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the extraction ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())

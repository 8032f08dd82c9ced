"""Tests of how many cores a process may use."""

from __future__ import annotations

import os
import subprocess
import sys

from tideline.cores import available_cores


def test_no_more_cores_than_the_process_may_use() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


def test_a_quota_counts_as_it_does_where_features_are_computed() -> None:
    # joblib's own limit stands for that of a container, which a test cannot set.
    program = "from tideline.cores import available_cores; print(available_cores())"
    limited = {**os.environ, "LOKY_MAX_CPU_COUNT": "1"}
    told = subprocess.run(
        [sys.executable, "-c", program], env=limited, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["1"]

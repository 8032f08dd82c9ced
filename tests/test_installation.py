"""The pinned set of packages is whole."""

from __future__ import annotations

import subprocess
import sys


def test_every_requirement_is_met_but_the_gpu_library_of_xgboost():
    found = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    unmet = [line for line in found.stdout.splitlines() if "requires" in line]
    assert [line for line in unmet if "nvidia-nccl" not in line] == []

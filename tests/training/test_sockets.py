"""Tests of the folder that the workers' server listens in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from training.sockets import server_folder
from training.workers import Workers
from tests.training.jobs import seven

if __name__ == "__main__":
    told = []
    with Workers(1) as workers:
        workers.submit(seven, told.append)
        while not told:
            workers.wait(1.0)
    print(server_folder(), told[0].result)
"""


@pytest.mark.slow
def test_a_long_temporary_folder_is_no_hindrance(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(program)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TMPDIR": str(deep), "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    folder, result = done.stdout.split()
    assert len(folder) < 90
    assert result == "7"

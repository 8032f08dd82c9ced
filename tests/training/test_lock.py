"""Tests of the lock that two processes under one name are told apart by."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tideline.errors import RunBusy
from training.checkpoint import Checkpoint
from training.lock import Lock

HOLD = """
import subprocess, sys
from pathlib import Path
from training.lock import Lock

lock = Lock(Path(sys.argv[1]))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False)
print(child.pid, flush=True)
child.wait()
"""


def test_one_at_a_time_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    for _ in range(2):
        lock = Lock(path)
        with pytest.raises(RunBusy, match="another process is at work") as caught:
            Lock(path)
        lock.release()
        lock.release()
        assert not path.exists()
    assert (caught.value.exit_code, caught.value.retryable) == (75, True)


def test_what_a_killed_process_has_started_does_not_hold_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        orphan = psutil.Process(int(process.stdout.readline()))
        try:
            with pytest.raises(RunBusy):
                Lock(path)
            process.kill()
            process.wait()
            assert orphan.is_running()
            Lock(path).release()
        finally:
            orphan.kill()
            process.kill()


def test_a_lock_whose_file_was_removed_meanwhile_is_not_held_twice(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = Lock(path)
    path.unlink()
    second = Lock(path)
    with pytest.raises(RunBusy):
        Lock(path)
    second.release()
    os.close(first._file)


def test_a_run_that_is_at_work_keeps_what_it_has(tmp_path: Path) -> None:
    identity = {"run_id": "a"}
    with Checkpoint(tmp_path / "a", identity) as checkpoint:
        (tmp_path / "a" / "kept").write_text("of the run")
        for other in (identity, {"run_id": "a", "spec": "another"}):
            with pytest.raises(RunBusy):
                Checkpoint(tmp_path / "a", other)
        assert (tmp_path / "a" / "kept").exists()
        checkpoint.remove()
        assert list(tmp_path.glob(".*")) == []
        # What comes now under this name is another start's.
        with Checkpoint(tmp_path / "a", {"run_id": "a", "spec": "another"}):
            state = (tmp_path / "a" / "state.json").read_text()
            checkpoint.save()
            assert (tmp_path / "a" / "state.json").read_text() == state

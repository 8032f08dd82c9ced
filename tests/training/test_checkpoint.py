"""Tests of the folder that a run leaves to its next start."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tideline.errors import RunBusy, StoreUnavailable
from training.checkpoint import OLD_SECONDS, STATE, Checkpoint, remove_old
from training.lock import Lock
from training.mirror import Mirror

IDENTITY = {"run_id": "a", "spec": {"budget": 60.0, "until": None}}
KILLED = """
import sys, time
from pathlib import Path
from training.checkpoint import Checkpoint

with Checkpoint(Path(sys.argv[1]), {"run_id": "a"}) as checkpoint:
    checkpoint.count_from(time.monotonic() - 100.0)
    checkpoint.save()
    print("saved", flush=True)
    time.sleep(600)
"""


def spend(folder: Path, seconds: float, identity: dict | None = None) -> float:
    """Make a start that takes so long; return what was spent before."""
    with Checkpoint(folder, identity or IDENTITY) as checkpoint:
        checkpoint.count_from(time.monotonic() - seconds)
        return checkpoint.spent_before


def test_the_time_spent_adds_up_over_the_starts(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "a"
    assert spend(folder, 10.0) == 0.0
    assert spend(folder, 20.0) == pytest.approx(10.0, abs=5.0)
    assert spend(folder, 30.0) == pytest.approx(30.0, abs=5.0)
    assert Checkpoint(folder, IDENTITY).spent_before == pytest.approx(60.0, abs=10.0)


def test_a_start_that_was_killed_has_spent_its_time(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "saved\n"
        finally:
            process.kill()
    assert 100.0 <= Checkpoint(folder, {"run_id": "a"}).spent_before < 160.0


def test_what_was_kept_stays_for_the_same_run_and_for_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    spend(folder, 10.0)
    (folder / "kept").write_text("of the run")
    assert spend(folder, 0.0) > 0
    assert (folder / "kept").exists()
    assert spend(folder, 0.0, {**IDENTITY, "spec": {"budget": 61.0, "until": None}}) == 0.0
    assert not (folder / "kept").exists()


def test_a_run_that_begins_anew_under_its_name_is_told_so(tmp_path: Path) -> None:
    told: list[str] = []
    for identity in (IDENTITY, IDENTITY, {**IDENTITY, "version": "of tomorrow"}):
        with Checkpoint(tmp_path / "a", identity, tell=told.append):
            pass
        assert len(told) == (identity != IDENTITY)
    assert "begins anew" in told[0]


@pytest.mark.parametrize("state", [b"", b"{", b"\xff", b"[]", b'{"spent": 7}'])
def test_a_state_that_says_nothing_is_no_state(tmp_path: Path, state: bytes) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / STATE).write_bytes(state)
    (tmp_path / "a" / "kept").write_text("of whom?")
    assert Checkpoint(tmp_path / "a", IDENTITY).spent_before == 0.0
    assert not (tmp_path / "a" / "kept").exists()


def test_what_is_removed_stays_removed(tmp_path: Path) -> None:
    with Checkpoint(tmp_path / "a", IDENTITY) as checkpoint:
        checkpoint.remove()
        checkpoint.save()
    assert not (tmp_path / "a").exists()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def mirrored(tmp_path: Path, store: Path, told: list[str]) -> Checkpoint:
    mirror = Mirror(f"{store.as_uri()}/copy.zip", tmp_path / "a")
    return Checkpoint(tmp_path / "a", IDENTITY, mirror, told.append)


def test_another_disk_goes_on_with_the_copy(tmp_path: Path, store: Path) -> None:
    told: list[str] = []
    with mirrored(tmp_path, store, told) as checkpoint:
        checkpoint.count_from(time.monotonic() - 10.0)
        (tmp_path / "a" / "plans.json").write_text("{}")
    shutil.rmtree(tmp_path / "a")
    again = mirrored(tmp_path, store, told)
    assert again.spent_before == pytest.approx(10.0, abs=5.0)
    assert (tmp_path / "a" / "plans.json").exists()
    again.remove()
    assert list(store.iterdir()) == []
    assert told == []


def test_a_copy_of_another_run_is_not_used(tmp_path: Path, store: Path) -> None:
    with mirrored(tmp_path, store, []):
        (tmp_path / "a" / "kept").write_text("of the run")
    shutil.rmtree(tmp_path / "a")
    mirror = Mirror(f"{store.as_uri()}/copy.zip", tmp_path / "a")
    other = Checkpoint(tmp_path / "a", {"run_id": "b"}, mirror)
    assert other.spent_before == 0.0
    assert list((tmp_path / "a").iterdir()) == []


def test_what_lies_on_this_disk_comes_before_the_copy(tmp_path: Path, store: Path) -> None:
    with mirrored(tmp_path, store, []):
        pass
    state = {**json.loads((tmp_path / "a" / STATE).read_text()), "spent": 50.0}
    (tmp_path / "a" / STATE).write_text(json.dumps(state))
    assert mirrored(tmp_path, store, []).spent_before == 50.0


def test_a_store_that_is_away_is_told_once(tmp_path: Path, store: Path) -> None:
    told: list[str] = []
    with mirrored(tmp_path, store, told) as checkpoint:
        store.rmdir()
        checkpoint.save()
        checkpoint.save()
    assert len(told) == 1
    assert told[0].startswith("what is known so far cannot be kept in the store")
    assert (tmp_path / "a" / STATE).exists()


def test_a_store_that_is_away_at_the_start_leaves_no_empty_folder(
    tmp_path: Path, store: Path
) -> None:
    store.rmdir()
    with pytest.raises(StoreUnavailable):
        mirrored(tmp_path, store, [])
    # Else the next start would take it for what is known, and the copy would be lost.
    assert not (tmp_path / "a").exists()


def test_folders_that_nobody_asks_for_are_removed(tmp_path: Path) -> None:
    for name in ("old", "new"):
        spend(tmp_path / "runs" / name, 0.0)
    long_ago = time.time() - OLD_SECONDS - 60.0
    os.utime(tmp_path / "runs" / "old" / STATE, (long_ago, long_ago))
    remove_old(tmp_path / "runs")
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == ["new"]
    remove_old(tmp_path / "nowhere")


def test_an_old_folder_that_a_run_is_at_work_in_stays_with_its_lock(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    spend(runs / "old", 0.0)
    long_ago = time.time() - OLD_SECONDS - 60.0
    os.utime(runs / "old" / STATE, (long_ago, long_ago))
    before = Lock(runs / ".old.lock")
    remove_old(runs)
    assert (runs / "old" / STATE).exists()
    with pytest.raises(RunBusy):
        spend(runs / "old", 0.0)
    before.release()
    remove_old(runs)
    assert list(runs.iterdir()) == []

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

from tideline.features.draft import complete

KILLED = """
import os, signal, sys
from pathlib import Path
from tideline.features.draft import complete

with complete(Path(sys.argv[1])) as draft:
    draft.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "f[1].parquet"
    assert subprocess.run([sys.executable, "-c", KILLED, target], check=False).returncode == -9
    assert len(names(tmp_path)) == 1

    with complete(target) as draft:
        assert names(tmp_path) == [draft.name]
        draft.write_text("whole")

    assert names(tmp_path) == [target.name]
    assert target.read_text() == "whole"


def test_what_another_is_writing_stays(tmp_path: Path) -> None:
    target = tmp_path / "f.parquet"

    with complete(target) as slow:
        slow.write_text("slow")
        with complete(target) as fast:
            fast.write_text("fast")
        assert slow.read_text() == "slow"
        assert target.read_text() == "fast"

    assert target.read_text() == "slow"
    assert names(tmp_path) == [target.name]


def test_files_of_other_names_stay(tmp_path: Path) -> None:
    token = uuid.uuid4().hex
    others = [f".g.parquet.{token}", f".fxparquet.{token}", f".f.parquet.{token}.old"]
    for name in others:
        (tmp_path / name).touch()

    with complete(tmp_path / "f.parquet") as draft:
        draft.touch()

    assert names(tmp_path) == sorted([*others, "f.parquet"])

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tideline
from tideline.features.compilation import compile_kernels
from tideline.features.kernels import cache

PROBE = """
import logging, sys
import numpy as np
from numba.core import event

class Heard(event.Listener):
    functions = []

    def on_start(self, happening):
        function = happening.data["dispatcher"].py_func
        if function.__module__.startswith("tideline."):
            self.functions.append(function.__qualname__)

    def on_end(self, happening):
        pass

event.register("numba:compile", Heard())
logging.basicConfig(format="%(message)s")

from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
from tideline.features.views import dyadic
from tideline.panel import Channel, Panel

steps = np.random.default_rng(1).normal(size=90)
steps.flags.writeable = False
for channel in (
    Channel.from_series([steps[:40], steps[40:60], steps[60:63]]),
    Channel(steps, np.array([0, 30, 60, 90])),
):
    panel = Panel((0, 1, 2), {"x": channel})
    for asked in sys.argv[1:]:
        parameters = asked if asked != "small" else {"mean": None, "median": None}
        extract(panel, FeaturePlan.for_panel(panel, parameters))
        if asked == "tideline":
            extract(panel, FeaturePlan.for_panel(panel, asked, views=tuple(dyadic(depth=1))))
print(*sorted(set(Heard.functions)))
"""


def start(folder: Path, *sets: str, **environment: str | None) -> subprocess.Popen[str]:
    """Compute the features of some sets in a process of its own, which tells what it compiles."""
    unset = ("NUMBA_CACHE_DIR", "TIDELINE_COMPILED")
    told = {name: value for name, value in os.environ.items() if name not in unset}
    return subprocess.Popen(
        [sys.executable, "-c", PROBE, *sets],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=told | {"PYTHONDONTWRITEBYTECODE": "1", **environment},
    )


def ended(process: subprocess.Popen[str]) -> tuple[list[str], str]:
    """Return what a process has compiled, and what it has said."""
    out, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    return out.split(), said


@pytest.fixture(scope="module")
def compiled() -> Path:
    """The folder with every kernel of this version, compiled now unless they already are."""
    compile_kernels()
    assert cache.FOLDER is not None
    return cache.FOLDER


@pytest.fixture
def unwritable(tmp_path: Path) -> dict[str, str]:
    """Settings of a process whose sources and home take no file, not even from root."""
    sources = tmp_path / "sources" / "tideline"
    shutil.copytree(
        Path(tideline.__file__).parent, sources, ignore=shutil.ignore_patterns("__pycache__")
    )
    (sources / "features" / "kernels" / "__pycache__").write_text("a file, and no folder")
    (tmp_path / "tmp").mkdir()
    return {
        "PYTHONPATH": str(sources.parent),
        "HOME": "/dev/null",
        "XDG_CACHE_HOME": "/dev/null/cache",
        "TMPDIR": str(tmp_path / "tmp"),
    }


def test_nothing_is_compiled_after_all_was(compiled: Path, tmp_path: Path) -> None:
    process = start(
        tmp_path, "efficient", "comprehensive", "tideline", NUMBA_CACHE_DIR=str(compiled.parent)
    )

    assert ended(process) == ([], "")


def test_processes_that_start_together_take_what_the_image_ships(
    compiled: Path, tmp_path: Path
) -> None:
    fresh = tmp_path / "fresh"
    shipped = {"NUMBA_CACHE_DIR": str(fresh), "TIDELINE_COMPILED": str(compiled.parent)}
    both = [start(tmp_path, "efficient", **shipped) for _ in range(2)]

    assert [ended(process) for process in both] == [([], ""), ([], "")]
    assert [each.name for each in fresh.iterdir()] == [compiled.name]


def test_where_nothing_is_shipped_the_working_folder_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fresh" / "kernels-0123456789ab"
    folder.parent.mkdir()
    (tmp_path / folder.name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cache, "FOLDER", folder)
    for value in (None, ""):
        monkeypatch.delenv("TIDELINE_COMPILED", raising=False)
        if value is not None:
            monkeypatch.setenv("TIDELINE_COMPILED", value)
        cache.unpack()
        assert not folder.exists()


def test_where_nothing_can_be_written_a_folder_of_the_users_own_is_made(
    tmp_path: Path, unwritable: dict[str, str]
) -> None:
    functions, said = ended(start(tmp_path, "small", **unwritable))

    own = tmp_path / "tmp" / f"tideline-{os.getuid()}"
    assert functions
    assert "they are kept" in said
    assert own.stat().st_mode & 0o777 == 0o700
    assert list(own.rglob("*.nbc"))
    assert ended(start(tmp_path, "small", **unwritable)) == ([], "")


def test_a_folder_that_others_can_write_to_is_not_trusted(
    tmp_path: Path, unwritable: dict[str, str]
) -> None:
    planted = tmp_path / "tmp" / f"tideline-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)

    functions, said = ended(start(tmp_path, "small", **unwritable))

    assert functions
    assert said.count("they can be kept nowhere here") == 1
    assert not list(planted.iterdir())


def test_a_link_is_not_taken_for_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "other").mkdir(mode=0o700)
    own = tmp_path / f"tideline-{os.getuid()}"
    own.symlink_to(tmp_path / "other")
    assert cache._temporary_home() is None

    own.unlink()
    assert cache._temporary_home() == own


def test_every_file_that_is_compiled_in_changes_the_folders_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    (kernels / "a.py").write_text("A = 1\n")
    limits = tmp_path / "limits.py"
    limits.write_text("LARGEST = 1\n")
    monkeypatch.setattr(cache, "SOURCES", kernels)
    monkeypatch.setattr(cache, "FROZEN", (limits,))
    digests = [cache._digest()]

    for changed in (limits, kernels / "a.py"):
        changed.write_text(changed.read_text() + "B = 2\n")
        digests.append(cache._digest())

    assert len(set(digests)) == 3


def test_kernels_freeze_no_number_of_a_file_outside_the_digest() -> None:
    hashed = {path.stem for path in cache.FROZEN}
    # Types, and what is called and not compiled.
    harmless = {"batch", "panel"}

    for source in cache.SOURCES.glob("*.py"):
        for line in source.read_text().splitlines():
            words = line.split()
            if words[:1] == ["from"] and words[1].startswith("tideline."):
                _, *rest = words[1].split(".")
                assert rest[:2] == ["features", "kernels"] or rest[-1] in hashed | harmless, line

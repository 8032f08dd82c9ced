"""The demonstration as it is run: a program that leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """An environment whose home and temporary folder are empty and our own."""
    own = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "tmp"}
    for place in own.values():
        place.mkdir()
    return os.environ | {key: str(place) for key, place in own.items()}


@pytest.fixture
def demo(places: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        # With SIGINT ignored, as a shell starts what runs in the background.
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-W", "error", "-m", "demo"],
        cwd=REPOSITORY,
        env=places,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if wanted in line:
            return said
    raise AssertionError(f"{wanted!r} was not said: {said}")


def ended(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


def left_behind(places: dict[str, str]) -> list[Path]:
    return [path for key in ("HOME", "TMPDIR") for path in Path(places[key]).rglob("*")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_and_tidies_up_when_it_is_told_to(
    demo: subprocess.Popen[str], places: dict[str, str], number: signal.Signals
) -> None:
    read_until(demo, "Training" if number == signal.SIGINT else "Starting")
    started = psutil.Process(demo.pid).children(recursive=True)
    demo.send_signal(number)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "Nothing is left running" in said
    assert "Traceback" not in said
    assert ended(started)
    assert left_behind(places) == []


@pytest.mark.slow
def test_trains_predicts_and_scores_on_real_series(
    demo: subprocess.Popen[str], places: dict[str, str]
) -> None:
    before = time.monotonic()
    said, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, said
    assert time.monotonic() - before < 240
    scores = [float(s) for s in re.findall(r"accuracy on \d+ held-back series +([\d.]+)", said)]
    majority = [float(s) for s in re.findall(r"majority class on the same +([\d.]+)", said)]
    assert len(scores) == len(majority) == 2
    assert all(score > 0.85 for score in scores)
    assert all(score < 0.5 for score in majority)
    assert "gun-point version 1" in said
    assert re.search(r"http://127\.0\.0\.1:\d+/", said)
    assert left_behind(places) == []

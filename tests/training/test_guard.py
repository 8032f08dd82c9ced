"""Tests of the end of a run before its time, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, time
from training import guard
guard.SECONDS_TO_PUBLISH = float(sys.argv[3])
watch = guard.Guard(lambda error: print(error.code, error, flush=True))
watch.start()
if sys.argv[1] == "committed":
    watch.commit()
if sys.argv[2] == "signal":
    os.kill(os.getpid(), signal.SIGTERM)
else:
    watch.limit(time.monotonic(), 5.0)
time.sleep(0.5)
watch.release()
print("published", flush=True)
"""


@pytest.mark.parametrize(
    ("reason", "code", "told"),
    [
        ("signal", 75, "interrupted the run was told to stop by SIGTERM before it had published"),
        ("deadline", 70, "budget-exceeded the budget of 5 s is over"),
    ],
)
def test_a_run_that_does_not_publish_yet_is_ended_at_once(
    reason: str, code: int, told: str
) -> None:
    assert ended("before", reason, "30") == (code, told)


@pytest.mark.parametrize("reason", ["signal", "deadline"])
def test_a_run_that_publishes_comes_to_its_own_end(reason: str) -> None:
    assert ended("committed", reason, "30") == (0, "published")


@pytest.mark.parametrize(
    ("reason", "why"), [("signal", "it was told to stop"), ("deadline", "its budget was over")]
)
def test_a_run_that_publishes_for_too_long_says_that_it_may_have(reason: str, why: str) -> None:
    told = f"interrupted {why} while the run was publishing; it may have published"
    assert ended("committed", reason, "0.1") == (75, told)


def ended(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the first sentence."""
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return process.returncode, process.stdout.strip().split(". ")[0].split(", and no")[0]

"""Tests of processes that can be ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.training import jobs
from training.workers import LEAST_MEMORY, TOO_LONG, Outcome, Workers

PATIENCE = 60.0
"""Seconds; the processes begin with imports, and the machine may be busy."""
PARENT = """
import sys
from functools import partial
from tests.training import jobs
from training.workers import Workers

with Workers(2) as workers:
    for number in range(2):
        workers.submit(partial(jobs.mark_and_sleep, f"{sys.argv[1]}/{number}"), print)
    while True:
        workers.wait(0.2)
"""

ENDED = """
import psutil
from tests.training import jobs
from training.workers import Workers, end_server

def servers():
    return sum("forkserver" in " ".join(p.cmdline()) for p in psutil.Process().children())

def ask():
    with Workers(1) as workers:
        workers.submit(jobs.seven, lambda outcome: print(outcome.result or outcome.failure))
        while not workers.is_idle:
            workers.wait()

end_server()  # where none has begun
ask()
print(servers())
end_server()
print(servers())
ask()
"""


@pytest.fixture
def one() -> Iterator[Workers]:
    with Workers(1) as started:
        yield started


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, "it does not come to pass"
        time.sleep(0.05)


def finish(workers: Workers) -> None:
    ends = time.monotonic() + PATIENCE
    while not workers.is_idle:
        assert time.monotonic() < ends, "there is no end to it"
        workers.wait(0.2)


def outcomes(workers: Workers, *wanted: Callable[[], Any]) -> list[Outcome]:
    found: dict[int, Outcome] = {}
    for number, job in enumerate(wanted):
        workers.submit(job, partial(found.__setitem__, number))
    finish(workers)
    return [found[number] for number in range(len(wanted))]


def is_written(path: Path) -> bool:
    return path.exists() and path.read_text().isdigit()


def test_a_job_returns_and_the_time_it_took_is_told(workers: Workers) -> None:
    [found] = outcomes(workers, jobs.seven)
    assert (found.result, found.failure) == (7, None)
    assert 0.0 < found.seconds < PATIENCE


def test_what_a_job_raises_is_its_failure_and_the_process_goes_on(one: Workers) -> None:
    before, found, after = outcomes(one, jobs.own_pid, jobs.refuse, jobs.own_pid)
    assert found.failure == "ValueError: found # of #, expected all"
    assert after.result == before.result


def test_a_result_that_cannot_be_sent_is_a_failure(one: Workers) -> None:
    before, found, after = outcomes(one, jobs.own_pid, jobs.cannot_be_pickled, jobs.own_pid)
    assert found.failure is not None
    assert "pickle" in found.failure
    assert after.result == before.result


def test_what_takes_too_long_is_ended_and_the_next_goes_on(one: Workers) -> None:
    found: list[Outcome] = []
    one.submit(jobs.sleep_long, found.append, seconds=0.1)
    one.submit(jobs.seven, found.append, seconds=PATIENCE)
    finish(one)
    assert [each.failure for each in found] == [TOO_LONG, None]
    assert found[0].seconds < PATIENCE
    assert found[1].result == 7


@pytest.mark.parametrize(
    ("job", "failure"),
    [
        (jobs.kill_itself, "its process was killed, as it is when the memory is used up"),
        (jobs.exit_with_three, "its process ended with code 3"),
    ],
)
def test_a_process_that_dies_costs_its_own_job_only(
    workers: Workers, job: Callable[[], None], failure: str
) -> None:
    found = outcomes(workers, jobs.seven, job, jobs.seven, jobs.seven)
    assert [each.failure for each in found] == [None, failure, None, None]


def test_a_process_that_dies_while_it_is_idle_is_replaced(one: Workers) -> None:
    [first] = outcomes(one, jobs.own_pid)
    os.kill(first.result, signal.SIGKILL)
    # At once: whether its death is noticed before or after the next is handed to it.
    found = outcomes(one, jobs.own_pid, jobs.seven)
    assert found[1].result == 7
    assert found[0].result != first.result


def test_memory_over_the_bound_costs_its_own_job_only() -> None:
    with Workers(1, LEAST_MEMORY) as bounded:
        found = outcomes(
            bounded, partial(jobs.fill, 2**20), partial(jobs.fill, 2 * LEAST_MEMORY), jobs.seven
        )
    assert [each.result for each in found] == [2**20, None, 7]
    assert (found[1].failure or "").startswith(("MemoryError", "_ArrayMemoryError"))


def test_what_is_dropped_is_ended_or_never_begun_and_not_told(one: Workers, tmp_path: Path) -> None:
    told: list[Outcome] = []
    at_work = one.submit(partial(jobs.mark_and_sleep, str(tmp_path / "first")), told.append)
    queued = one.submit(partial(jobs.mark_and_sleep, str(tmp_path / "second")), told.append)
    until(lambda: is_written(tmp_path / "first"))
    one.drop([at_work, queued])
    assert one.is_idle
    assert not psutil.pid_exists(int((tmp_path / "first").read_text()))
    assert outcomes(one, jobs.seven)[0].result == 7
    assert told == []
    assert not (tmp_path / "second").exists()


def test_what_has_ended_is_not_told_once_another_has_dropped_it(workers: Workers) -> None:
    tickets: list[int] = []
    told: list[Outcome] = []

    def drop_all(outcome: Outcome) -> None:
        told.append(outcome)
        workers.drop(tickets)

    tickets += [workers.submit(jobs.seven, drop_all) for _ in range(6)]
    finish(workers)
    assert len(told) == 1


def test_the_first_goes_before_all_that_wait(one: Workers) -> None:
    order: list[str] = []
    for name, is_first in (("at work", False), ("last", False), ("first", True)):
        one.submit(jobs.seven, lambda _, name=name: order.append(name), first=is_first)
    finish(one)
    assert order == ["at work", "first", "last"]


def test_waiting_ends_when_another_connection_can_be_read(one: Workers) -> None:
    from multiprocessing import Pipe  # noqa: PLC0415 - for this one

    theirs, ours = Pipe()
    one.submit(jobs.sleep_long, lambda _: None)
    theirs.send("anything")
    began = time.monotonic()
    assert one.wait(PATIENCE, also=[ours]) == [ours]
    assert time.monotonic() - began < PATIENCE / 2
    theirs.close()
    ours.close()


def test_no_process_is_left_at_the_end(tmp_path: Path) -> None:
    with Workers(2) as ended:
        for number in range(2):
            place = str(tmp_path / str(number))
            ended.submit(partial(jobs.mark_and_sleep, place), lambda _: None)
        until(lambda: all(is_written(tmp_path / str(number)) for number in range(2)))
    pids = [int((tmp_path / str(number)).read_text()) for number in range(2)]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_the_server_gives_its_memory_back_and_begins_again_where_it_is_wanted() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ENDED], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert told.stdout.split() == ["7", "1", "0", "7"], told.stderr


@pytest.mark.slow
def test_no_process_outlives_one_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)]) as parent:
        try:
            until(lambda: all(is_written(tmp_path / str(number)) for number in range(2)))
            family = psutil.Process(parent.pid).children(recursive=True)
        finally:
            parent.kill()
    at_work = {int((tmp_path / str(number)).read_text()) for number in range(2)}
    assert at_work <= {process.pid for process in family}
    until(lambda: not any(process.is_running() for process in family))

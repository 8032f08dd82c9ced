"""Processes for work that may take too long, or too much memory: each can be ended at any moment.

A job is a function without arguments, whose result comes back; one that dies, or is ended, costs
itself and nothing else. Who asks stays in control: nothing here waits longer than it is told to.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from training.failures import KILLED, reason_of
from training.sockets import server_folder

Job = Callable[[], Any]
"""Work for a process: it, and what it returns, can be pickled."""
Then = Callable[["Outcome"], None]
"""Told what came of a job, in the thread that waits."""

TOO_LONG = "it took longer than it was given"
POLL_SECONDS = 0.2
"""The longest that one wait for a job takes: who waits looks at its own deadline in between."""
LEAST_MEMORY = 512 * 2**20
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read by libraries that are loaded later than the workers begin, as LightGBM's."""
PRELOADED = ["training.fold", "training.portfolio"]
"""What every worker has imported: the server that they are forked from does so, once."""

_context = get_context("forkserver")


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes
    ----------
    result
        What it returned; None where it failed.
    failure
        Why it did not return, in words; None where it did.
    seconds
        How long it took.
    """

    result: Any
    failure: str | None
    seconds: float


@dataclass(frozen=True)
class _Order:
    ticket: int
    job: Job
    then: Then
    seconds: float


@dataclass(eq=False)
class _Worker:
    """One process, and the order that it is at work on."""

    memory: int | None
    order: _Order | None = None
    began: float = 0.0
    pipe: Connection = field(init=False)

    def __post_init__(self) -> None:
        self.pipe, theirs = _context.Pipe()
        # Its other end closes when this process ends, however it does.
        lifeline, self._line = _context.Pipe(duplex=False)
        self._process = _context.Process(
            target=_serve, args=(theirs, lifeline, self.memory), daemon=True
        )
        with warnings.catch_warnings():
            # Threads are no danger to a fork that a process without any does.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()
        lifeline.close()

    @property
    def deadline(self) -> float:
        return self.began + self.order.seconds if self.order else float("inf")

    def take(self, order: _Order) -> None:
        self.order, self.began = order, time.monotonic()
        try:
            self.pipe.send(order.job)
        except (BrokenPipeError, ConnectionResetError):
            # It died while it was idle: its pipe can be read, and `give` tells why.
            return

    def give(self) -> tuple[Any, str | None]:
        """Return what its job returned, or why it did not; the process may be dead."""
        try:
            result, failure = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return None, _death(self._process.exitcode)
        return result, failure

    def ended(self, result: Any, failure: str | None) -> tuple[_Order, Outcome]:  # noqa: ANN401 - a job's
        """Return the order that it was at work on, and what came of it."""
        if self.order is None:
            raise ValueError("a worker with an order expected")
        order, self.order = self.order, None
        return order, Outcome(result, failure, time.monotonic() - self.began)

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.pipe.close()
        self._line.close()


class Workers:
    """Some processes, and the orders that wait for them; a context manager that ends them.

    Parameters
    ----------
    count
        How many there are.
    memory
        The bytes that each may fill, beside files that it maps and what it begins with; None is
        no bound.
    """

    def __init__(self, count: int, memory: int | None = None) -> None:
        self.count = count
        self._memory = memory
        self._workers: list[_Worker] = []
        self._waiting: deque[_Order] = deque()
        self._ended: deque[tuple[_Order, Outcome]] = deque()
        self._tickets = 0

    def __enter__(self) -> Self:
        # Its imports take seconds, for which only the first order waits: workers begin with it.
        _context.set_forkserver_preload(PRELOADED)
        server_folder()
        forkserver.ensure_running()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._waiting.clear()
        self._ended.clear()
        for worker in self._workers:
            worker.end()
        self._workers = []

    def submit(
        self, job: Job, then: Then, *, seconds: float = float("inf"), first: bool = False
    ) -> int:
        """Put a job into the queue, and return its ticket.

        Parameters
        ----------
        then
            Called from within `wait`, once, with what came of it; not when it is dropped.
        seconds
            After which it is ended, once it has begun.
        first
            Whether it goes before all that wait.
        """
        self._tickets += 1
        order = _Order(self._tickets, job, then, seconds)
        if first:
            self._waiting.appendleft(order)
        else:
            self._waiting.append(order)
        self._hand_out()
        return order.ticket

    def drop(self, tickets: Iterable[int]) -> None:
        """Forget some jobs: those that wait are not begun, those at work are ended."""
        unwanted = set(tickets)
        self._waiting = deque(o for o in self._waiting if o.ticket not in unwanted)
        self._ended = deque(each for each in self._ended if each[0].ticket not in unwanted)
        for place, worker in enumerate(self._workers):
            if worker.order is not None and worker.order.ticket in unwanted:
                self._replace(place)
        self._hand_out()

    @property
    def told_memory(self) -> str:
        """What each process may fill, in words."""
        whose = "its process" if self.count == 1 else f"each of {self.count} processes"
        if self._memory is None:
            return f"{whose} may fill what the machine has"
        return f"{whose} may fill {self._memory / 2**20:.0f} MiB"

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to wait for."""
        busy = any(worker.order is not None for worker in self._workers)
        return not (self._waiting or self._ended or busy)

    def wait(
        self, seconds: float = POLL_SECONDS, also: Sequence[Connection] = ()
    ) -> list[Connection]:
        """Wait until something has come to an end, and tell those who asked for it.

        Parameters
        ----------
        seconds
            How long to wait at most when nothing has.
        also
            Connections of others, waited for as well.

        Returns
        -------
        list of Connection
            Those of `also` that can be read.
        """
        self._hand_out()
        busy = {worker.pipe: worker for worker in self._workers if worker.order is not None}
        until = min([time.monotonic() + seconds, *(worker.deadline for worker in busy.values())])
        ready = connection.wait([*busy, *also], max(0.0, until - time.monotonic()))
        self._ended += [self._collected(busy[pipe]) for pipe in busy if pipe in ready]
        self._ended += self._overdue()
        self._hand_out()
        while self._ended:
            # One may drop others that have ended in the same moment.
            order, outcome = self._ended.popleft()
            order.then(outcome)
        return [pipe for pipe in also if pipe in ready]

    def _collected(self, worker: _Worker) -> tuple[_Order, Outcome]:
        result, failure = worker.give()
        ended = worker.ended(result, failure)
        if not worker.is_alive:
            self._replace(self._workers.index(worker))
        return ended

    def _overdue(self) -> list[tuple[_Order, Outcome]]:
        now = time.monotonic()
        ended = []
        for place, worker in enumerate(self._workers):
            if worker.deadline <= now:
                ended.append(worker.ended(None, TOO_LONG))
                self._replace(place)
        return ended

    def _replace(self, place: int) -> None:
        self._workers[place].end()
        self._workers[place] = _Worker(self._memory)

    def _hand_out(self) -> None:
        if self._waiting and not self._workers:
            self._workers = [_Worker(self._memory) for _ in range(self.count)]
        for place, worker in enumerate(self._workers):
            if not self._waiting:
                return
            if worker.order is not None:
                continue
            if not worker.is_alive:
                self._replace(place)
            self._workers[place].take(self._waiting.popleft())


def end_server() -> None:
    """End the process that workers are forked from, once none is wanted any more.

    What it has imported takes a third of what a small container has; what comes after the search
    needs that. Workers that are begun later start it again.
    """
    server = forkserver._forkserver  # noqa: SLF001 - nothing public tells of it
    pid: int | None = server._forkserver_pid  # type: ignore[attr-defined]  # noqa: SLF001
    if pid is not None:
        os.kill(pid, signal.SIGKILL)  # one that is only asked to end may be waited for without end
        server._stop()  # type: ignore[attr-defined]  # noqa: SLF001


def _death(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return KILLED
    if code is not None and code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with code {code}"


def _serve(pipe: Connection, lifeline: Connection, memory: int | None) -> None:
    """Do jobs until the one who asks is gone; what a worker's process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _be_the_first_to_go(memory)
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        while True:
            try:
                pipe.send_bytes(_done(pipe.recv_bytes()))
            except (EOFError, OSError):
                return


def _done(order: bytes) -> bytes | memoryview:
    """Do a job, and return what is to be told of it; both are pickled."""
    try:
        return ForkingPickler.dumps((ForkingPickler.loads(order)(), None))
    except Exception as error:  # noqa: BLE001 - whatever an estimator raises is its job's failure
        return ForkingPickler.dumps((None, reason_of(error)))


def _be_the_first_to_go(memory: int | None) -> None:
    """Bound the memory, and let the kernel end this process before the run's own."""
    score = Path("/proc/self/oom_score_adj")
    if os.access(score, os.W_OK):
        score.write_text("1000", encoding="ascii")
    if memory is not None:
        # What a process fills itself; files that are mapped do not count.
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        bound = memory + _filled()
        bound = bound if most == resource.RLIM_INFINITY else min(bound, most)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, most))


def _filled() -> int:
    """Return the bytes that count already: what libraries reserve, of which little is used."""
    told = Path("/proc/self/statm")
    pages = int(told.read_text(encoding="ascii").split()[5]) if told.exists() else 0
    return pages * resource.getpagesize()


def _end_with(lifeline: Connection) -> None:
    connection.wait([lifeline])
    os._exit(1)

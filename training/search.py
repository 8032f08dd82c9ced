"""TPOT's search, as a child process that cannot outlive its time or its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tideline.errors import ModelRefused
from tideline.store.trust import built
from training.candidates import Candidate
from training.folds import CrossValidation
from training.journal import Journal
from training.search_record import Record
from training.search_task import EVALUATIONS, SearchTask

LOG = "search.log"
POLL_SECONDS = 0.1
TELL_SECONDS = 2.0
GRACE_SECONDS = 0.5
"""What a search that ends by itself gets beyond its time."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Pipelines are evaluated side by side; each that took every core would only slow the others."""


class Search:
    """The child process; a context manager that ends it.

    It is started before it is needed, because the import of TPOT takes seconds that the extraction
    of features can share.

    Parameters
    ----------
    folder
        An empty folder for what the two processes tell each other.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.folder = folder
        self._journal = journal
        self._began: float | None = None
        self._told = 0.0
        self._record = Record(folder / EVALUATIONS)
        folder.mkdir()
        with (folder / LOG).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "training.searcher"],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Whatever a library writes on the side goes when the folder goes.
                env={**os.environ, "TMPDIR": str(folder), **dict.fromkeys(ONE_THREAD, "1")},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.end()

    def run(
        self,
        task: SearchTask,
        X: NDArray[np.float64],
        y: NDArray[Any],
        fold_of: NDArray[np.int64],
        deadline: float,
    ) -> list[Candidate]:
        """Search, and return each pipeline that was the best of its time, the best first.

        Parameters
        ----------
        X : float64 array of shape (n_train, n_features)
        y : array of shape (n_train,)
        fold_of : int64 array of shape (n_train,)
        deadline
            On `time.monotonic`; the search is ended then, if not before.
        """
        np.savez(self.folder / "search.npz", X=X, y=y, fold_of=fold_of)
        self._send(task)
        while self._process.poll() is None and time.monotonic() < self._until(task, deadline):
            time.sleep(POLL_SECONDS)
            self._tell(task)
        failed = self._process.poll()
        self.end()
        if failed:
            self._journal.notice(
                f"TPOT's search ended early (exit code {failed}): {self._last_words()}"
            )
        self._record.catch_up()
        tell = self._journal.notice if self._record.is_poor else self._journal.say
        tell(f"TPOT: {self._record.account()}")
        return sorted(self._candidates(), key=lambda c: c.result.score, reverse=True)

    def end(self) -> None:
        """End the process and whatever it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _send(self, task: SearchTask) -> None:
        if self._process.stdin is None:
            raise ValueError("a process with a standard input expected")
        try:
            self._process.stdin.write(task.to_line().encode())
        except BrokenPipeError:
            # It is dead already; its exit code and its log say why.
            self._process.wait()

    def _until(self, task: SearchTask, deadline: float) -> float:
        if self._began is None:
            return deadline
        return min(deadline, self._began + task.seconds + GRACE_SECONDS)

    def _tell(self, task: SearchTask) -> None:
        now = time.monotonic()
        if self._began is not None and now < self._told + max(TELL_SECONDS, task.seconds / 50):
            return
        self._record.catch_up()
        if self._record.began and self._began is None:
            self._began = now
        results = [entry["result"] for entry in self._record.results]
        if self._began is None or not results:
            return
        self._told = now
        best = max(results, key=lambda result: result["score"])["value"]
        self._journal.say(
            f"TPOT: {len(results)} pipelines, {task.metric} of the best {best:.4f}",
            (now - self._began) / task.seconds,
        )

    def _candidates(self) -> Iterator[Candidate]:
        for entry in self._record.results:
            if "file" not in entry:
                continue
            content = (self.folder / entry["file"]).read_bytes()
            try:
                pipeline: Any = built(content)
            except ModelRefused as error:
                self._journal.notice(f"{entry['pipeline']} was left out: {error.message}")
                continue
            yield Candidate("search", pipeline.steps, CrossValidation(**entry["result"]))

    def _last_words(self) -> str:
        lines = (self.folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing.")

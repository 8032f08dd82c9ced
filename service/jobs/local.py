"""Jobs as child processes of this one, their state in a folder."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from service.jobs.backend import JobBackend, JobRequest, Submission, standing
from service.jobs.bounds import bounded
from service.jobs.chapter import Chapter
from service.jobs.ending import in_words, is_interrupted, perhaps, told
from service.jobs.folder import JobFolder
from service.jobs.record import JobRecord, JobState
from service.jobs.run import Run, end_leftovers
from service.leaving import Leaving
from service.problems import Problem
from tideline.errors import (
    JobNotFound,
    QueueFull,
    StoreUnavailable,
)
from tideline.home import require_home

logger = logging.getLogger(__name__)

TRAINING = (sys.executable, "-m", "training")
ATTEMPTS = 3
INTERRUPTION_SECONDS = 1.0
LOCK_SECONDS = 10.0
"""How long a start waits for the backend before it, which may be on its way out."""


class LocalJobs(JobBackend):
    """Runs jobs as child processes.

    Parameters
    ----------
    home
        The folder that holds one folder a job.
    store
        The model store, as the training program is told it.
    command
        The training program.
    at_once, queued, kept
        How many jobs run, may wait, and are remembered when they are over.
    stop_seconds
        How long a run that is told to stop may take before it is killed.
    leaving
        The sign that this process is about to stop: from then on no run begins.
    """

    def __init__(
        self,
        home: Path,
        store: str,
        *,
        command: Sequence[str] = TRAINING,
        at_once: int = 2,
        queued: int = 100,
        kept: int = 1000,
        stop_seconds: float = 10.0,
        leaving: Leaving | None = None,
    ) -> None:
        self.home = home
        self.store = store
        self.command = tuple(command)
        self.at_once = at_once
        self.queued = queued
        self.kept = kept
        self.stop_seconds = stop_seconds
        self.leaving = leaving or Leaving()
        self._changed = threading.Condition()
        self._records: dict[str, JobRecord] = {}
        self._waiting: deque[str] = deque()
        self._runs: dict[str, Run] = {}
        self._is_closing = False
        self._threads: list[threading.Thread] = []
        self._lock_file: int | None = None

    # Life

    def start(self) -> None:  # noqa: D102 - as the contract says
        require_home(self.home)
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock_file = _locked(self.home / "lock")
        self._is_closing = False
        with self._changed:
            self._recover()
        self._threads = [
            threading.Thread(target=self._work, name=f"jobs-{n}", daemon=True)
            for n in range(self.at_once)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:  # noqa: D102 - as the contract says
        with self._changed:
            self._is_closing = True
            for run in self._runs.values():
                run.stop()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._threads = []
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _recover(self) -> None:
        self._records.clear()
        self._waiting.clear()
        for path in self.home.iterdir():
            if path.name.startswith(".incoming-"):
                JobFolder(path).remove()
            elif path.is_dir():
                self._recover_job(JobFolder(path))
        for record in sorted(self._records.values(), key=lambda r: r.created):
            if record.state is JobState.QUEUED:
                self._waiting.append(record.id)

    def _recover_job(self, folder: JobFolder) -> None:
        record = folder.read_record()
        if record is None:
            logger.warning("the record of the job in %s cannot be read; left alone", folder.path)
            return
        self._records[record.id] = record
        if record.state is JobState.RUNNING:
            ended = end_leftovers(folder.path)
            logger.info("job %s was cut off; %d of its processes were left", record.id, ended)
            self._after_cut_off(record, folder)

    # The contract

    def submit(self, request: JobRequest) -> Submission:  # noqa: D102 - as the contract says
        with self._changed:
            known = self._known(request)
        if known is not None:
            return Submission(known, is_new=False)
        incoming = JobFolder(self.home / f".incoming-{uuid.uuid4().hex}")
        try:
            incoming.fill(request, self.store)
            with self._changed:
                # Another request for the same job may have come in meanwhile.
                known = self._known(request)
                if known is None:
                    return Submission(self._accept(request, incoming), is_new=True)
            return Submission(known, is_new=False)
        finally:
            incoming.remove()

    def get(self, job_id: str) -> JobRecord:  # noqa: D102 - as the contract says
        with self._changed:
            record = self._records.get(job_id)
        if record is None:
            raise JobNotFound(
                f"there is no job {job_id!r}.", mend="GET /jobs names the jobs.", field="id"
            )
        return self._with_progress(record)

    def records(self) -> tuple[JobRecord, ...]:  # noqa: D102 - as the contract says
        with self._changed:
            records = sorted(self._records.values(), key=lambda r: r.created, reverse=True)
        return tuple(self._with_progress(r) for r in records)

    def chapters(self, job_id: str) -> tuple[Chapter, ...]:  # noqa: D102 - as the contract says
        record = self.get(job_id)
        return (Chapter(f"{record.id} {record.created}", self._folder(record.id).logs()),)

    def cancel(self, job_id: str) -> JobRecord:  # noqa: D102 - as the contract says
        self.get(job_id)
        with self._changed:
            record = self._records[job_id]
            if record.state is JobState.QUEUED:
                self._keep(_over(record, JobState.CANCELLED, "cancelled before it began"))
                self._waiting.remove(job_id)
                self._tidy(job_id)
            elif record.state is JobState.RUNNING:
                change = {"is_cancelled": True, "reason": "told to stop"}
                self._keep(record.model_copy(update=change))
                if job_id in self._runs:
                    self._runs[job_id].stop()
        return self.get(job_id)

    # State; each of these is called with the lock held

    def _known(self, request: JobRequest) -> JobRecord | None:
        record = self._records.get(request.job_id)
        if (known := standing(record, request)) is not None:
            return known
        if len(self._waiting) >= self.queued:
            raise QueueFull(f"{len(self._waiting)} jobs wait already.", mend="Try again later.")
        return None

    def _accept(self, request: JobRequest, incoming: JobFolder) -> JobRecord:
        record = JobRecord(
            id=request.job_id,
            pipeline_id=request.pipeline_id,
            state=JobState.QUEUED,
            reason=f"waits for its turn; at most {self.at_once} jobs run at once",
            digest=request.digest,
            created=_now(),
        )
        incoming.write_record(record)
        folder = self._folder(record.id)
        folder.remove()
        incoming.path.rename(folder.path)
        self._records[record.id] = record
        self._waiting.append(record.id)
        self._changed.notify()
        return record

    def _keep(self, record: JobRecord) -> None:
        self._folder(record.id).write_record(record)
        self._records[record.id] = record

    def _end(
        self, record: JobRecord, state: JobState, reason: str, problem: Problem | None = None
    ) -> None:
        # A job is over even where the disk does not take that down, for being full perhaps. After
        # a restart what the run has left tells the same; else the job runs again.
        self._records[record.id] = over = _over(record, state, reason, problem)
        try:
            self._folder(record.id).write_record(over)
            self._tidy(record.id)
        except OSError:
            logger.exception("the end of job %s could not be written", record.id)

    def _tidy(self, job_id: str) -> None:
        """Remove what only a run needs, and the oldest jobs that are over."""
        self._folder(job_id).remove_inputs()
        over = [r for r in self._records.values() if r.state.is_over]
        for old in sorted(over, key=lambda r: r.created)[: -self.kept]:
            self._folder(old.id).remove()
            del self._records[old.id]

    # Runs

    def _work(self) -> None:
        while (job_id := self._next()) is not None:
            record = self._records.get(job_id)
            if record is not None and record.state is JobState.RUNNING:
                with self._failing(job_id):
                    self._run(record)

    def _next(self) -> str | None:
        """Wait for a job, begin it, and return its id; None when there is no more work."""
        with self._changed:
            self._changed.wait_for(self._has_work)
            if self._is_closing:
                return None
            job_id = self._waiting.popleft()
            with self._failing(job_id):
                self._begin(self._records[job_id])
            return job_id

    @contextmanager
    def _failing(self, job_id: str) -> Iterator[None]:
        """Let what goes wrong fail its job, and not the thread, which works for all of them."""
        try:
            yield
        except Exception as error:
            logger.exception("job %s could not be run", job_id)
            with self._changed:
                record = self._records.get(job_id)
                if record is not None and not record.state.is_over:
                    self._fail(record, f"the run could not be done: {type(error).__name__}")

    def _has_work(self) -> bool:
        return self._is_closing or (bool(self._waiting) and not self.leaving.is_set)

    def _begin(self, record: JobRecord) -> None:
        begun = record.model_copy(
            update={
                "state": JobState.RUNNING,
                "attempt": record.attempt + 1,
                "started": _now(),
                "reason": f"runs; attempt {record.attempt + 1} of at most {ATTEMPTS}",
            }
        )
        self._keep(begun)

    def _run(self, record: JobRecord) -> None:
        folder = self._folder(record.id)
        folder.begin_run(f"attempt {record.attempt}, {_now():%Y-%m-%d %H:%M:%S} UTC")
        results = ("--result", "result.json", "--progress", "progress.jsonl")
        command = (*self.command, "spec.yaml", *results, "--run-id", record.id)
        with self._changed:
            run = Run(folder.path, command, self.stop_seconds)
            self._runs[record.id] = run
            if self._records[record.id].is_cancelled or self._is_closing:
                run.stop()
        try:
            code = run.wait()
            if is_interrupted(folder.result(), code):
                # What stops this process may stop its children in the same breath, or before it.
                self.leaving.wait(INTERRUPTION_SECONDS)
        finally:
            with self._changed:
                del self._runs[record.id]
        with self._changed:
            self._conclude(self._records[record.id], folder, code)

    def _conclude(self, record: JobRecord, folder: JobFolder, code: int) -> None:
        result = folder.result()
        if published := result.get("published"):
            name = f"{published.get('modelId')}:{published.get('version')}"
            done = record.model_copy(update={"summary": bounded(published)})
            self._end(done, JobState.SUCCEEDED, f"published {name}")
        elif record.is_cancelled:
            self._end(record, JobState.CANCELLED, "cancelled on request")
        elif self._is_closing or self.leaving.is_set:
            # Stopped along with us: not the job's fault, so that it does not count as an attempt.
            self._queue_again(record, "the trainer was stopped", record.attempt - 1)
        elif is_interrupted(result, code) and record.attempt < ATTEMPTS:
            self._queue_again(record, "the run was stopped from outside", record.attempt)
            self._waiting.append(record.id)
            self._changed.notify()
        elif error := result.get("error"):
            problem = told(error, record.path)
            self._end(record, JobState.FAILED, problem.detail, problem)
        else:
            self._fail(record, f"the run ended {in_words(code)}{perhaps(code)}, without a result")

    def _fail(self, record: JobRecord, reason: str) -> None:
        problem = Problem.of_code(
            "internal-error",
            f"{reason}.",
            mend=f"GET {record.path}/logs shows what it said; then post it again.",
            retryable=True,
            instance=record.path,
        )
        self._end(record, JobState.FAILED, reason, problem)

    def _queue_again(self, record: JobRecord, why: str, attempt: int) -> None:
        reason = f"{why} while the job ran; it runs again"
        change = {"state": JobState.QUEUED, "reason": reason, "attempt": attempt}
        self._keep(record.model_copy(update=change))

    def _after_cut_off(self, record: JobRecord, folder: JobFolder) -> None:
        """Decide on a job whose run was cut off by the end of the trainer."""
        if folder.result().get("published") or record.is_cancelled:
            self._conclude(record, folder, 0)
        elif record.attempt < ATTEMPTS:
            self._queue_again(record, "the trainer was killed", record.attempt)
        else:
            self._fail(record, f"the trainer was killed in each of its {ATTEMPTS} runs")

    def _folder(self, job_id: str) -> JobFolder:
        return JobFolder(self.home / job_id)

    def _with_progress(self, record: JobRecord) -> JobRecord:
        if record.state is not JobState.RUNNING:
            return record
        return record.model_copy(update={"progress": self._folder(record.id).progress()})


def _now() -> datetime:
    return datetime.now(UTC)


def _over(
    record: JobRecord, state: JobState, reason: str, problem: Problem | None = None
) -> JobRecord:
    change = {"state": state, "reason": reason, "problem": problem, "ended": _now()}
    return record.model_copy(update=change)


def _locked(path: Path) -> int:
    """Hold a lock on a file, which the system lets go when this process ends."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(file)
                raise StoreUnavailable(
                    f"another trainer works in {path.parent}.",
                    mend="Stop it, or set TIDELINE_HOME to another folder.",
                    field="home",
                ) from None
            time.sleep(0.1)
        else:
            return file

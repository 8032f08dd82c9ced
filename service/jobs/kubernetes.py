"""Jobs as Jobs of a cluster, their state in the shared store."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from service.jobs.backend import JobBackend, JobRequest, Submission, standing
from service.jobs.chapter import Chapter
from service.jobs.cluster import Cluster, ClusterError
from service.jobs.controller import Controller
from service.jobs.entry import Entry
from service.jobs.ledger import TRIES, Ledger, contended
from service.jobs.options import Options
from service.jobs.record import JobRecord, JobState
from service.jobs.remote import RemoteJobs
from service.jobs.tokens import is_token_of
from service.leaving import Leaving
from tideline.errors import JobNotFound, QueueFull, TidelineError
from tideline.progress import Progress

logger = logging.getLogger(__name__)

JOB_ID = re.compile(r"job-[0-9a-f]{20}")
RESCAN_SECONDS = 10.0
"""How often the store is asked for what another trainer has written."""
CLOSE_SECONDS = 5.0
"""How long `close` waits for what is being done; it is taken up again by the next trainer."""
DEFAULT_BUDGET = 3600.0


class KubernetesJobs(JobBackend):
    """Runs jobs as batch/v1 Jobs.

    The inputs go to the store first, then the record, then the Job is made, under a name that
    follows from the request. So a trainer that is killed between any two of these has lost
    nothing, and the next one starts nothing twice. Several trainers on one store do no harm: each
    sees within some seconds what the others have written, and of two who decide on a job one
    learns that it was not the first.

    Parameters
    ----------
    store
        The shared store.
    cluster
        The namespace of the Jobs.
    template
        The Job that each one is made from.
    leaving
        The sign that this process is about to stop: from then on no Job is made.
    """

    def __init__(
        self,
        store: RemoteJobs,
        cluster: Cluster,
        template: Mapping[str, Any],
        options: Options,
        leaving: Leaving | None = None,
    ) -> None:
        self.store = store
        self.cluster = cluster
        self.options = options
        self.leaving = leaving or Leaving()
        self.ledger = Ledger(store, options.stall_seconds, is_told=options.is_told)
        self.controller = Controller(
            self.ledger,
            cluster,
            template,
            options,
            is_leaving=lambda: self.leaving.is_set,
            is_closing=self._is_closing,
        )
        self._nudge = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    # Life

    def start(self) -> None:  # noqa: D102 - as the contract says
        self.store.make()
        self.controller.load()
        # Each thread has its own sign: one that is late to end must not begin again.
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._work, args=(self._closing,), name="jobs", daemon=True
        )
        self._thread.start()

    def close(self) -> None:  # noqa: D102 - as the contract says
        self._closing.set()
        self._nudge.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
            if self._thread.is_alive():
                logger.warning("the jobs are left while the cluster or the store is waited for")
            self._thread = None

    def _is_closing(self) -> bool:
        return self._closing.is_set()

    def _work(self, closing: threading.Event) -> None:
        rescanned = time.monotonic()
        while not closing.is_set():
            self._nudge.clear()
            try:
                if time.monotonic() - rescanned > RESCAN_SECONDS:
                    rescanned = time.monotonic()
                    self.ledger.rescan()
                self.controller.look()
            except (ClusterError, TidelineError) as error:
                logger.warning("the jobs cannot be looked at now: %s", error)
            except Exception:
                # What is wrong with one look may be right at the next; without looking, no job
                # would end.
                logger.exception("the jobs could not be looked at")
            self._nudge.wait(self.options.poll_seconds)

    # The contract

    def submit(self, request: JobRequest) -> Submission:  # noqa: D102 - as the contract says
        if (known := self._known(request)) is not None:
            return Submission(known, is_new=False)
        inputs = self.store.put_inputs(request)
        try:
            submission = self._entered(request, inputs)
        except TidelineError:
            self._take_back(request, inputs)
            raise
        if not submission.is_new:
            self.store.discard_inputs(inputs)
        return submission

    def get(self, job_id: str) -> JobRecord:  # noqa: D102 - as the contract says
        return self.ledger.record(self._entry(job_id))

    def records(self) -> tuple[JobRecord, ...]:  # noqa: D102 - as the contract says
        return tuple(self.ledger.record(entry) for entry in reversed(self.ledger.entries()))

    def chapters(self, job_id: str) -> tuple[Chapter, ...]:  # noqa: D102 - as the contract says
        entry = self._entry(job_id)
        return self.controller.logs.chapters(entry, self.controller.seen(entry))

    def cancel(self, job_id: str) -> JobRecord:  # noqa: D102 - as the contract says
        self._entry(job_id)
        # As the store has it now: another trainer may have accepted it anew.
        self.ledger.refresh(job_id)
        self.ledger.change(job_id, _told_to_stop)
        self._nudge.set()
        return self.get(job_id)

    def is_token_of(self, given: str, job_id: str) -> bool:
        """Whether a token is the one that the pod of a job was given."""
        return bool(self.options.secret) and is_token_of(given, self.options.secret, job_id)

    def tell(self, job_id: str, progress: Progress) -> None:
        """Take what the pod of a job tells of its progress.

        Raises
        ------
        JobNotFound
        """
        self.ledger.hear(self._entry(job_id), progress)

    def _entry(self, job_id: str) -> Entry:
        entry = self.ledger.find(job_id) if JOB_ID.fullmatch(job_id) else None
        if entry is None:
            raise JobNotFound(
                f"there is no job {job_id!r}.", mend="GET /jobs names the jobs.", field="id"
            )
        return entry

    # What is posted

    def _known(self, request: JobRequest) -> JobRecord | None:
        # As the store has it now: two trainers give one answer.
        entry = self.ledger.refresh(request.job_id)
        if entry is not None and standing(entry.record, request) is not None:
            return self.ledger.record(entry)
        if (waiting := len(self.controller.due())) >= self.options.queued:
            raise QueueFull(f"{waiting} jobs wait already.", mend="Try again later.")
        return None

    def _entered(self, request: JobRequest, inputs: str) -> Submission:
        for _ in range(TRIES):
            if (known := self._known(request)) is not None:
                return Submission(known, is_new=False)
            entry = self._accepted(request, inputs)
            if self.ledger.add(entry):
                self._nudge.set()
                return Submission(entry.record, is_new=True)
        raise contended(request.job_id)

    def _take_back(self, request: JobRequest, inputs: str) -> None:
        """Remove what a refused request has posted, unless its record was written after all."""
        try:
            newest = self.store.load(request.job_id)
        except TidelineError as error:
            logger.warning("the inputs in %s are left for a while: %s", inputs, error)
            return
        if newest is None or newest.inputs != inputs:
            self.store.discard_inputs(inputs)

    def _accepted(self, request: JobRequest, inputs: str) -> Entry:
        before = self.ledger.find(request.job_id)
        budget = request.spec.get("budget")
        return Entry(
            number=before.number + 1 if before else 1,
            round=before.round + 1 if before else 1,
            inputs=inputs,
            budget=float(budget) if isinstance(budget, int | float) else DEFAULT_BUDGET,
            record=JobRecord(
                id=request.job_id,
                pipeline_id=request.pipeline_id,
                state=JobState.QUEUED,
                reason=f"waits for its turn; at most {self.options.at_once} jobs run at once",
                digest=request.digest,
                created=datetime.now(UTC),
            ),
        )


def _told_to_stop(entry: Entry) -> Entry | None:
    record = entry.record
    if record.state.is_over or record.is_cancelled:
        return None
    if entry.is_made:
        told = {"is_cancelled": True, "reason": "told to stop"}
        return entry.after(record.model_copy(update=told))
    over = {"state": JobState.CANCELLED, "reason": "cancelled before it began"}
    return entry.after(record.model_copy(update={**over, "ended": datetime.now(UTC)}))

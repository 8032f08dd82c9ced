"""Jobs as Jobs of a cluster, their state in the shared store."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from service.jobs.backend import JobBackend, JobRequest, Submission
from service.jobs.chapter import Chapter, tail
from service.jobs.cluster import Cluster, ClusterError
from service.jobs.ledger import Ledger
from service.jobs.manifest import Asked, build_job
from service.jobs.observed import ClusterJob, Pod
from service.jobs.record import JobRecord, JobState, Progress
from service.jobs.remote import POSTED, SPEC, Entry, RemoteJobs
from service.jobs.tokens import is_token_of, job_token
from service.jobs.verdict import ended, is_over, ran_out_of_memory, refused, under_way
from service.leaving import Leaving
from tideline.errors import IdempotencyConflict, JobNotFound, QueueFull, TidelineError

logger = logging.getLogger(__name__)

JOB_ID = re.compile(r"job-[0-9a-f]{20}")
RESCAN_SECONDS = 10.0
"""How often the store is asked for jobs that another trainer has accepted."""
DEFAULT_BUDGET = 3600.0


@dataclass(frozen=True)
class Options:
    """How jobs are run.

    Attributes
    ----------
    image
        The image to run; empty for the template's.
    trainer_url, secret
        Where the pods tell their progress, and the key that their tokens are made with; without
        both they tell none.
    at_once, queued, kept
        How many jobs have a Job, may wait for one, and are remembered when they are over.
    poll_seconds
        How often the cluster is looked at.
    margin_seconds
        What a Job's deadline leaves for waiting, pulling and starting, beyond the budget.
    stall_seconds
        After how long without a word from its pod a job is called stalled.
    """

    image: str = ""
    trainer_url: str = ""
    secret: str = ""
    at_once: int = 20
    queued: int = 100
    kept: int = 1000
    poll_seconds: float = 2.0
    margin_seconds: float = 600.0
    stall_seconds: float = 90.0


class KubernetesJobs(JobBackend):
    """Runs jobs as batch/v1 Jobs.

    The inputs go to the store first, then the record, then the Job is made, under a name that
    follows from the request. So a trainer that is killed between any two of these has lost
    nothing, and the next one starts nothing twice. Of what is in the cluster nothing is
    remembered here that could not be seen again. Two trainers on one store, as there are for a
    moment in a rolling update, do no harm.

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
        self.template = template
        self.options = options
        self.leaving = leaving or Leaving()
        self.ledger = Ledger(store, options.stall_seconds)
        self._seen: Mapping[str, ClusterJob] = {}
        self._kept: set[str] = set()
        self._owner: dict[str, str] | None = None
        self._nudge = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    # Life

    def start(self) -> None:  # noqa: D102 - as the contract says
        self.store.make()
        self.ledger.load()
        self._closing.clear()
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def close(self) -> None:  # noqa: D102 - as the contract says
        self._closing.set()
        self._nudge.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    # The contract

    def submit(self, request: JobRequest) -> Submission:  # noqa: D102 - as the contract says
        if (known := self._known(request)) is not None:
            return Submission(known, is_new=False)
        inputs = self.store.put_inputs(request)
        while (known := self._known(request)) is None:
            entry = self._accepted(request, inputs)
            if self.ledger.add(entry):
                self._nudge.set()
                return Submission(entry.record, is_new=True)
        self.store.remove_inputs(inputs, *POSTED)
        return Submission(known, is_new=False)

    def get(self, job_id: str) -> JobRecord:  # noqa: D102 - as the contract says
        return self.ledger.record(self._entry(job_id))

    def records(self) -> tuple[JobRecord, ...]:  # noqa: D102 - as the contract says
        return tuple(self.ledger.record(entry) for entry in reversed(self.ledger.entries()))

    def chapters(self, job_id: str) -> tuple[Chapter, ...]:  # noqa: D102 - as the contract says
        entry = self._entry(job_id)
        told = {pod: Chapter(pod, text) for pod, text in self.store.logs(entry).items()}
        job = self._seen.get(_name(entry))
        for pod in job.pods if job is not None else ():
            if pod.container.has_begun and pod.name not in self._kept:
                try:
                    told[pod.name] = Chapter(pod.name, self._log(pod))
                except ClusterError as error:
                    gap = f"(the log of pod {pod.name} cannot be read now: {error})\n"
                    kept = told.get(pod.name, Chapter(pod.name, ""))
                    told[pod.name] = replace(kept, gap=gap)
        return tuple(told.values())

    def cancel(self, job_id: str) -> JobRecord:  # noqa: D102 - as the contract says
        self._entry(job_id)
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
        self.ledger.hear(self._entry(job_id).record.id, progress)

    def _entry(self, job_id: str) -> Entry:
        entry = self.ledger.find(job_id) if JOB_ID.fullmatch(job_id) else None
        if entry is None:
            raise JobNotFound(
                f"there is no job {job_id!r}.", mend="GET /jobs names the jobs.", field="id"
            )
        return entry

    def _known(self, request: JobRequest) -> JobRecord | None:
        entry = self.ledger.find(request.job_id)
        if entry is not None and entry.record.digest != request.digest:
            raise IdempotencyConflict(
                f"the idempotency key was used before, for the job {entry.record.id}, with "
                "another body.",
                mend="Use a new key for a new job.",
                field="Idempotency-Key",
            )
        again = (JobState.FAILED, JobState.CANCELLED)
        if entry is not None and (request.idempotency_key or entry.record.state not in again):
            return self.ledger.record(entry)
        if (waiting := len(self._due())) >= self.options.queued:
            raise QueueFull(f"{waiting} jobs wait already.", mend="Try again later.")
        return None

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

    # The cluster

    def _work(self) -> None:
        rescanned = time.monotonic()
        while not self._closing.is_set():
            self._nudge.clear()
            try:
                if time.monotonic() - rescanned > RESCAN_SECONDS:
                    rescanned = time.monotonic()
                    self.ledger.rescan()
                self._look()
            except (ClusterError, TidelineError) as error:
                logger.warning("the jobs cannot be looked at now: %s", error)
            except Exception:
                # What is wrong with one look may be right at the next; without looking, no job
                # would end.
                logger.exception("the jobs could not be looked at")
            self._nudge.wait(self.options.poll_seconds)

    def _look(self) -> None:
        """Bring every record up to what is in the cluster, and make the Jobs that are due."""
        seen = self._seen = self.cluster.jobs()
        for entry in self.ledger.entries():
            with _kept_apart(entry):
                self._attend(entry, seen.get(_name(entry)))
        made = [e for e in self.ledger.entries() if e.is_made and not e.record.state.is_over]
        for entry in self._due()[: max(0, self.options.at_once - len(made))]:
            if not self.leaving.is_set:
                with _kept_apart(entry):
                    self._make(entry)
        self._forget()

    def _due(self) -> list[Entry]:
        return [e for e in self.ledger.entries() if not (e.is_made or e.record.state.is_over)]

    def _attend(self, entry: Entry, job: ClusterJob | None) -> None:
        record = entry.record
        if record.state is JobState.CANCELLED and job is not None and not _is_ending(job):
            # Made by a trainer that was killed before it could write so, and then cancelled.
            self.cluster.delete(job.name)
        if record.state.is_over or not entry.is_made:
            return
        if job is None and self.cluster.job(_name(entry)) is not None:
            return  # made by another trainer since the list was read
        if job is not None:
            self._keep_logs(entry, job)
            entry = entry.seeing(job.begun)
        record = self.ledger.last_shown(entry)
        if job is None or is_over(job):
            self._conclude(entry, ended(record, job, self.store.result(entry)))
            return
        self._steer(record, job)
        if job.running is None:
            job = self.cluster.with_happenings(job)
        self.ledger.show(entry, under_way(record, job))

    def _steer(self, record: JobRecord, job: ClusterJob) -> None:
        if job.is_leaving:
            return
        if record.is_cancelled:
            self.cluster.delete(job.name)
        elif ran_out_of_memory(job):
            # The next pod would have the same limit.
            self.cluster.stop_retrying(job.name)

    def _conclude(self, entry: Entry, record: JobRecord) -> None:
        final = self.ledger.replace(entry, record)
        if final is not None and final.record.state.is_over:
            logger.info("job %s: %s, %s", record.id, final.record.state, final.record.reason)
            self.store.remove_inputs(final.inputs)

    def _make(self, entry: Entry) -> None:
        if (result := self.store.result(entry)).get("published"):
            # Its Job has come and gone while no trainer was there.
            self._conclude(entry, ended(entry.record, None, result))
            return
        try:
            self._create(entry)
        except ClusterError as error:
            if error.is_final:
                self._conclude(entry, refused(entry.record, str(error)))
                return
            reason = f"the cluster does not take its Job now: {error}"
            self.ledger.show(entry, entry.record.model_copy(update={"reason": reason}))
            return
        waits = {"reason": "waits for its pod to be made"}
        self.ledger.replace(entry, entry.record.model_copy(update=waits), is_made=True)

    def _create(self, entry: Entry) -> None:
        record, options = entry.record, self.options
        report = f"{options.trainer_url.rstrip('/')}{record.path}/progress"
        tells = bool(options.trainer_url and options.secret)
        asked = Asked(
            job_id=record.id,
            round=entry.round,
            digest=record.digest,
            spec=f"{entry.inputs}/{SPEC}",
            result=entry.result,
            store=self.store.bucket.url,
            budget=entry.budget,
            margin=options.margin_seconds,
            image=options.image,
            report=report if tells else "",
            token=job_token(options.secret, record.id) if tells else "",
            owner=self._owned_by(),
        )
        if self.cluster.create(build_job(self.template, asked)):
            logger.info("job %s: the Job %s is made", record.id, asked.name)
            return
        there = self.cluster.job(asked.name)
        if there is not None and there.digest != record.digest:
            raise ClusterError(422, f"another Job of the name {asked.name} is there")

    def _owned_by(self) -> dict[str, str] | None:
        account = self.template["spec"]["template"]["spec"].get("serviceAccountName")
        if self._owner is None and account:
            self._owner = self.cluster.owner(account)
        return self._owner

    def _keep_logs(self, entry: Entry, job: ClusterJob) -> None:
        for pod in job.pods:
            is_going = pod.is_over or pod.is_leaving or entry.record.is_cancelled
            if not (is_going and pod.container.has_begun) or pod.name in self._kept:
                continue
            try:
                self.store.keep_log(entry, pod.name, pod.created, self._log(pod))
            except ClusterError as error:
                logger.info("the log of pod %s cannot be read: %s", pod.name, error)
            if pod.is_over:
                self._kept.add(pod.name)

    def _log(self, pod: Pod) -> str:
        title = f"--- pod {pod.name}, {pod.created:%Y-%m-%d %H:%M:%S} UTC\n"
        return tail(title + self.cluster.log(pod.name))

    def _forget(self) -> None:
        over = [e.record for e in self.ledger.entries() if e.record.state.is_over]
        for record in over[: -self.options.kept]:
            self.ledger.forget(record.id)


@contextmanager
def _kept_apart(entry: Entry) -> Iterator[None]:
    """Let what is wrong with one job not keep the others from being looked at."""
    try:
        yield
    except (ClusterError, TidelineError) as error:
        logger.warning("job %s cannot be looked at now: %s", entry.record.id, error)


def _is_ending(job: ClusterJob) -> bool:
    return job.is_leaving or is_over(job)


def _name(entry: Entry) -> str:
    return Asked.name_of(entry.record.id, entry.round)


def _told_to_stop(entry: Entry) -> Entry | None:
    record = entry.record
    if record.state.is_over or record.is_cancelled:
        return None
    if entry.is_made:
        told = {"is_cancelled": True, "reason": "told to stop"}
        return entry.after(record.model_copy(update=told))
    over = {"state": JobState.CANCELLED, "reason": "cancelled before it began"}
    return entry.after(record.model_copy(update={**over, "ended": datetime.now(UTC)}))

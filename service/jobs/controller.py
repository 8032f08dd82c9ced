"""Brings the records of jobs and the Jobs of a cluster into line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from service.jobs.cluster import Cluster, ClusterError
from service.jobs.entry import Entry
from service.jobs.ledger import Ledger
from service.jobs.manifest import Asked, build_job, release_of
from service.jobs.observed import ClusterJob
from service.jobs.options import Options
from service.jobs.podlogs import PodLogs
from service.jobs.record import JobRecord, JobState
from service.jobs.tokens import job_token
from service.jobs.verdict import ended, is_hopeless, is_over, refused, under_way
from tideline.errors import TidelineError

logger = logging.getLogger(__name__)


class Controller:
    """Looks at the cluster, and does what is due; one thread does it at a time.

    Of what is in the cluster nothing is remembered here that could not be seen again.

    Parameters
    ----------
    ledger
        The jobs as they are known.
    cluster
        The namespace of the Jobs.
    template
        The Job that each one is made from.
    is_leaving, is_closing
        Whether no Job is to be made any more, for this process is about to stop; and whether
        nothing at all is to be begun.
    """

    def __init__(
        self,
        ledger: Ledger,
        cluster: Cluster,
        template: Mapping[str, Any],
        options: Options,
        *,
        is_leaving: Callable[[], bool],
        is_closing: Callable[[], bool],
    ) -> None:
        store = self.store = ledger.store
        self.ledger = ledger
        self.cluster = cluster
        self.template = template
        self.options = options
        self.is_leaving = is_leaving
        self.is_closing = is_closing
        self.release = release_of(template, store.bucket.url)
        self.logs = PodLogs(store, cluster)
        self._seen: Mapping[str, ClusterJob] = {}
        self._owner: dict[str, str] | None = None

    def load(self) -> None:
        """Take up every job in the store."""
        survey = self.ledger.load()
        for entry in self.ledger.entries():
            if entry.record.state.is_over:
                self.logs.know(survey.logs.get(entry.record.id, ()))

    def seen(self, entry: Entry) -> ClusterJob | None:
        """Return the Job of an entry as it was last seen."""
        return self._seen.get(self.name_of(entry))

    def name_of(self, entry: Entry) -> str:
        """Return the name of the Job of an entry."""
        return Asked.name_of(entry.record.id, self.release, entry.round)

    def due(self) -> list[Entry]:
        """Return the entries that wait for a Job, the oldest first."""
        return [e for e in self.ledger.entries() if not (e.is_made or e.record.state.is_over)]

    def look(self) -> None:
        """Bring every record up to what is in the cluster, and make the Jobs that are due.

        Raises
        ------
        ClusterError
            When the cluster cannot be asked; the records tell it.
        """
        try:
            self._seen = self.cluster.jobs(self.release)
        except ClusterError as error:
            self.ledger.trouble = error.in_words
            raise
        self.ledger.trouble = ""
        for entry in self.ledger.entries():
            if not self.is_closing():
                with self._kept_apart(entry):
                    self._attend(entry, self.seen(entry))
        for entry in self.due()[: self._room()]:
            if not (self.is_leaving() or self.is_closing()):
                with self._kept_apart(entry):
                    self._make(entry)
        self._tidy()

    def _room(self) -> int:
        entries = self.ledger.entries()
        made = {self.name_of(e) for e in entries if e.is_made and not e.record.state.is_over}
        due = {self.name_of(e) for e in self.due()}
        # Those of other trainers count, too, though their records may not be known here yet.
        running = {name for name, job in self._seen.items() if not _is_ending(job)}
        return max(0, self.options.at_once - len(made | (running - due)))

    @contextmanager
    def _kept_apart(self, entry: Entry) -> Iterator[None]:
        """Let what is wrong with one job not keep the others from being looked at."""
        try:
            yield
        except (ClusterError, TidelineError) as error:
            logger.warning("job %s cannot be looked at now: %s", entry.record.id, error)
            if isinstance(error, ClusterError):
                self._say(entry, error.in_words)
        except Exception:
            logger.exception("job %s could not be looked at", entry.record.id)

    def _say(self, entry: Entry, reason: str) -> None:
        if not entry.record.state.is_over:
            self.ledger.show(entry, entry.record.model_copy(update={"reason": reason}))

    # A job that has a Job

    def _attend(self, entry: Entry, job: ClusterJob | None) -> None:
        record = entry.record
        if job is not None:
            self.logs.keep(entry, job)
        if record.state is JobState.CANCELLED and job is not None and not _is_ending(job):
            # Made by a trainer that was killed before it could write so, and then cancelled.
            self.cluster.delete(job.name)
        if record.state.is_over or not entry.is_made:
            return
        if job is None and self.cluster.job(self.name_of(entry)) is not None:
            return  # made by another trainer since the list was read
        if job is not None:
            entry = entry.seeing(job.begun)
        record = self.ledger.last_shown(entry)
        if job is None or is_over(job):
            self._conclude(entry, ended(record, job, self.store.result(entry)))
            return
        self._steer(record, job)
        if job.running is None:
            job = self.cluster.with_happenings(job)
        self.ledger.show(entry, under_way(record, job))
        if job.running is not None:
            self.ledger.listen(entry)

    def _steer(self, record: JobRecord, job: ClusterJob) -> None:
        if job.is_leaving:
            return
        if record.is_cancelled:
            self.cluster.delete(job.name)
        elif is_hopeless(job):
            self.cluster.stop_retrying(job.name)

    def _conclude(self, entry: Entry, record: JobRecord) -> None:
        final = self.ledger.replace(entry, record)
        if final is not None and final.record.state.is_over:
            logger.info("job %s: %s, %s", record.id, final.record.state, final.record.reason)
            self.store.remove_inputs(final.inputs)

    # A job that is to have one

    def _make(self, known: Entry) -> None:
        # As the store has it now: another trainer may have made it, or been told to stop it.
        entry = self.ledger.refresh(known.record.id)
        if entry is None or entry.is_made or entry.record.state.is_over:
            return
        if (result := self.store.result(entry)).get("published"):
            # Its Job has come and gone while no trainer was there.
            self._conclude(entry, ended(entry.record, None, result))
            return
        try:
            is_ours = self._create(entry)
        except ClusterError as error:
            if error.is_final:
                self._conclude(entry, refused(entry.record, str(error)))
                return
            self._say(entry, f"the cluster does not take its Job now: {error}")
            return
        if not is_ours:
            logger.info("job %s: its name is taken by an earlier Job", entry.record.id)
            self.ledger.replace(entry, entry.record, round=entry.round + 1)
            return
        waits = {"reason": "waits for its pod to be made"}
        self.ledger.replace(entry, entry.record.model_copy(update=waits), is_made=True)

    def _create(self, entry: Entry) -> bool:
        """Make the Job of an entry; False where an earlier Job of this job has its name."""
        asked = self._asked(entry)
        if self.cluster.create(build_job(self.template, asked)):
            logger.info("job %s: the Job %s is made", asked.job_id, asked.name)
            return True
        there = self.cluster.job(asked.name)
        if there is None:
            raise ClusterError(409, f"a Job of the name {asked.name} was there, and is gone")
        if (there.digest, there.inputs) == (asked.digest, asked.inputs):
            return True  # made by another trainer, or by one that was killed before it wrote so
        if not (there.digest == asked.digest or _is_ending(there)):
            raise ClusterError(422, f"another Job of the name {asked.name} is there")
        # Of a time before the job was forgotten: how it ended is not how this one will.
        if not there.is_leaving:
            self.cluster.delete(there.name)
        return False

    def _asked(self, entry: Entry) -> Asked:
        record, options = entry.record, self.options
        report = f"{options.trainer_url.rstrip('/')}{record.path}/progress"
        return Asked(
            job_id=record.id,
            release=self.release,
            round=entry.round,
            digest=record.digest,
            inputs=entry.inputs,
            result=entry.result,
            store=self.store.bucket.url,
            budget=entry.budget,
            margin=options.margin_seconds,
            image=options.image,
            report=report if options.is_told else "",
            token=job_token(options.secret, record.id) if options.is_told else "",
            owner=self._owned_by(),
        )

    def _owned_by(self) -> dict[str, str] | None:
        account = self.template["spec"]["template"]["spec"].get("serviceAccountName")
        if self._owner is None and account:
            self._owner = self.cluster.owner(account)
        return self._owner

    # Jobs that are over

    def _tidy(self) -> None:
        over = [e for e in self.ledger.entries() if e.record.state.is_over]
        for entry in over[: -self.options.kept]:
            if not self.is_closing():
                with self._kept_apart(entry):
                    self._forget(entry)
        self.logs.drop({pod.name for job in self._seen.values() for pod in job.pods})

    def _forget(self, entry: Entry) -> None:
        job = self.seen(entry)
        if job is not None and not job.is_leaving:
            # Or it would be taken for that of the same job, posted again.
            self.cluster.delete(job.name)
        self.ledger.forget(entry)


def _is_ending(job: ClusterJob) -> bool:
    return job.is_leaving or is_over(job)

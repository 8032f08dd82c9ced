"""What a trainer knows of its jobs: the records in the store, and what was seen and heard since."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from service.jobs.entry import Entry
from service.jobs.record import Heard, JobRecord, JobState
from service.jobs.remote import RemoteJobs, Survey
from tideline.errors import StoreUnavailable
from tideline.progress import Progress

logger = logging.getLogger(__name__)

Change = Callable[[Entry], Entry | None]
"""Makes the next entry of one, or None where nothing is to be changed."""

TRIES = 20
"""How often a record is written anew because another trainer was quicker."""
KEEP_SECONDS = 5.0
"""At most so often the progress of a run is written to the store, or looked for there."""


class Ledger:
    """The newest entry of each job, kept in step with the store; safe to use from any thread.

    Parameters
    ----------
    store
        Where the entries are written. Other trainers may write there too.
    stall_seconds
        After how long without a word from its pod a job is called stalled.
    is_told
        Whether pods tell of their progress at all.

    Attributes
    ----------
    trouble
        Why nothing of the cluster can be seen now, in words; empty where it can.
    """

    def __init__(self, store: RemoteJobs, stall_seconds: float, *, is_told: bool = True) -> None:
        self.store = store
        self.stall_seconds = stall_seconds
        self.is_told = is_told
        self.trouble = ""
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._shown: dict[str, JobRecord] = {}
        self._heard: dict[str, Heard] = {}
        self._written: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._since = time.monotonic()

    def load(self) -> Survey:
        """Take up every job in the store, and return what the store showed."""
        self._since = time.monotonic()
        return self.rescan()

    def rescan(self) -> Survey:
        """Take up what other trainers have written since, and drop what they have removed.

        Inputs that never got a record are removed. Returns what the store showed.
        """
        known = {entry.record.id: entry for entry in self.entries()}
        survey = self.store.survey()
        for job_id, entry in known.items():
            if survey.number(job_id) < entry.number:
                self._drop(entry)
        numbers = {job_id: entry.number for job_id, entry in known.items()}
        news = [k for job, k in survey.newest.items() if survey.number(job) != numbers.get(job)]
        for entry in self.store.read(news):
            self._take(entry)
        places = {entry.record.id: entry.inputs for entry in self.entries()}
        self.store.sweep(survey, places)
        return survey

    def entries(self) -> list[Entry]:
        """Return the entries that are known, the oldest job first."""
        with self._lock:
            known = list(self._entries.values())
        return sorted(known, key=lambda entry: entry.record.created)

    def find(self, job_id: str) -> Entry | None:
        """Return the entry of a job, from the store where it is not yet known."""
        with self._lock:
            entry = self._entries.get(job_id)
        return entry or self.refresh(job_id)

    def refresh(self, job_id: str) -> Entry | None:
        """Return the entry of a job as the store now has it."""
        with self._lock:
            known = self._entries.get(job_id)
        entry = self.store.load(job_id)
        if known is not None and (entry is None or entry.number < known.number):
            # Forgotten by another trainer, and perhaps accepted anew.
            self._drop(known)
        if entry is not None:
            self._take(entry)
        return entry

    def add(self, entry: Entry) -> bool:
        """Write an entry that follows the known one; tell whether nobody else was quicker."""
        if self.store.put(entry):
            self._take(entry)
            return True
        self.refresh(entry.record.id)
        return False

    def change(self, job_id: str, change: Change) -> Entry | None:
        """Write what a change makes of the newest entry, and return what then is the newest.

        Where another trainer was quicker, the change is asked again, with that one's entry.

        Raises
        ------
        StoreUnavailable
            When another was quicker again and again.
        """
        with self._lock:
            entry = self._entries.get(job_id)
        for _ in range(TRIES):
            changed = None if entry is None else change(entry)
            if changed is None:
                return entry
            if self.add(changed):
                return changed
            entry = self.find(job_id)
        raise contended(job_id)

    def replace(self, entry: Entry, record: JobRecord, **changes: object) -> Entry | None:
        """Let a record follow an entry, unless another has followed it already.

        Returns the entry that then is the newest.
        """
        return self.change(
            record.id,
            lambda newest: (
                None if newest.number != entry.number else entry.after(record, **changes)
            ),
        )

    def show(self, entry: Entry, record: JobRecord) -> None:
        """Let a record be seen; write it, after the entry, where more than its words is new."""
        with self._lock:
            known = self._entries.get(record.id)
        if known is not None and _facts(known.record) != _facts(record):
            known = self.replace(entry, record)
        with self._lock:
            # What is shown may be older than what another thread, or trainer, has written.
            if known is not None and _facts(known.record) == _facts(record):
                self._shown[record.id] = record

    def last_shown(self, entry: Entry) -> JobRecord:
        """Return the record of an entry, with the words that were last shown."""
        with self._lock:
            shown = self._shown.get(entry.record.id, entry.record)
        return entry.record.model_copy(update={"reason": shown.reason})

    def record(self, entry: Entry) -> JobRecord:
        """Return the record of an entry as it is to be seen, with the progress of its run."""
        with self._lock:
            record = self._shown.get(entry.record.id, entry.record)
            heard = self._heard.get(record.id)
        if record.state.is_over:
            return record
        if record.state is JobState.RUNNING:
            record = record.model_copy(update=self._of_run(record, heard))
        if self.trouble:
            reason = f"{self.trouble}; before that: {record.reason}"
            return record.model_copy(update={"reason": reason})
        return record

    def _of_run(self, record: JobRecord, heard: Heard | None) -> dict[str, Any]:
        began = record.started or record.created
        # What was told before is of an earlier run.
        is_of_run = heard is not None and heard.time >= began
        shown: dict[str, Any] = {"progress": heard.progress} if heard and is_of_run else {}
        silence = (
            datetime.now(UTC) - (heard.time if heard and is_of_run else began)
        ).total_seconds()
        # While no trainer was there, nobody heard.
        listened = time.monotonic() - self._since
        if (
            min(silence, listened) > self.stall_seconds
            and (self.is_told or is_of_run)
            and not record.is_cancelled
        ):
            shown["reason"] = f"stalled: its pod has told nothing for {silence:.0f} s"
        return shown

    def hear(self, entry: Entry, progress: Progress) -> None:
        """Take what the pod of a job tells, and now and then keep it in the store."""
        heard = Heard(time=datetime.now(UTC), progress=progress)
        with self._lock:
            self._heard[entry.record.id] = heard
        if not self._is_due(self._written, entry):
            return
        try:
            self.store.keep_progress(entry, heard)
        except StoreUnavailable as error:
            logger.info("the progress of job %s is not kept now: %s", entry.record.id, error)

    def listen(self, entry: Entry) -> None:
        """Take up what another trainer has heard of a run, where this one hears nothing."""
        with self._lock:
            own = self._heard.get(entry.record.id)
        is_fresh = own and (datetime.now(UTC) - own.time).total_seconds() < KEEP_SECONDS
        if is_fresh or not self._is_due(self._looked, entry):
            return
        heard = self.store.progress(entry)
        with self._lock:
            own = self._heard.get(entry.record.id)
            if heard is not None and (own is None or own.time < heard.time):
                self._heard[entry.record.id] = heard

    def _is_due(self, done: dict[str, float], entry: Entry) -> bool:
        """Whether something is to be done again for a job, and take it that it now is."""
        now = time.monotonic()
        with self._lock:
            is_due = now - done.get(entry.record.id, -KEEP_SECONDS) >= KEEP_SECONDS
            if is_due:
                done[entry.record.id] = now
        return is_due

    def forget(self, entry: Entry) -> bool:
        """Remove a job, here and in the store; tell whether it was not asked for again."""
        if self.store.remove(entry):
            self._drop(entry)
            return True
        self.refresh(entry.record.id)
        return False

    def _take(self, entry: Entry) -> None:
        job_id = entry.record.id
        with self._lock:
            known = self._entries.get(job_id)
            if known is not None and known.number > entry.number:
                return
            self._entries[job_id] = entry
            self._shown.pop(job_id, None)
            if known is not None and known.round != entry.round:
                self._heard.pop(job_id, None)

    def _drop(self, entry: Entry) -> None:
        job_id = entry.record.id
        with self._lock:
            if self._entries.get(job_id) == entry:
                del self._entries[job_id]
                for known in (self._shown, self._heard, self._written, self._looked):
                    known.pop(job_id, None)


def contended(job_id: str) -> StoreUnavailable:
    """Return the error of one who was never the quickest."""
    return StoreUnavailable(
        f"the record of job {job_id} was written by others {TRIES} times before it could be "
        "written here.",
        mend="Try again later.",
        field="store",
    )


def _facts(record: JobRecord) -> tuple[object, ...]:
    return record.state, record.attempt, record.is_cancelled

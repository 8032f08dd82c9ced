"""What a trainer knows of its jobs: the records in the store, and what was seen and heard since."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from service.jobs.record import JobRecord, JobState, Progress
from service.jobs.remote import Entry, RemoteJobs

Change = Callable[[Entry], Entry | None]
"""Makes the next entry of one, or None where nothing is to be changed."""


class Ledger:
    """The newest entry of each job, kept in step with the store; safe to use from any thread.

    Parameters
    ----------
    store
        Where the entries are written. Another trainer may write there too.
    stall_seconds
        After how long without a word from its pod a job is called stalled.
    """

    def __init__(self, store: RemoteJobs, stall_seconds: float) -> None:
        self.store = store
        self.stall_seconds = stall_seconds
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._shown: dict[str, JobRecord] = {}
        self._heard: dict[str, tuple[float, Progress]] = {}

    def load(self) -> None:
        """Take up every job in the store."""
        for entry in self.store.load_all():
            self._take(entry)

    def rescan(self) -> None:
        """Take up the jobs that another trainer has accepted."""
        for job_id in self.store.ids() - {entry.record.id for entry in self.entries()}:
            self._reload(job_id)

    def entries(self) -> list[Entry]:
        """Return the entries that are known, the oldest job first."""
        with self._lock:
            known = list(self._entries.values())
        return sorted(known, key=lambda entry: entry.record.created)

    def find(self, job_id: str) -> Entry | None:
        """Return the entry of a job, from the store where it is not yet known."""
        with self._lock:
            entry = self._entries.get(job_id)
        return entry or self._reload(job_id)

    def add(self, entry: Entry) -> bool:
        """Write an entry that follows the known one; tell whether nobody else was quicker."""
        if self.store.put(entry):
            self._take(entry)
            return True
        self._reload(entry.record.id)
        return False

    def change(self, job_id: str, change: Change) -> Entry | None:
        """Write what a change makes of the newest entry, and return what then is the newest.

        Where another trainer was quicker, the change is asked again, with that one's entry.
        """
        with self._lock:
            entry = self._entries.get(job_id)
        while entry is not None:
            changed = change(entry)
            if changed is None:
                return entry
            if self.add(changed):
                return changed
            entry = self.find(job_id)
        return None

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
        if record.state is not JobState.RUNNING or heard is None:
            return record
        shown: dict[str, Any] = {"progress": heard[1]}
        silence = time.monotonic() - heard[0]
        if silence > self.stall_seconds and not record.is_cancelled:
            shown["reason"] = f"stalled: its pod has told nothing for {silence:.0f} s"
        return record.model_copy(update=shown)

    def hear(self, job_id: str, progress: Progress) -> None:
        """Take what the pod of a job tells."""
        with self._lock:
            self._heard[job_id] = (time.monotonic(), progress)

    def forget(self, job_id: str) -> None:
        """Remove a job, here and in the store."""
        self.store.remove(job_id)
        with self._lock:
            self._entries.pop(job_id, None)
            self._shown.pop(job_id, None)
            self._heard.pop(job_id, None)

    def _reload(self, job_id: str) -> Entry | None:
        entry = self.store.load(job_id)
        if entry is not None:
            self._take(entry)
        return entry

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


def _facts(record: JobRecord) -> tuple[object, ...]:
    return record.state, record.attempt, record.is_cancelled

"""The jobs in the shared store: what was posted, what is known, how it ended, what was said.

    jobs/<id>/inputs/<time>-<nonce>/spec.yaml, raw_data, labels    written first
    jobs/<id>/records/<number>.json                                the highest one holds
    jobs/<id>/runs/<round>/progress.json                           what it last told a trainer
    jobs/<id>/runs/<round>/result.json                             by the training program
    jobs/<id>/runs/<round>/<time>-<pod>.txt                        what a pod said

A record is never changed: the next one is created, and of two who create it one learns that it
was not the first. So nothing is locked, and two trainers do not undo each other's work. A record
that cannot be read, because it is damaged or of a later form, is left alone, with its inputs.
"""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from service.jobs.backend import JobRequest
from service.jobs.chapter import LOG_TAIL, tail
from service.jobs.ending import document_of
from service.jobs.entry import ROOT, Entry
from service.jobs.manifest import SPEC
from service.jobs.record import Heard
from tideline.errors import ModelRefused, StoreUnavailable, TidelineError
from tideline.store.bucket import BLOCK, Bucket

logger = logging.getLogger(__name__)

MAX_RECORD_BYTES = 1024 * 1024
MAX_PROGRESS_BYTES = 64 * 1024
MAX_RESULT_BYTES = 16 * 1024 * 1024
MAX_LOG_BYTES = 4 * LOG_TAIL + 64
"""Of so many characters, with the mark of what was cut."""
READERS = 8
POSTED = (SPEC, "raw_data", "labels")
STAMP = "%Y%m%dT%H%M%SZ"
HALF_ACCEPTED = timedelta(hours=1)
"""After how long inputs without a record are nobody's."""


class RecordUnreadable(StoreUnavailable):
    """The newest record of a job is damaged, or of a form that this version does not know."""


@dataclass(frozen=True)
class Survey:
    """What one listing of the store shows.

    Attributes
    ----------
    newest
        The key of the newest record of each job, by job.
    inputs
        The keys of what was posted.
    logs
        The names of the pods of which something is kept, by job.
    """

    newest: Mapping[str, str]
    inputs: tuple[str, ...]
    logs: Mapping[str, frozenset[str]]

    def number(self, job_id: str) -> int:
        """Return the number of the newest record of a job; 0 where there is none."""
        number = self.newest.get(job_id, "").rpartition("/")[2].removesuffix(".json")
        return int(number) if number.isdecimal() else 0


class RemoteJobs:
    """The jobs in a shared store; safe to use from several threads and processes.

    Raises
    ------
    StoreUnavailable
        From every method, when the store cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self.bucket = Bucket(url)
        self._unreadable: set[str] = set()

    def make(self) -> None:
        """Make the store's folder, where it is one."""
        self.bucket.make()

    def put_inputs(self, request: JobRequest) -> str:
        """Write what a run needs, before anybody knows of the job, and return where."""
        # A place of its own for each call: two bodies under one key do not mix, and the end of
        # an earlier round does not take away what the next one needs.
        place = f"{ROOT}/{request.job_id}/inputs/{datetime.now(UTC):{STAMP}}-{uuid.uuid4().hex[:8]}"
        try:
            self._put_inputs(request, place)
        except BaseException:
            self.discard_inputs(place)
            raise
        return place

    def _put_inputs(self, request: JobRequest, place: str) -> None:
        with tempfile.TemporaryDirectory(prefix="tideline-") as made:
            path = Path(made) / "part"
            spec = dict(request.spec)
            for name, part in (("raw_data", request.raw_data), ("labels", request.labels)):
                if part is not None:
                    part.save(path)
                    self.bucket.upload(f"{place}/{name}", _blocks(path))
                    path.unlink()
                    spec[name] = name
        text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
        self.bucket.upload(f"{place}/{SPEC}", [text.encode()])

    def discard_inputs(self, place: str) -> None:
        """Remove all that was posted to a place; what cannot be removed now goes later."""
        try:
            self.remove_inputs(place, *POSTED)
        except TidelineError as error:
            logger.warning("the inputs in %s are left for a while: %s", place, error)

    def put(self, entry: Entry) -> bool:
        """Write the next record, and tell whether nobody else had written one of its number.

        Raises
        ------
        TidelineError
            When it is larger than what is read again.
        """
        content = entry.model_dump_json(indent=1).encode()
        if len(content) > MAX_RECORD_BYTES:
            raise TidelineError(
                f"the record of job {entry.record.id} would have {len(content)} bytes; at most "
                f"{MAX_RECORD_BYTES} are read again."
            )
        if self.bucket.create(entry.key, content):
            return True
        # It may be ours: the answer to a first request can be lost.
        try:
            return self.bucket.read(entry.key, MAX_RECORD_BYTES) == content
        except ModelRefused:
            return False

    def survey(self) -> Survey:
        """Return what the store holds, by one listing."""
        newest: dict[str, str] = {}
        inputs = []
        logs: defaultdict[str, set[str]] = defaultdict(set)
        for key in self.bucket.keys(ROOT):
            match key.split("/"):
                case [_, job_id, "records", _]:
                    newest[job_id] = max(key, newest.get(job_id, ""))
                case [_, _, "inputs", _, _]:
                    inputs.append(key)
                case [_, job_id, "runs", _, name] if name.endswith(".txt"):
                    logs[job_id].add(_pod_of(name))
        return Survey(newest, tuple(inputs), {job: frozenset(pods) for job, pods in logs.items()})

    def load(self, job_id: str) -> Entry | None:
        """Return the newest record of a job, or None where there is none.

        Raises
        ------
        RecordUnreadable
        """
        key = max(self.bucket.keys(f"{ROOT}/{job_id}/records"), default=None)
        return None if key is None else self._read(key)

    def read(self, keys: Iterable[str]) -> list[Entry]:
        """Return records by their keys; those that cannot be read are left out, and logged."""
        with ThreadPoolExecutor(READERS) as readers:
            found = list(readers.map(self._read_or_log, keys))
        return [entry for entry in found if entry is not None]

    def _read_or_log(self, key: str) -> Entry | None:
        try:
            return self._read(key)
        except RecordUnreadable as error:
            # Once a record, however often the store is looked through.
            if key not in self._unreadable:
                logger.error("a job is left alone: %s", error)  # noqa: TRY400 - no trace is needed
            self._unreadable.add(key)
            return None

    def _read(self, key: str) -> Entry | None:
        try:
            content = self.bucket.read(key, MAX_RECORD_BYTES)
            return None if content is None else Entry.model_validate_json(content)
        except ModelRefused as error:
            raise _unreadable(key, f"it is over {MAX_RECORD_BYTES} bytes.") from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _unreadable(key, f"{place}: {first['msg']}.") from error

    def sweep(self, survey: Survey, known: Mapping[str, str]) -> None:
        """Remove inputs that never got a record.

        Parameters
        ----------
        known
            The place of the inputs of each job that is known. Of a job whose record cannot be
            read, nothing is removed.
        """
        self.bucket.remove(
            key
            for key in survey.inputs
            if _place(key) != known.get(_job(key))
            and (_job(key) in known or _job(key) not in survey.newest)
            and not _is_fresh(key)
        )

    def keep_progress(self, entry: Entry, heard: Heard) -> None:
        """Keep what a run has told of its progress, for other trainers and the next one."""
        self.bucket.upload(entry.progress, [heard.model_dump_json().encode()])

    def progress(self, entry: Entry) -> Heard | None:
        """Return what a run has last told of its progress, or None where nothing is kept."""
        try:
            content = self.bucket.read(entry.progress, MAX_PROGRESS_BYTES)
            return None if content is None else Heard.model_validate_json(content)
        except (ModelRefused, ValidationError) as error:
            logger.info("%s cannot be read: %s", entry.progress, error)
            return None

    def result(self, entry: Entry) -> Mapping[str, Any]:
        """Return what the training program wrote at its end; empty where it did not."""
        try:
            content = self.bucket.read(entry.result, MAX_RESULT_BYTES)
        except ModelRefused as error:
            # The pod's termination message tells the same in brief.
            logger.warning("the result of job %s is not read: %s", entry.record.id, error)
            return {}
        return document_of(content or b"")

    def keep_log(self, entry: Entry, pod: str, created: datetime, text: str) -> None:
        """Keep what a pod has said; again, in place of what was kept of it before."""
        key = f"{entry.runs}/{created:{STAMP}}-{pod}.txt"
        self.bucket.upload(key, [tail(text).encode()])

    def logs(self, entry: Entry) -> dict[str, str]:
        """Return what is kept of the pods of a job, the oldest first, by pod."""
        kept = {}
        for key in sorted(self.bucket.keys(entry.runs)):
            name = key.rpartition("/")[2]
            if name.endswith(".txt"):
                text = self.bucket.read(key, MAX_LOG_BYTES) or b""
                kept[_pod_of(name)] = text.decode("utf-8", errors="replace")
        return kept

    def remove_inputs(self, place: str, *names: str) -> None:
        """Remove what only a run needs."""
        self.bucket.remove(f"{place}/{name}" for name in names or ("raw_data", "labels"))

    def remove(self, entry: Entry) -> bool:
        """Remove all of a job up to a record; tell whether no other record follows that one.

        What another trainer writes meanwhile is not touched: only what was there before is, and
        none of the inputs that may just have been posted for the next round.
        """
        keys = sorted(self.bucket.keys(f"{ROOT}/{entry.record.id}"))
        if max((key for key in keys if "/records/" in key), default="") > entry.key:
            return False
        # The newest record last, so that it holds until the end.
        keys.sort(key=lambda key: ("/records/" in key, key))
        self.bucket.remove(k for k in keys if not _is_fresh(k) or _place(k) == entry.inputs)
        if self.bucket.folder is not None:
            _remove_empty(self.bucket.folder / ROOT / entry.record.id)
        return True


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _job(key: str) -> str:
    return key.split("/")[1]


def _place(key: str) -> str:
    return key.rpartition("/")[0]


def _pod_of(name: str) -> str:
    return name.removesuffix(".txt").partition("-")[2]


def _is_fresh(key: str) -> bool:
    """Whether a key is of inputs that a trainer may be about to write the record of."""
    match key.split("/"):
        case [_, _, "inputs", place, _]:
            return place >= f"{datetime.now(UTC) - HALF_ACCEPTED:{STAMP}}"
    return False


def _remove_empty(folder: Path) -> None:
    """Remove the folders that have become empty; one that something was put into stays."""
    for inner in sorted(folder.rglob("*"), reverse=True):
        if inner.is_dir():
            with suppress(OSError):
                inner.rmdir()
    with suppress(OSError):
        folder.rmdir()


def _unreadable(key: str, why: str) -> RecordUnreadable:
    return RecordUnreadable(
        f"the record {key} of the store cannot be read: {why}",
        mend="If a later version of Tideline has written it, run that version; else delete it.",
        field="store",
    )

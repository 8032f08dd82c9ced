"""The jobs in the shared store: what was posted, what is known, how it ended, what was said.

    jobs/<id>/inputs/<time>-<nonce>/spec.yaml, raw_data, labels    written first
    jobs/<id>/records/<number>.json                                the highest one holds
    jobs/<id>/runs/<round>/result.json                             by the training program
    jobs/<id>/runs/<round>/<time>-<pod>.txt                        what a pod said

A record is never changed: the next one is created, and of two who create it one learns that it
was not the first. So nothing is locked, and two trainers, as there are for a moment in a rolling
update, do not undo each other's work.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.jobs.backend import JobRequest
from service.jobs.chapter import LOG_TAIL, tail
from service.jobs.record import JobRecord
from tideline.store.bucket import BLOCK, Bucket

ROOT = "jobs"
MAX_RECORD_BYTES = 1024 * 1024
MAX_RESULT_BYTES = 16 * 1024 * 1024
READERS = 8
SPEC = "spec.yaml"
POSTED = (SPEC, "raw_data", "labels")
STAMP = "%Y%m%dT%H%M%SZ"
HALF_ACCEPTED = timedelta(hours=1)
"""After how long inputs without a record are nobody's."""


class Entry(BaseModel):
    """One record of a job in the store.

    Attributes
    ----------
    number
        Its place among the records of the job, from 1.
    round
        How many times the job was accepted: one that failed may be posted again.
    is_made
        Whether the cluster has a Job for this round, or had.
    inputs
        The key that what was posted lies under.
    pods
        The pods of this round that have begun to run; the cluster forgets those it evicts.
    budget
        The seconds that the spec allows.
    writer
        Who wrote this record: no two are the same, even if all else is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    round: int = 1
    is_made: bool = False
    inputs: str
    pods: tuple[str, ...] = ()
    budget: float
    record: JobRecord
    writer: str = Field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def runs(self) -> str:
        """The key that what this round's pods leave lies under."""
        return f"{ROOT}/{self.record.id}/runs/{self.round}"

    @property
    def result(self) -> str:
        """The key of what the training program says at its end."""
        return f"{self.runs}/result.json"

    def seeing(self, pods: Iterable[str]) -> Entry:
        """Return this entry with the pods that have begun to run by now."""
        begun = tuple(dict.fromkeys([*self.pods, *pods]))
        record = self.record.model_copy(update={"attempt": len(begun)})
        return self.model_copy(update={"pods": begun, "record": record})

    def after(self, record: JobRecord, **changes: object) -> Entry:
        """Return the entry that follows this one."""
        follows = {"number": self.number + 1, "record": record, "writer": uuid.uuid4().hex}
        return self.model_copy(update=follows | changes)


class RemoteJobs:
    """The jobs in a shared store; safe to use from several threads and processes.

    Raises
    ------
    StoreUnavailable
        From every method, when the store cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self.bucket = Bucket(url)

    def make(self) -> None:
        """Make the store's folder, where it is one."""
        self.bucket.make()

    def put_inputs(self, request: JobRequest) -> str:
        """Write what a run needs, before anybody knows of the job, and return where."""
        # A place of its own for each call: two bodies under one key do not mix, and the end of
        # an earlier round does not take away what the next one needs.
        place = f"{ROOT}/{request.job_id}/inputs/{datetime.now(UTC):{STAMP}}-{uuid.uuid4().hex[:8]}"
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
        return place

    def put(self, entry: Entry) -> bool:
        """Write the next record, and tell whether nobody else had written one of its number."""
        key = f"{ROOT}/{entry.record.id}/records/{entry.number:06d}.json"
        content = entry.model_dump_json(indent=1).encode()
        if self.bucket.create(key, content):
            return True
        # It may be ours: the answer to a first request can be lost.
        return self.bucket.read(key, MAX_RECORD_BYTES) == content

    def ids(self) -> set[str]:
        """Return the names of all jobs, and of what was left of half accepted ones."""
        return set(self.bucket.names(ROOT))

    def load(self, job_id: str) -> Entry | None:
        """Return the newest record of a job, or None where there is none that can be read."""
        return self._newest(self.bucket.keys(f"{ROOT}/{job_id}/records"))

    def load_all(self) -> list[Entry]:
        """Return the newest record of every job, and remove inputs that never got one."""
        records: defaultdict[str, list[str]] = defaultdict(list)
        inputs = []
        for key in self.bucket.keys(ROOT):
            match key.split("/"):
                case [_, job_id, "records", _]:
                    records[job_id].append(key)
                case [_, _, "inputs", _, _]:
                    inputs.append(key)
        with ThreadPoolExecutor(READERS) as readers:
            found = list(readers.map(self._newest, records.values()))
        entries = [entry for entry in found if entry is not None]
        self._sweep(inputs, {entry.inputs for entry in entries})
        return entries

    def _sweep(self, inputs: list[str], known: set[str]) -> None:
        # Another trainer may be about to write the record of what it has just uploaded.
        before = f"{datetime.now(UTC) - HALF_ACCEPTED:{STAMP}}"
        places = ((key.rpartition("/")[0], key) for key in inputs)
        self.bucket.remove(
            key for place, key in places if place not in known and place.split("/")[3] < before
        )

    def result(self, entry: Entry) -> Mapping[str, Any]:
        """Return what the training program wrote at its end; empty where it did not."""
        content = self.bucket.read(entry.result, MAX_RESULT_BYTES)
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
                text = self.bucket.read(key, 4 * LOG_TAIL) or b""
                pod = name.removesuffix(".txt").partition("-")[2]
                kept[pod] = text.decode("utf-8", errors="replace")
        return kept

    def remove_inputs(self, place: str, *names: str) -> None:
        """Remove what only a run needs."""
        self.bucket.remove(f"{place}/{name}" for name in names or ("raw_data", "labels"))

    def remove(self, job_id: str) -> None:
        """Remove all of a job; the newest record last, so that it holds until the end."""
        keys = sorted(self.bucket.keys(f"{ROOT}/{job_id}"), key=lambda k: ("/records/" in k, k))
        self.bucket.remove(keys)
        if self.bucket.folder is not None:
            # A folder goes on without its files, and would look like a job.
            shutil.rmtree(self.bucket.folder / ROOT / job_id, ignore_errors=True)

    def _newest(self, keys: Iterable[str]) -> Entry | None:
        key = max(keys, default=None)
        content = None if key is None else self.bucket.read(key, MAX_RECORD_BYTES)
        try:
            return None if content is None else Entry.model_validate_json(content)
        except ValidationError:
            return None


def document_of(content: bytes | str) -> Mapping[str, Any]:
    """Return a JSON object; empty for anything else."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block

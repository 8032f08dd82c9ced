"""One record of a job in the shared store."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from service.jobs.record import JobRecord

ROOT = "jobs"


class Entry(BaseModel):
    """One record of a job in the store. What a later version has added to it is left out.

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

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    round: int = 1
    is_made: bool = False
    inputs: str
    pods: tuple[str, ...] = ()
    budget: float
    record: JobRecord
    writer: str = Field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def key(self) -> str:
        """The key of this record."""
        return f"{ROOT}/{self.record.id}/records/{self.number:06d}.json"

    @property
    def runs(self) -> str:
        """The key that what this round's pods leave lies under."""
        return f"{ROOT}/{self.record.id}/runs/{self.round}"

    @property
    def result(self) -> str:
        """The key of what the training program says at its end."""
        return f"{self.runs}/result.json"

    @property
    def progress(self) -> str:
        """The key of what it last told of its progress."""
        return f"{self.runs}/progress.json"

    def seeing(self, pods: Iterable[str]) -> Entry:
        """Return this entry with the pods that have begun to run by now."""
        begun = tuple(dict.fromkeys([*self.pods, *pods]))
        record = self.record.model_copy(update={"attempt": len(begun)})
        return self.model_copy(update={"pods": begun, "record": record})

    def after(self, record: JobRecord, **changes: object) -> Entry:
        """Return the entry that follows this one."""
        follows = {"number": self.number + 1, "record": record, "writer": uuid.uuid4().hex}
        return self.model_copy(update=follows | changes)

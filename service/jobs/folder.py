"""The folder of a job: what was posted, what is known, what was said."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from service.jobs.backend import JobRequest
from service.jobs.chapter import CUT, LOG_TAIL
from service.jobs.record import JobRecord
from tideline.progress import Event, Progress

PROGRESS_TAIL = 32 * 1024
"""Room for two of the largest events, of which the last may be half written."""
INPUTS = ("raw_data", "labels")


class JobFolder:
    """The files of one job.

    `spec.yaml`, `raw_data` and `labels` are what the training program reads; `result.json`,
    `progress.jsonl` and `log.txt` are what it writes; `job.json` is the record. The inputs are
    removed when the job is over.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, request: JobRequest, store: str) -> None:
        """Write what a run needs: the inputs, and the spec that names them."""
        self.path.mkdir(parents=True)
        spec = dict(request.spec) | {"raw_data": "raw_data", "store": store}
        request.raw_data.save(self.path / "raw_data")
        if request.labels is not None:
            request.labels.save(self.path / "labels")
            spec["labels"] = "labels"
        text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
        (self.path / "spec.yaml").write_text(text, encoding="utf-8")

    def write_record(self, record: JobRecord) -> None:
        """Write the record: after a crash the old one is there, or the new one."""
        new = self.path / ".job.json"
        with new.open("w", encoding="utf-8") as file:
            file.write(record.model_dump_json(indent=1, exclude={"progress"}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path / "job.json")

    def read_record(self) -> JobRecord | None:
        """Return the record, or None where it cannot be read."""
        try:
            return JobRecord.model_validate_json((self.path / "job.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def progress(self) -> Progress | None:
        """Return what the run last told of itself."""
        # The last line may be half written: the last whole one counts.
        whole = _tail(self.path / "progress.jsonl", PROGRESS_TAIL).rpartition(b"\n")[0]
        try:
            return Event.model_validate_json(whole.rpartition(b"\n")[2]).progress
        except ValidationError:
            return None

    def result(self) -> Mapping[str, Any]:
        """Return what the run wrote at its end; empty where it did not get there."""
        try:
            found = json.loads((self.path / "result.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def logs(self) -> str:
        """Return what the runs have said; of a very long log the last lines."""
        said = _tail(self.path / "log.txt", LOG_TAIL + 1)
        text = said.decode("utf-8", errors="replace")
        return text if len(said) <= LOG_TAIL else CUT + text.partition("\n")[2]

    def begin_run(self, title: str) -> None:
        """Remove what an earlier run has left, and open a new chapter in the log."""
        for name in ("result.json", "progress.jsonl"):
            (self.path / name).unlink(missing_ok=True)
        with (self.path / "log.txt").open("a", encoding="utf-8") as log:
            log.write(f"--- {title}\n")

    def remove_inputs(self) -> None:
        """Remove what only a run needs."""
        for name in INPUTS:
            (self.path / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)


def _tail(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - size))
            return file.read()
    except FileNotFoundError:
        return b""

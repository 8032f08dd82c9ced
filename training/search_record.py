"""The record of a search, as the run reads it while it grows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any


class Record:
    """The lines that a search has written so far; each is read once.

    Attributes
    ----------
    began
        Whether the search has begun.
    results
        A mapping for each pipeline that was evaluated: `pipeline`, `result`, and `file` where it
        was the best of its time.
    failures
        How often each failure happened, in words.
    """

    def __init__(self, path: Path) -> None:
        self.began = False
        self.results: list[dict[str, Any]] = []
        self.failures: Counter[str] = Counter()
        self._path = path
        self._offset = 0

    def catch_up(self) -> None:
        """Read what was written since."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        # What follows the last line break is being written, or never was written to its end.
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))

    def account(self) -> str:
        """Return how many pipelines were evaluated and how many failed, and the commonest why."""
        told = f"{len(self.results)} pipelines evaluated"
        if not self.failures:
            return told
        commonest = self.failures.most_common(1)[0][0]
        return f"{told}, {self.failures.total()} failed; most often: {commonest}"

    @property
    def is_poor(self) -> bool:
        """Whether the account belongs in the model's record: nothing, or more failures than not."""
        return not self.results or self.failures.total() > len(self.results)

    def _take(self, entry: dict[str, Any]) -> None:
        if "failure" in entry:
            self.failures[entry["failure"]] += 1
        elif "result" in entry:
            self.results.append(entry)
        else:
            self.began = True

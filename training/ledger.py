"""The ledger of a run: every trial and its answers, on disk as soon as they are known.

A run that was killed and is started again reads it, and evaluates nothing twice.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from training.fold import Answers
from training.trial import Trial

TRIALS = "trials.jsonl"
MAIN = "main"
"""The part of the cases that the model is chosen on; others are outer folds."""


class Ledger:
    """The trials of a run, by part and candidate.

    Parameters
    ----------
    folder
        Gets `trials.jsonl`, a line a trial, and a `.npy` of answers for each that succeeded.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, str], tuple[Trial, Answers | None]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._read()

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that the model was chosen by, in the order in which they were known."""
        return tuple(trial for (part, _), (trial, _) in self._known.items() if part == MAIN)

    @property
    def failures(self) -> Counter[str]:
        """How often each failure happened among `trials`, in words."""
        return Counter(trial.failure for trial in self.trials if trial.failure is not None)

    def find(self, part: str, key: str) -> tuple[Trial, Answers | None] | None:
        """Return what is known of a candidate, if anything."""
        return self._known.get((part, key))

    def record(self, part: str, trial: Trial, answers: Answers | None) -> None:
        """Keep a trial: its answers first, so that no line is without them."""
        if answers is not None:
            draft = self._folder / f".{part}-{trial.key}.npy"
            np.save(draft, answers)
            draft.replace(self._answers(part, trial.key))
        line = json.dumps({"part": part, **asdict(trial)}) + "\n"
        with (self._folder / TRIALS).open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._known[part, trial.key] = (trial, answers)

    def _answers(self, part: str, key: str) -> Path:
        return self._folder / f"{part}-{key}.npy"

    def _read(self) -> None:
        path = self._folder / TRIALS
        if not path.exists():
            return
        content = path.read_bytes()
        # What follows the last line break was not written to its end: a new line is begun there.
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            # In place: a run that is killed meanwhile loses no other line.
            os.truncate(path, len(whole))
        for line in whole.splitlines():
            self._take(json.loads(line))

    def _take(self, told: dict[str, Any]) -> None:
        part = told.pop("part")
        trial = Trial(**{**told, "fold_scores": tuple(told["fold_scores"])})
        answers, path = None, self._answers(part, trial.key)
        if trial.failure is None:
            if not path.exists():
                return  # a copy of the folder was made between the two: it is evaluated again
            answers = np.load(path)
        self._known[part, trial.key] = (trial, answers)

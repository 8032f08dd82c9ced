"""The ledger of a run: every trial and its answers, on disk as soon as they are known.

A run that was killed and is started again reads it, and evaluates nothing twice.
"""

from __future__ import annotations

import json
import os
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from training.candidate import Candidate, Step
from training.fold import Answers
from training.recipes import Recipes
from training.trial import Trial

TRIALS = "trials.jsonl"
SEARCHED = ".searched"
"""The end of an empty file's name that says so of a part."""
MAIN = "main"
"""The part of the cases that the model is chosen on; others are outer folds."""
MOST_RECALLED = 200
"""Candidates of an earlier start that are read again, a few milliseconds each: many times as many
as a choice looks at."""
MAPPED = 2**15
"""Bytes of answers from which on they are mapped."""
_TRIAL = TypeAdapter(Trial)
_KEYS = {"part", *(field.name for field in fields(Trial))}


class Ledger:
    """The trials of a run, by part and candidate.

    Parameters
    ----------
    folder
        Gets `trials.jsonl`, a line a trial; for each that succeeded a `.npy` of answers; and for
        each that TPOT proposed its steps, see `training.recipes`.
        A line or answers that are damaged are as if they were not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, str], tuple[Trial, Answers | None]] = {}
        self._main: dict[str, Trial] = {}
        self._failures: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True)
        self._recipes = Recipes(folder / "steps")
        self._read()

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that the model was chosen by, in the order in which they were known."""
        return tuple(self._main.values())

    @property
    def n_trials(self) -> int:
        """How many `trials` there are."""
        return len(self._main)

    @property
    def failures(self) -> Counter[str]:
        """How often each failure happened among `trials`, in words."""
        return self._failures.copy()

    def end_search(self, part: str) -> None:
        """Keep that the search on a part has come to its end."""
        (self._folder / f"{part}{SEARCHED}").touch()

    def has_searched(self, part: str) -> bool:
        """Tell whether a search on a part has come to its end, at this start or an earlier one."""
        return (self._folder / f"{part}{SEARCHED}").exists()

    def find(self, part: str, key: str) -> tuple[Trial, Answers | None] | None:
        """Return what is known of a candidate, if anything."""
        return self._known.get((part, key))

    def proposed(self, part: str) -> Iterator[Candidate]:
        """Yield what TPOT has proposed for a part and what has scores, the best first.

        One whose steps are lost or damaged is left out; so are all but the best `MOST_RECALLED`.
        """
        trials = [
            trial
            for (where, _), (trial, _) in self._known.items()
            if where == part and trial.origin == "search" and trial.failure is None
        ]
        for trial in sorted(trials, key=lambda trial: -trial.score)[:MOST_RECALLED]:
            candidate = self._recipes.find(trial.key)
            if candidate is not None:
                yield candidate

    def refused(self, part: str) -> list[Trial]:
        """Return the trials of what TPOT has proposed for a part and what has no score."""
        return [
            trial
            for (where, _), (trial, _) in self._known.items()
            if where == part and trial.origin == "search" and trial.failure is not None
        ]

    def record(
        self, part: str, trial: Trial, answers: Answers | None, steps: tuple[Step, ...] = ()
    ) -> Answers | None:
        """Keep a trial: its answers, and what TPOT proposed, first: no line is without them.

        Parameters
        ----------
        answers
            None for a trial that failed.
        steps
            Of the candidate.

        Returns
        -------
        float32 array of the answers' shape, or None
            The answers; those that are large are mapped, so that memory holds none of them.
        """
        if answers is not None:
            if trial.origin == "search" and steps:
                self._recipes.keep(trial.key, steps)
            draft = self._folder / f".{part}-{trial.key}.npy"
            with draft.open("wb") as file:
                np.save(file, answers)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._answers(part, trial.key))
            answers = _loaded(self._answers(part, trial.key))
        line = json.dumps({"part": part, **asdict(trial)}) + "\n"
        with (self._folder / TRIALS).open("a", encoding="utf-8") as lines:
            lines.write(line)
            lines.flush()
            os.fsync(lines.fileno())
        self._keep(part, trial, answers)
        return answers

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
            told = _told(line)
            if told is not None:
                self._take(*told)

    def _take(self, part: str, trial: Trial) -> None:
        answers = None
        if trial.failure is None:
            answers = _loaded(self._answers(part, trial.key))
            if answers is None:
                return  # damaged, or a copy was made between the two: it is evaluated again
        self._keep(part, trial, answers)

    def _keep(self, part: str, trial: Trial, answers: Answers | None) -> None:
        """Know a trial, and count it: what is told after each trial is not counted anew."""
        self._known[part, trial.key] = (trial, answers)
        if part != MAIN:
            return
        before = self._main.get(trial.key)
        self._main[trial.key] = trial
        if before is not None and before.failure is not None:
            self._failures -= Counter([before.failure])
        if trial.failure is not None:
            self._failures[trial.failure] += 1


def _told(line: bytes) -> tuple[str, Trial] | None:
    """Return the part and the trial of a line, or None where it does not say them."""
    try:
        told = json.loads(line)
        if not isinstance(told, dict) or not told.keys() <= _KEYS:
            return None
        part = told.pop("part", None)
        return (part, _TRIAL.validate_python(told)) if isinstance(part, str) else None
    except (ValueError, RecursionError):
        return None


def _loaded(path: Path) -> Answers | None:
    """Return the answers in a file, or None where it is not there or holds none."""
    try:
        # A system maps so many files and no more: small ones are read.
        is_large = path.stat().st_size >= MAPPED
        answers: Answers = np.lib.format.open_memmap(path, mode="r") if is_large else _read(path)
    except (OSError, ValueError, EOFError, MemoryError, SyntaxError, tokenize.TokenError):
        return None
    return answers if answers.dtype == np.float32 and answers.ndim == 2 else None


def _read(path: Path) -> Answers:
    with path.open("rb") as file:
        answers: Answers = np.lib.format.read_array(file, allow_pickle=False)
    return answers

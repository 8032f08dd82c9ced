"""The cases that were held out, with the truth and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tideline.panel import Panel
from tideline.wording import counted
from training.findings import Findings
from training.report.words import cut, number

FloatArray = NDArray[np.float64]

LONGEST_NAME = 40


@dataclass(frozen=True, eq=False)
class Answered:
    """Cases, what they are, and what was answered.

    Attributes
    ----------
    panel
        Of all cases.
    positions : intp array of shape (n,)
        The cases of the panel that were answered for.
    names : tuple of str
        Of the classes, cut to what a page can show; empty for regression.
    truth : int64 array of shape (n,) of positions in `names`, or float64 array of values
    probabilities : float64 array of shape (n, n_classes), or None for regression
    values : float64 array of shape (n,), or None for classification
    how
        In words, on what cases: `37 held-out cases`.
    """

    panel: Panel
    positions: NDArray[np.intp]
    names: tuple[str, ...]
    truth: NDArray[np.int64] | FloatArray
    probabilities: FloatArray | None
    values: FloatArray | None
    how: str

    @classmethod
    def of(cls, findings: Findings) -> Answered | None:
        """Return what was answered in a run; None where no case was spared for it."""
        answers, positions = findings.answers, findings.positions
        if answers is None or not positions.size:
            return None
        is_outer = findings.document.scores.held_out_by == "outer folds"
        kind = "case of the outer folds" if is_outer else "held-out case"
        kinds = "cases of the outer folds" if is_outer else "held-out cases"
        return cls(
            findings.panel,
            positions,
            tuple(cut(label, LONGEST_NAME) for label in findings.target.classes),
            findings.target.y[positions],
            answers.probabilities,
            answers.values,
            counted(positions.size, kind, kinds),
        )

    @property
    def n_classes(self) -> int:
        """The number of classes; 0 for regression."""
        return len(self.names)

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The classes answered, int64 array of shape (n,); empty for regression."""
        if self.probabilities is None:
            return np.empty(0, dtype=np.int64)
        codes: NDArray[np.int64] = self.probabilities.argmax(axis=1).astype(np.int64)
        return codes

    @property
    def chances(self) -> FloatArray:
        """The probabilities; a regression has none to ask for.

        Raises
        ------
        ValueError
            When the answers are of a regression.
        """
        if self.probabilities is None:
            raise ValueError("answers of classes expected")
        return self.probabilities

    def told_truth(self, row: int) -> str:
        """Return what a case is, as the page shows it."""
        value = self.truth[row]
        return self.names[int(value)] if self.names else number(float(value))

    def told_answer(self, row: int) -> str:
        """Return what was answered for a case, as the page shows it."""
        if self.values is not None:
            return number(float(self.values[row]))
        return self.names[int(self.codes[row])]

"""What is to be learned: classes or a number, and the labels as an estimator takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tideline.errors import LabelError
from tideline.labels import Label
from tideline.panel import named
from tideline.pipeline import Task

MANY_CLASSES = 50
"""Whole numbers with more different values than this, most of them rare, are no classes."""
LEAST_CASES = 6


@dataclass(frozen=True)
class Target:
    """The labels of a panel's cases, in the panel's order.

    Attributes
    ----------
    task
        `classification` or `regression`.
    classes : tuple of str, int, float or bool
        The classes in sorted order; empty for regression.
    y : int64 or float64 array of shape (n_cases,)
        Positions in `classes`, or the values.
    """

    task: Task
    classes: tuple[Label, ...]
    y: NDArray[np.int64] | NDArray[np.float64]

    @property
    def n_classes(self) -> int:
        """The number of classes; 0 for regression."""
        return len(self.classes)

    def take(self, positions: NDArray[np.intp]) -> Target:
        """Return the labels of some of the cases."""
        return replace(self, y=self.y[positions])

    @classmethod
    def from_labels(cls, values: Sequence[Label], task: Task) -> Target:
        """Encode the labels, or refuse what nothing can be learned from.

        Raises
        ------
        LabelError
            For fewer than six cases, one class only, a class with one member, or a label that is
            not a finite number where a number is to be predicted.
        """
        if len(values) < LEAST_CASES:
            raise LabelError(
                f"{len(values)} labelled cases were found; at least {LEAST_CASES} are needed.",
                mend="Add labelled cases.",
                field="labels",
            )
        if task == "regression":
            return cls(task, (), _numbers(values))
        classes = _sorted_classes(values)
        position = {label: i for i, label in enumerate(classes)}
        return cls(task, classes, np.array([position[v] for v in values], dtype=np.int64))


def decide_task(known: Task | None, values: Sequence[Label]) -> tuple[Task, str]:
    """Return the task and, in words, why it is that one.

    Parameters
    ----------
    known
        What the spec says or implies, if it does.
    values
        The labels, looked at otherwise: names are classes, numbers with fractions are values, and
        whole numbers are classes unless there are very many.
    """
    if known is not None:
        return known, "the spec says so"
    return _task_of_labels(values)


def _task_of_labels(values: Sequence[Label]) -> tuple[Task, str]:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):
        return "classification", "the labels are names"
    if any(isinstance(v, float) and not v.is_integer() for v in numbers):
        return "regression", "the labels are numbers with fractions"
    distinct = len(set(numbers))
    if distinct > MANY_CLASSES and distinct > len(numbers) / 2:
        return "regression", f"the labels are {distinct} different numbers"
    return "classification", f"the labels are {distinct} different whole numbers"


def _numbers(values: Sequence[Label]) -> NDArray[np.float64]:
    wrong = [v for v in values if isinstance(v, str | bool)]
    if wrong:
        raise LabelError(
            f"{len(wrong)} labels are not numbers: {named(wrong)}; regression predicts a number.",
            mend="Send numbers, or set task: classification.",
            field="labels",
        )
    y = np.array([float(v) for v in values], dtype=np.float64)
    if not np.isfinite(y).all():
        raise LabelError(
            f"{int((~np.isfinite(y)).sum())} labels are not finite numbers.",
            mend="Leave these cases out.",
            field="labels",
        )
    if np.ptp(y) == 0:
        raise LabelError(
            f"every label is {float(y[0])!r}; there is nothing to learn from one value.",
            mend="Send cases with different values.",
            field="labels",
        )
    return y


def _sorted_classes(values: Sequence[Label]) -> tuple[Label, ...]:
    counts = Counter(values)
    if len(counts) < 2:
        raise LabelError(
            f"every case has the label {values[0]!r}; at least two classes are needed.",
            mend="Add cases of another class.",
            field="labels",
        )
    # Labels are of one kind, so one half of the key is the same for all.
    classes = tuple(
        sorted(counts, key=lambda v: (v, 0.0) if isinstance(v, str) else ("", float(v)))
    )
    lonely = [c for c in classes if counts[c] < 2]
    if lonely:
        raise LabelError(
            f"{len(lonely)} classes have one member only: {named(lonely)}; "
            "a class needs at least two, one to learn from and one to be tested on.",
            mend="Add cases of these classes, or leave them out.",
            field="labels",
        )
    return classes

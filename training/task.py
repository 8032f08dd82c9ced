"""What is to be learned: classes or a number, and the labels as an estimator takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from tideline.labels import Label, Task

if TYPE_CHECKING:
    from tideline.spec import TrainingSpec

MANY_CLASSES = 50
"""Whole numbers with more different values than this, most of them rare, are no classes."""


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
    weights : "balanced", tuple of float of length n_classes, or None
        What a case of each class weighs in a fit: the same in sum, so much, or 1.
    """

    task: Task
    classes: tuple[Label, ...]
    y: NDArray[np.int64] | NDArray[np.float64]
    weights: Literal["balanced"] | tuple[float, ...] | None = None

    @property
    def n_classes(self) -> int:
        """The number of classes; 0 for regression."""
        return len(self.classes)

    def weights_of(self, positions: NDArray[np.intp]) -> NDArray[np.float64] | None:
        """Return what each of some cases weighs in a fit to them; None where all weigh the same."""
        if self.weights is None:
            return None
        codes = self.y[positions].astype(np.intp)
        if self.weights == "balanced":
            counts = np.bincount(codes, minlength=self.n_classes)
            balanced: NDArray[np.float64] = codes.size / np.count_nonzero(counts) / counts[codes]
            return balanced
        return np.array(self.weights)[codes]

    def take(self, positions: NDArray[np.intp]) -> Target:
        """Return the labels of some of the cases."""
        return replace(self, y=self.y[positions])

    @classmethod
    def from_labels(cls, values: Sequence[Label], task: Task) -> Target:
        """Encode labels that `Labels.require_classes` has let pass."""
        if task == "regression":
            return cls(task, (), np.array([float(v) for v in values], dtype=np.float64))
        # Labels are of one kind, so one half of the key is the same for all.
        classes = tuple(
            sorted(set(values), key=lambda v: (v, 0.0) if isinstance(v, str) else ("", float(v)))
        )
        position = {label: i for i, label in enumerate(classes)}
        return cls(task, classes, np.array([position[v] for v in values], dtype=np.int64))


def decide_task(spec: TrainingSpec, held: Task | None, values: Sequence[Label]) -> tuple[Task, str]:
    """Return the task and, in words, why it is that one.

    Parameters
    ----------
    spec
        Decides, where it says the task or its model or its metric implies it.
    held
        What the file says of the labels that it holds, if it does; None for other labels.
    values
        The labels, looked at last: names are classes, numbers with fractions are values, and
        whole numbers are classes unless there are very many.
    """
    if spec.known_task is not None:
        return spec.known_task, _why(spec)
    if held is not None:
        return held, "the header of the data says so"
    return _task_of_labels(values)


def _why(spec: TrainingSpec) -> str:
    if spec.task != "auto":
        return "the spec says so"
    wanted = spec.model_training
    return f"the {f'model {wanted.model}' if wanted.model else f'metric {wanted.metric}'} is for it"


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

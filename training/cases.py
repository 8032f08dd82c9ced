"""The cases that a run learns from: read, checked and split, before anything is spent on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.errors import LabelError, SpecError
from tideline.groups import case_groups
from tideline.labels import Label, Labels
from tideline.panel import Panel
from tideline.readers import read_labels, read_panel
from tideline.readers.reading import Reading
from tideline.spec import ModelTrainingSpec
from tideline.spec.class_weight import weight_of_class
from tideline.wording import counted
from training.case_order import case_order
from training.inputs import bare, read_input
from training.split import Split, split_cases
from training.task import Target, decide_task

if TYPE_CHECKING:
    from training.run import Run

BINARY_ONLY = frozenset({"average_precision", "f1", "precision", "recall"})


@dataclass(frozen=True, eq=False)
class Cases:
    """The training data.

    Attributes
    ----------
    panel : Panel
    target : Target
        The labels of its cases, in its order.
    groups : int64 array of shape (n_cases,) or None
        Which cases belong together, where the spec asks for it.
    """

    panel: Panel
    target: Target
    groups: NDArray[np.int64] | None = None


def read(run: Run) -> Cases:
    """Read the series and the labels, and refuse what nothing can be learned from.

    Raises
    ------
    TidelineError
        One of its kinds, that says what was found, what is expected, and how to mend it.
    """
    spec, journal = run.spec, run.journal
    for notice in spec.notices:
        journal.say(f"notice: {notice}")
    spec.require_local()
    journal.enter("read", f"reading {PurePosixPath(bare(str(spec.raw_data))).name}")
    content = read_input(str(spec.raw_data), run.folder, "raw_data")
    reading = read_panel(content, spec.roles)
    labels = _labels(run, reading.labels)
    panel = reading.panel
    panel.require_usable()
    panel.require_differing()
    values = labels.aligned_to(panel)
    task, reason = decide_task(spec, reading.task if spec.labels is None else None, values)
    labels.require_classes(task)
    target = _weighed(Target.from_labels(values, task), spec.model_training, values)
    require_metric(target, spec.model_training)
    cases = Cases(panel, target)
    cases = replace(cases, groups=_groups(spec.group_id, cases, labels, reading, values))
    classes = f" of {target.n_classes} classes" if target.n_classes else ""
    channels = counted(len(panel.channels), "channel")
    journal.say(f"{panel.n_cases} cases{classes}, {channels}; {task}: {reason}", 1.0)
    return cases


def split_off(run: Run, cases: Cases) -> Split:
    """Hold a part out, or cut outer folds; and cut what is learned from into folds."""
    wanted = run.spec.model_training
    run.journal.enter("split", "splitting")
    rank = None
    if wanted.split == "time":
        rank, told = case_order(cases.panel)
        run.journal.notice(f"{told}.")
    split = split_cases(
        cases.target,
        wanted.test_fraction,
        wanted.cv,
        wanted.random_state,
        groups=cases.groups,
        rank=rank,
    )
    run.journal.say(
        f"{split.train.size} cases to learn from in {split.n_folds} folds, "
        f"{split.held_out.size} held out"
    )
    if split.note:
        run.journal.notice(f"{split.note}.")
    return split


def require_metric(target: Target, spec: ModelTrainingSpec) -> None:
    """Refuse a metric of two classes where there are more.

    Raises
    ------
    SpecError
        With the metrics that would do.
    """
    if target.n_classes > 2 and spec.metric in BINARY_ONLY:
        raise SpecError(
            f"metric is {spec.metric!r}, which is for two classes; there are {target.n_classes}.",
            mend="Choose accuracy, balanced_accuracy, f1_macro, neg_log_loss or roc_auc.",
            field="model_training.metric",
        )


def _labels(run: Run, held: Labels | None) -> Labels:
    spec = run.spec
    if spec.labels is not None:
        content = read_input(spec.labels, run.folder, "labels")
        return read_labels(
            content, spec.extract_features.column_id, spec.column_label, spec.group_id
        )
    if held is None:
        raise LabelError(
            "the spec names no labels, and the data holds none.",
            mend="Set labels to a file or a URL; only .ts files hold their own.",
            field="labels",
        )
    return held


def _weighed(target: Target, wanted: ModelTrainingSpec, values: tuple[Label, ...]) -> Target:
    """Return the target with the weights of the spec."""
    wanted.require_known_classes(values, target.task)
    given = wanted.class_weight
    if not isinstance(given, dict):
        return replace(target, weights=given)
    by_class = weight_of_class(given, target.classes)
    return replace(target, weights=tuple(by_class[label] for label in target.classes))


def _groups(
    column: str | None, cases: Cases, labels: Labels, reading: Reading, values: tuple[Label, ...]
) -> NDArray[np.int64] | None:
    if column is None:
        return None
    groups = case_groups(column, cases.panel, labels.groups, reading.groups)
    groups.require_classes(values, cases.target.task)
    return groups.codes

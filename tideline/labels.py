"""Labels: what is known of each case, matched to the cases by id and never by position."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from tideline.errors import LabelError
from tideline.panel import CaseId, Panel, case_key, named
from tideline.wording import counted

if TYPE_CHECKING:
    from tideline.groups import GroupColumn

Task = Literal["classification", "regression"]
"""What there is to learn of the labels: which class, or which number."""

Label = str | int | float | bool
"""A class (text, a whole number or a boolean) or a regression target (a number)."""

LONGEST_LABEL = 1000
"""Characters of a class's name: it is told in answers, records and messages."""

LEAST_CASES = 6
"""The fewest labelled cases that anything is learned from."""


@dataclass(frozen=True)
class Labels:
    """One label a case.

    Attributes
    ----------
    ids : tuple of str, int, float or bool
        The labelled cases, as the file of labels spells them.
    values : tuple of str, int, float or bool
        Their labels, in the order of `ids`; all text, all numbers or all booleans.
    groups : GroupColumn or None
        What the table of labels says of the groups, where it was asked for them.

    Raises
    ------
    LabelError
        When the labels are of several kinds, or one is a text over `LONGEST_LABEL` characters.
    """

    ids: tuple[CaseId, ...]
    values: tuple[Label, ...]
    groups: GroupColumn | None = None

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.values):
            raise ValueError(f"labels: {len(self.ids)} ids for {len(self.values)} values")
        first_of = {_kind(value): value for value in reversed(self.values)}
        if len(first_of) > 1:
            found = " and ".join(f"{kind} ({value!r})" for kind, value in sorted(first_of.items()))
            raise LabelError(
                f"the labels are of several kinds: {found}; one kind is expected.",
                mend="Write all labels as text, all as numbers or all as booleans.",
                field="labels",
            )

        longest = max((len(v) for v in self.values if isinstance(v, str)), default=0)
        if longest > LONGEST_LABEL:
            raise LabelError(
                f"a label has {longest} characters; at most {LONGEST_LABEL} are taken.",
                mend="Name the classes by short texts or whole numbers.",
                field="labels",
            )

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The ids as text, which is how they are matched to the cases."""
        return tuple(case_key(i) for i in self.ids)

    def aligned_to(self, panel: Panel) -> tuple[Label, ...]:
        """Return the label of each case, in the panel's order.

        Raises
        ------
        LabelError
            When a case has no label or several, or a label has no case; the first ten are named.
        """
        self._require_distinct()
        label_of = dict(zip(self.keys, self.values, strict=True))
        case_keys = set(panel.keys)
        missing = [i for i, key in zip(panel.ids, panel.keys, strict=True) if key not in label_of]
        surplus = [i for i, key in zip(self.ids, self.keys, strict=True) if key not in case_keys]
        if missing or surplus:
            raise LabelError(
                f"the labels do not fit the data: {_account(missing, surplus)}.",
                mend="Send one label for each case of raw_data, under the same id, and no other.",
                field="labels",
            )
        return tuple(label_of[key] for key in panel.keys)

    def require_classes(self, task: Task | None) -> None:
        """Refuse labels that nothing can be learned from.

        Parameters
        ----------
        task
            What is to be learned, or None where that is not decided: then only what is wrong in
            both cases is refused.

        Raises
        ------
        LabelError
            For fewer than `LEAST_CASES` cases, or one value only. For classes, also when one has
            a single member; for regression, when a label is not a finite number.
        """
        if len(self.values) < LEAST_CASES:
            raise LabelError(
                f"{counted(len(self.values), 'labelled case was', 'labelled cases were')} found; "
                f"at least {LEAST_CASES} are needed.",
                mend="Add labelled cases.",
                field="labels",
            )
        if task == "regression":
            self._require_numbers()
        if len(set(self.values)) < 2:
            what = "values" if task == "regression" else "classes"
            raise LabelError(
                f"every case has the label {self.values[0]!r}; at least two {what} are needed.",
                mend="Add cases with other labels.",
                field="labels",
            )
        if task == "classification" or (task is None and not is_number(self.values[0])):
            self._require_company()

    def _require_numbers(self) -> None:
        wrong = [v for v in self.values if not is_number(v)]
        if wrong:
            raise LabelError(
                f"{counted(len(wrong), 'label is no number', 'labels are not numbers')}: "
                f"{named(wrong)}; regression predicts a number.",
                mend="Send numbers; for classes, set task: classification and a metric of classes.",
                field="labels",
            )
        infinite = [
            i for i, v in zip(self.ids, self.values, strict=True) if not math.isfinite(float(v))
        ]
        if infinite:
            raise LabelError(
                f"{counted(len(infinite), 'case has', 'cases have')} a label that is not a finite "
                f"number: {named(infinite)}.",
                mend="Leave these cases out.",
                field="labels",
            )

    def _require_company(self) -> None:
        lonely = [label for label, count in Counter(self.values).items() if count < 2]
        if lonely:
            raise LabelError(
                f"{counted(len(lonely), 'class', 'classes')} with one member only: "
                f"{named(lonely)}; "
                "a class needs at least two, one to learn from and one to be tested on.",
                mend="Add cases of these classes, or leave them out.",
                field="labels",
            )

    def _require_distinct(self) -> None:
        counts = Counter(self.keys)
        repeated = [key for key, count in counts.items() if count > 1]
        if repeated:
            raise LabelError(
                f"more than one label for {counted(len(repeated), 'id')}: {named(repeated)}; "
                "ids are compared as text, so that 7 and '7' are one.",
                mend="Keep one label for each id.",
                field="labels",
            )


def is_number(value: Label) -> bool:
    """Whether a label is a number, which may be a class or a value; a boolean is none."""
    return _kind(value) == "numbers"


def _kind(value: Label) -> str:
    if isinstance(value, bool):
        return "booleans"
    return "text" if isinstance(value, str) else "numbers"


def _account(missing: Sequence[CaseId], surplus: Sequence[CaseId]) -> str:
    parts = []
    if missing:
        cases = counted(len(missing), "case of the data has", "cases of the data have")
        parts.append(f"{cases} no label: {named(missing)}")
    if surplus:
        ids = counted(len(surplus), "labelled id is", "labelled ids are")
        parts.append(f"{ids} not in the data: {named(surplus)}")
    return "; ".join(parts)

"""Labels: what is known of each case, matched to the cases by id and never by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tideline.errors import LabelError
from tideline.panel import CaseId, Panel, case_key, named

Label = str | int | float | bool
"""A class (text, a whole number or a boolean) or a regression target (a number)."""


@dataclass(frozen=True)
class Labels:
    """One label a case.

    Attributes
    ----------
    ids : tuple of str, int, float or bool
        The labelled cases, as the file of labels spells them.
    values : tuple of str, int, float or bool
        Their labels, in the order of `ids`; all text, all numbers or all booleans.

    Raises
    ------
    LabelError
        When the labels are of several kinds.
    """

    ids: tuple[CaseId, ...]
    values: tuple[Label, ...]

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

    def _require_distinct(self) -> None:
        counts = Counter(self.keys)
        repeated = [key for key, count in counts.items() if count > 1]
        if repeated:
            raise LabelError(
                f"{len(repeated)} ids have more than one label: {named(repeated)}; "
                "ids are compared as text, so that 7 and '7' are one.",
                mend="Keep one label for each id.",
                field="labels",
            )


def _kind(value: Label) -> str:
    if isinstance(value, bool):
        return "booleans"
    return "text" if isinstance(value, str) else "numbers"


def _account(missing: Sequence[CaseId], surplus: Sequence[CaseId]) -> str:
    parts = []
    if missing:
        parts.append(f"{len(missing)} cases of the data have no label: {named(missing)}")
    if surplus:
        parts.append(f"{len(surplus)} labelled ids are not in the data: {named(surplus)}")
    return "; ".join(parts)

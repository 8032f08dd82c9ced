"""Weights of classes: what a mistake about a case costs, by the class of the case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from tideline.errors import SpecError
from tideline.labels import Label
from tideline.panel import case_key, named
from tideline.spec.names import nearest, step
from tideline.wording import shown

FIELD = "model_training.class_weight"

ClassWeight = Literal["balanced"] | dict[str, float]
"""`balanced`, or the weight of each class by its name."""


def checked_class_weight(value: object) -> object:
    """Return `balanced`, or a mapping of class to weight, as a spec says it; or None.

    Raises
    ------
    SpecError
        When it is something else, or a weight is no number above 0.
    """
    if value is None or value == "balanced":
        return value
    if not isinstance(value, Mapping) or not value:
        raise SpecError(
            f"{FIELD} is {shown(value)}; balanced, or a mapping of class to weight, is expected.",
            mend="Write 'balanced', or {rare: 10, common: 1}.",
            field=FIELD,
        )
    for name, weight in value.items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not 0 < weight < math.inf:
            place = f"{FIELD}.{step(name)}"
            raise SpecError(
                f"{place} is {shown(weight)}; a number above 0 is expected.",
                mend="Write how much a case of this class weighs beside one of weight 1.",
                field=place,
            )
    return {name: float(weight) for name, weight in value.items()}


def weight_of_class(given: Mapping[str, float], classes: Sequence[Label]) -> dict[Label, float]:
    """Return the weight of each class; one that is not named weighs 1.

    Parameters
    ----------
    given
        The weights by name; `1` names the class 1, `true` the class True.
    classes
        The distinct labels.

    Raises
    ------
    SpecError
        When a name is that of no class; the nearest is told.
    """
    by_name = {case_key(label): label for label in classes}
    unknown = [name for name in given if name not in by_name]
    if unknown:
        near = nearest(unknown[0], by_name)
        raise SpecError(
            f"{FIELD} weighs {shown(unknown[0])}, which is not a class: the labels are "
            f"{named(by_name)}.",
            mend=f"Did you mean {shown(near)}?" if near else "Write the classes as the labels do.",
            field=f"{FIELD}.{step(unknown[0])}",
        )
    return {label: given.get(name, 1.0) for name, label in by_name.items()}

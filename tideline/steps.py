"""The steps of a fitted estimator, without those that do nothing.

TPOT fills the places of its template that it does not need with a Passthrough or a SkipTransformer
of its own. scikit-learn has words for both, and a published model that uses these needs no TPOT
(four seconds and 250 MB) to be loaded.
"""

from __future__ import annotations

import copy
from typing import Any

from sklearn.pipeline import FeatureUnion
from sklearn.pipeline import Pipeline as Steps
from sklearn.preprocessing import FunctionTransformer

PASS = "passthrough"  # noqa: S105 - scikit-learn's word, and no secret
DROP = "drop"

NamedStep = tuple[str, Any]


def working_steps(steps: list[NamedStep]) -> list[NamedStep]:
    """Return the steps of a pipeline that change what they are given, in their order.

    The last step, the model, is always among them.
    """
    plain = [(name, _plain(step)) for name, step in steps[:-1]]
    return [(name, step) for name, step in plain if step != PASS] + steps[-1:]


def _plain(step: object) -> object:
    """Return a step that does the same, in scikit-learn's words where it has them."""
    if step is None or _is_identity(step) or _is_of_tpot(step, "Passthrough"):
        return PASS
    if _is_of_tpot(step, "SkipTransformer"):
        return DROP
    if isinstance(step, FeatureUnion) and not step.transformer_weights:
        return _plain_union(step)
    if isinstance(step, Steps):
        inner = [(name, _plain(part)) for name, part in step.steps]
        working = [(name, part) for name, part in inner if part != PASS]
        return Steps(working) if working else PASS
    return step


def _plain_union(union: FeatureUnion) -> object:
    parts = [(name, _plain(part)) for name, part in union.transformer_list]
    working = [(name, part) for name, part in parts if part != DROP]
    if not working:
        return DROP
    if len(working) == 1:
        return working[0][1]
    plain = copy.copy(union)
    plain.transformer_list = working
    return plain


def _is_identity(step: object) -> bool:
    # What a fitted union has in the place of "passthrough".
    return isinstance(step, FunctionTransformer) and step.func is None


def _is_of_tpot(step: object, name: str) -> bool:
    # By its name, because this room does not import TPOT.
    return type(step).__name__ == name and type(step).__module__.startswith("tpot.")

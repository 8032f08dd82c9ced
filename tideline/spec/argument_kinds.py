"""Which kinds of value a constructor's annotations allow.

scikit-learn checks its own arguments; XGBoost and LightGBM find a wrong one in the middle of `fit`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

_SCALARS = (bool, int, float, str, type(None))


def annotated_kinds(cls: type) -> Mapping[str, tuple[type, ...]]:
    """Return the scalar kinds of those arguments of a constructor that take nothing else.

    The constructors of the base classes count too, since `**kwargs` hands arguments on to them.
    """
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if "__init__" in vars(base) and base is not object:
            hints |= get_type_hints(vars(base)["__init__"])
    kinds = {name: _members(hint) for name, hint in hints.items() if name != "return"}
    return {name: found for name, found in kinds.items() if set(found) <= set(_SCALARS)}


def is_of_kind(value: object, kinds: tuple[type, ...]) -> bool:
    """Return whether a value is of one of some kinds; a whole number is a float as well."""
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) or (isinstance(value, int) and float in kinds)


def _members(hint: object) -> tuple[type, ...]:
    if get_origin(hint) in {Union, types.UnionType}:
        return tuple(kind for member in get_args(hint) for kind in _members(member))
    return (hint,) if isinstance(hint, type) else (object,)

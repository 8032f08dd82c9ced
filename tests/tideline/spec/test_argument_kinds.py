"""Which kinds of value an annotated constructor takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tideline.spec.argument_kinds import annotated_kinds, is_of_kind


class Base:
    def __init__(self, depth: int | None = None, loss: str | Callable[..., float] = "l2") -> None:
        self.settings = (depth, loss)


class Derived(Base):
    def __init__(self, rate: float = 0.1, **others: Any) -> None:
        super().__init__(**others)
        self.rate = rate


def test_finds_the_scalar_kinds_of_a_class_and_its_bases():
    assert annotated_kinds(Derived) == {"depth": (int, type(None)), "rate": (float,)}


@pytest.mark.parametrize(
    ("value", "kinds", "fits"),
    [
        (1, (int,), True),
        (1, (float,), True),
        (1.5, (int,), False),
        (True, (int,), False),
        (True, (bool,), True),
        (None, (int, type(None)), True),
        (None, (int,), False),
        ("1", (int, float), False),
        ([1], (int,), False),
    ],
)
def test_a_value_is_of_a_kind_or_not(value, kinds, fits):
    assert is_of_kind(value, kinds) is fits

"""Tests of writing values and steps as Python."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    RandomForestRegressor,
)
from sklearn.preprocessing import StandardScaler

from tests.training.export.scripted import texts
from training.export.literals import Writer, flat, laid_out

numbers = st.integers() | st.floats() | st.booleans() | st.none()
values = st.recursive(
    texts | numbers,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_a_value_is_read_back_from_its_text_in_one_line_or_many(value: object) -> None:
    node = Writer().node(value)
    for text in (flat(node), laid_out("found = ", node).removeprefix("found = ")):
        names = {"__builtins__": {}, "float": float}
        assert _same(eval(text, names), value)
        assert text.isprintable() or "\n" in text


def _same(found: object, expected: object) -> bool:
    return type(found) is type(expected) and repr(found) == repr(expected)


def test_a_step_that_is_no_importable_class_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written as Python"):
        Writer().node(object())
    with pytest.raises(ValueError, match="cannot be imported by its name"):
        Writer().node(lambda: None)


def test_only_what_is_not_the_default_is_written() -> None:
    writer = Writer()
    model = TransformedTargetRegressor(RandomForestRegressor(7), transformer=StandardScaler())
    assert flat(writer.node(model)) == (
        "TransformedTargetRegressor(regressor=RandomForestRegressor(n_estimators=7), "
        "transformer=StandardScaler())"
    )
    assert list(writer.imports()) == [
        "from sklearn.compose import TransformedTargetRegressor",
        "from sklearn.ensemble import RandomForestRegressor",
        "from sklearn.preprocessing import StandardScaler",
    ]


@pytest.mark.parametrize("module", ["lightgbm", "xgboost"])
def test_boosted_trees_are_written_by_what_was_set(module: str) -> None:
    package = pytest.importorskip(module)
    kind = package.LGBMClassifier if module == "lightgbm" else package.XGBClassifier
    text = flat(Writer().node(kind(n_estimators=5, random_state=0)))
    assert text == f"{kind.__name__}(n_estimators=5, random_state=0)"

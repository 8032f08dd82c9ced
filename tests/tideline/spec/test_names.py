"""Names of pipelines, and the nearest known word."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tideline.errors import SpecError
from tideline.spec import pipeline_name
from tideline.spec.names import nearest


@pytest.mark.parametrize("name", ["1", "a", "pump-a", "pump_a.v2", "0-9", "a" * 63])
def test_takes_what_the_model_store_takes(name):
    assert pipeline_name(name) == name


def test_reads_a_whole_number_as_text():
    assert pipeline_name(1) == "1"


@pytest.mark.parametrize(
    ("value", "suggestion"),
    [
        ("Pump A", "pump-a"),
        ("-pump-", "pump"),
        ("caf\u00e9", "caf"),
        ("../../etc/passwd", "etc-passwd"),
        ("a/b:latest", "a-b-latest"),
        ("a\n", "a"),
        ("A" * 70, "a" * 63),
    ],
)
def test_refuses_another_name_and_suggests_one_that_will_do(value, suggestion):
    with pytest.raises(SpecError) as caught:
        pipeline_name(value)
    assert caught.value.field == "pipeline_id"
    assert caught.value.mend == f"Write {suggestion!r}."
    assert pipeline_name(suggestion) == suggestion


@pytest.mark.parametrize("value", ["", "...", None, True, 1.5, ["a"], {"a": 1}, -1 << 400])
def test_refuses_what_is_no_name_at_all(value):
    with pytest.raises(SpecError):
        pipeline_name(value)


@given(st.text(max_size=80))
def test_a_name_that_is_taken_is_one_of_bentoml(text):
    try:
        name = pipeline_name(text)
    except SpecError as error:
        if quoted := re.fullmatch(r"Write '(.*)'\.", error.mend):
            assert pipeline_name(quoted[1]) == quoted[1]
        return
    assert re.fullmatch(r"[a-z0-9]([-._a-z0-9]*[a-z0-9])?", name)
    assert len(name) <= 63


def test_the_nearest_word_is_found_whatever_its_case():
    assert nearest("xgbclassifer", ["XGBClassifier", "SVC"]) == "XGBClassifier"
    assert nearest("pear", ["XGBClassifier", "SVC"]) is None

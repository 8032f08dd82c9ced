from __future__ import annotations

import json

import pytest

from service.jobs.bounds import MAX_SUMMARY, bounded, cut

SMALL = {
    "modelId": "m",
    "version": 1,
    "classes": ["a", 1, True, None],
    "scores": {"cv": {"a": 0.5}},
}


def test_a_small_summary_stays_as_it_is():
    assert bounded(SMALL) == SMALL


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"classes": list(range(5000))}, "classes holds 5000 entries, the first 100 are kept"),
        ({"classes": ["a" * 600_000]}, "texts in classes are cut at 300 characters"),
        ({"odd": [[[[[1]]]]]}, "odd is nested too deeply"),
        ({f"word-{n}": n for n in range(500)}, "100 of its 504 words are kept"),
    ],
)
def test_what_is_left_out_is_said_among_the_notices(more, words):
    kept = bounded(SMALL | more)
    assert words in kept["notices"][-1]
    assert kept["notices"][-1].startswith("This summary is shortened: ")


def test_the_notices_of_the_run_are_kept():
    assert bounded(SMALL | {"notices": ["said"], "classes": ["x" * 400]})["notices"][0] == "said"


@pytest.mark.parametrize(
    "large",
    [
        {f"{n}-" + "k" * 10_000: "v" * 10_000 for n in range(1000)},
        {"a": [["x" * 1000] * 1000] * 1000},
        {"a": {str(n): {str(m): "x" * 1000 for m in range(300)} for n in range(300)}},
    ],
)
def test_no_summary_is_large(large):
    kept = bounded({"modelId": "m"} | large)
    assert len(json.dumps(kept)) < 2 * MAX_SUMMARY
    assert kept["modelId"] == "m"


@pytest.mark.parametrize(("number", "told"), [(float("nan"), None), (2**63, str(2**63)), (7, 7)])
def test_a_number_is_one_that_every_reader_of_json_takes(number, told):
    assert bounded({"a": number}) == {"a": told}


def test_a_cut_text_ends_with_a_mark():
    assert (cut("x" * 10, 4), cut("x", 4), cut(12, 4)) == ("xxx…", "x", "12")

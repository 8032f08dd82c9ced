"""Tests of the reasons by which failures are counted."""

from __future__ import annotations

import doctest
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import training.failures
from tideline.errors import LabelError
from training.failures import KILLED, MAX_REASON, could_not_be_fitted, reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "MemoryError"),
        (ValueError(""), "ValueError"),
        (ValueError("\n  \n"), "ValueError"),
        (ValueError("Input X contains NaN.\nDo something."), "ValueError: Input X contains NaN"),
        (ValueError("One. Two."), "ValueError: One"),
        (ValueError("C must be > 0, e.g. 1.5!"), "ValueError: C must be > #, e.g. #"),
        (TypeError("float32, 12 of l1_ratio"), "TypeError: float32, # of l1_ratio"),
        (ValueError("got -1.5e-07 and 2."), "ValueError: got # and #"),
        (ValueError("shapes (3,) (10, 20, 4)"), "ValueError: shapes (#) (#)"),
        (ValueError("<function f at 0x7f2a> failed"), "ValueError: <function f at #> failed"),
        (OSError(28, "No space left", "/tmp/x1/y.npy"), "OSError: [Errno #] No space left: '…'"),
        (KeyError("a\x1b[31mb"), "KeyError: 'a\\x1b[31mb'"),
        (LabelError("one class only.", mend="Add another."), "LabelError: one class only"),
    ],
)  # fmt: skip
def test_tells_the_type_and_the_first_sentence(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_failures_that_differ_in_numbers_count_together() -> None:
    errors = [
        ValueError(f"n_neighbors={n} > {n - 1} samples in {seconds:.2f} s: {list(range(n))}")
        for n, seconds in ((3, 0.5), (5, 10.0), (60, 1e-3))
    ]
    assert Counter(map(reason_of, errors)).most_common() == [
        ("ValueError: n_neighbors=# > # samples in # s: [#]", 3)
    ]


@given(st.text(st.characters()), st.integers(), st.floats())
def test_is_one_short_line_that_can_be_printed(text: str, number: int, value: float) -> None:
    for said in (text, f"{text} {number} {value}", text * 30):
        reason = reason_of(RuntimeError(said))
        assert reason.startswith("RuntimeError")
        assert len(reason) <= MAX_REASON
        assert reason.isprintable()


def test_its_example_holds() -> None:
    assert doctest.testmod(training.failures).failed == 0


@pytest.mark.parametrize(
    "reason",
    [
        reason_of(MemoryError("Unable to allocate 7.45 GiB for an array with shape (1000, 1000)")),
        reason_of(np._core._exceptions._ArrayMemoryError((9, 9), np.dtype("f8"))),
        reason_of(RuntimeError("std::bad_alloc")),
        KILLED,
    ],
)
def test_what_had_too_little_memory_is_told_how_much_there_was(reason: str) -> None:
    error = could_not_be_fitted("Forest failed", reason, "it may fill 512 MiB", mend="Another.")
    assert error.message == (
        f"Forest failed in the memory that there is: {reason}; it may fill 512 MiB."
    )
    assert "raise the memory limit" in str(error.mend)
    assert "Another." not in str(error.mend)


def test_what_failed_for_another_reason_is_told_no_memory() -> None:
    error = could_not_be_fitted("Forest failed", "ValueError: few", "it has 1 MiB", mend="Another.")
    assert (error.message, error.mend) == ("Forest failed: ValueError: few.", "Another.")

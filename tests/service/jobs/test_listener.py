from __future__ import annotations

import pytest

from service.jobs.chapter import CUT, Chapter
from service.jobs.listener import LEFT_OUT, Listener

GAP = "(cannot be read now)\n"
TITLE = "--- pod a\n"


def lines(*numbers: int) -> str:
    return "".join(f"line {n}\n" for n in numbers)


def heard(*texts: str) -> list[str]:
    """Return what a listener tells of one chapter's readings."""
    listener = Listener()
    return [listener.news([Chapter("a", text)], is_over=False) for text in texts]


def test_only_what_is_new_is_told():
    assert heard("", lines(1), lines(1), lines(1, 2, 3)) == ["", lines(1), "", lines(2, 3)]


def test_a_line_is_told_when_it_is_whole():
    # As of a character of three bytes whose last one is not yet written.
    assert heard("one\ntw\ufffd", "one\ntw…\n") == ["one\n", "tw…\n"]


def test_the_end_of_the_log_is_told_even_without_the_end_of_its_line():
    listener = Listener()
    assert listener.news([Chapter("a", "one\ntw")], is_over=False) == "one\n"
    assert listener.news([Chapter("a", "one\ntw")], is_over=True) == "tw\n"
    assert listener.news([Chapter("a", "one\ntw")], is_over=True) == ""


def test_the_next_chapter_follows_the_whole_of_the_one_before():
    listener = Listener()
    assert listener.news([Chapter("a", "one\ntw")], is_over=False) == "one\n"
    both = [Chapter("a", "one\ntwo"), Chapter("b", "three\n")]
    assert listener.news(both, is_over=False) == "two\nthree\n"


@pytest.mark.parametrize("title", ["", TITLE], ids=["without a title", "after the title"])
def test_a_log_that_loses_its_beginning_goes_on_where_it_was(title):
    before, after = title + lines(1, 2, 3, 4), title + lines(3, 4, 5)
    assert heard(before, after) == [before, lines(5)]


def test_the_mark_of_a_lost_beginning_is_no_line():
    told = heard(TITLE + lines(1, 2, 3), CUT + lines(2, 3, 4), CUT + lines(4, 5), CUT + lines(4, 5))
    assert told == [TITLE + lines(1, 2, 3), lines(4), lines(5), ""]


def test_lines_that_are_alike_are_not_told_twice():
    assert heard("same\n" * 4 + "x\n", "same\n" * 3 + "x\ny\n")[1] == "y\n"


def test_a_line_says_that_more_was_said_than_is_kept():
    assert heard(TITLE + lines(1, 2), TITLE + lines(7, 8))[1] == LEFT_OUT + lines(7, 8)
    assert heard(lines(1, 2), CUT + lines(7, 8))[1] == LEFT_OUT + lines(7, 8)


def test_what_was_told_of_a_pod_that_is_gone_is_not_told_again():
    listener = Listener()
    first, second = Chapter("a", lines(1, 2, 3)), Chapter("b", lines(4))
    assert listener.news([first], is_over=False) == lines(1, 2, 3)
    assert listener.news([Chapter("a", lines(1)), second], is_over=False) == lines(4)
    assert listener.news([second], is_over=True) == ""


def test_what_comes_after_a_gap_waits_until_it_is_closed():
    listener = Listener()
    open_, second = Chapter("a", lines(1) + "li", gap=GAP), Chapter("b", lines(3))
    assert listener.news([open_, second], is_over=False) == lines(1)
    assert listener.news([Chapter("a", lines(1, 2)), second], is_over=False) == lines(2, 3)


def test_a_gap_that_stays_is_told_at_the_end():
    listener = Listener()
    assert listener.news([Chapter("a", lines(1), gap=GAP)], is_over=False) == lines(1)
    assert listener.news([Chapter("a", lines(1), gap=GAP)], is_over=True) == GAP

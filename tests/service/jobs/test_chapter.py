from __future__ import annotations

from service.jobs.chapter import LOG_TAIL, Chapter, log_of, tail


def test_a_long_log_begins_with_a_whole_line():
    lines = "".join(f"line {n}\n" for n in range(200_000))
    assert len(lines) > LOG_TAIL
    end = tail(lines)
    assert end.startswith("…\nline ")
    assert end.endswith("line 199999\n")
    assert tail("short") == "short"


def test_chapters_are_one_text_with_a_line_for_each_gap():
    first, second = Chapter("a", "--- pod a\nhalf a li"), Chapter("b", "--- pod b\n", gap="(gap)\n")
    assert log_of([first, second]) == "--- pod a\nhalf a li\n--- pod b\n(gap)\n"
    assert log_of([]) == ""

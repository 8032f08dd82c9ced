"""Tests of the bar on a terminal: a real one, read from its other end."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from training.__main__ import _has_bar
from training.journal import Best, Journal

COLUMNS = 80


class Terminal:
    """A terminal, and what is shown on it."""

    def __init__(self, columns: int = COLUMNS) -> None:
        self.reader, writer = pty.openpty()
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.set_blocking(self.reader, False)
        self.stream: TextIO = os.fdopen(writer, "w", encoding="utf-8")
        self._said = b""

    def close(self) -> None:
        self.stream.close()
        os.close(self.reader)

    def lines(self) -> list[str]:
        """Return the lines as they now stand, without blanks at their ends."""
        return [_shown(line) for line in self.written().split("\r\n")]

    def written(self) -> str:
        """Return all that was written, also over something else."""
        try:
            while block := os.read(self.reader, 65536):
                self._said += block
        except BlockingIOError:
            pass
        return self._said.decode()


def _shown(line: str) -> str:
    shown = ""
    for written in line.split("\r"):
        assert "\x1b" not in written
        shown = written + shown[len(written) :]
    return shown.rstrip()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def test_lines_scroll_above_one_bar_that_is_drawn_again(terminal: Terminal) -> None:
    journal = Journal(stream=terminal.stream, budget=100.0, began=time.monotonic() - 50)
    journal.draw_bar()
    journal.tally(34, {"MemoryError": 2}, Best("ExtraTreesClassifier", "neg_log_loss", -0.31))
    journal.enter("search", "comparing")
    journal.say("still comparing")
    first, second, bar = terminal.lines()
    assert first.endswith("search     comparing")
    assert second.endswith("still comparing")
    assert bar.startswith("██████ ")
    assert "50% of 100 s  search  34 tried, 2 failed  best 0.31 ExtraTr" in bar
    assert len(bar) < COLUMNS
    journal.end_bar()
    assert terminal.lines()[2:] == [""]


def test_the_bar_goes_on_while_nothing_is_said(terminal: Terminal) -> None:
    journal = Journal(stream=terminal.stream, budget=10.0)
    journal.draw_bar()
    deadline = time.monotonic() + 10
    while "10% of 10 s" not in terminal.lines()[-1]:
        assert time.monotonic() < deadline, terminal.lines()
        time.sleep(0.05)
    journal.end_bar()


def test_the_last_words_are_the_last(terminal: Terminal) -> None:
    journal = Journal(stream=terminal.stream)
    journal.draw_bar()
    journal.last_words("failed")
    assert terminal.lines()[-2].endswith("failed")
    assert terminal.lines()[-1] == ""
    journal.say("after it")
    assert terminal.lines()[-2].endswith("after it")


def test_a_terminal_that_does_not_know_its_width_has_a_bar_too() -> None:
    terminal = Terminal(columns=0)
    journal = Journal(stream=terminal.stream)
    journal.draw_bar()
    assert "0% done  read" in terminal.lines()[-1]
    journal.end_bar()
    terminal.close()


def test_the_program_leaves_nothing_of_it_behind(terminal: Terminal, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "training", str(tmp_path / "no.yaml"))
    env = os.environ | {"TERM": "xterm", "NO_COLOR": "1"}
    ended = subprocess.run(command, stderr=terminal.stream, env=env, timeout=60, check=False)
    assert ended.returncode == 66
    written = terminal.written()
    assert "0% done  read" in written
    *lines, last = terminal.lines()
    assert "failed (input-not-found): the spec" in lines[0]
    assert last == ""
    assert "% done" not in "".join(lines)


@pytest.mark.parametrize(
    ("when", "term", "expected"),
    [
        ("auto", "xterm", True),
        ("auto", "dumb", False),
        ("never", "xterm", False),
        ("always", "dumb", True),
    ],
)
def test_is_drawn_on_a_terminal_by_itself(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, when: str, term: str, expected: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    assert _has_bar(when) is expected


def test_is_not_drawn_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with (tmp_path / "log").open("w") as log:
        monkeypatch.setattr(sys, "stderr", log)
        assert not _has_bar("auto")

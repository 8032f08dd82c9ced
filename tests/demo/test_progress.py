"""The progress line, on a terminal and elsewhere."""

from __future__ import annotations

import io

from demo.progress import ProgressLine
from tideline.client import Job, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def job(state: str = "running", stage: str = "search", share: float = 0.5) -> Job:
    progress = Progress(stage=stage, share=share)
    return Job(id="job-1", pipeline_id="gun-point", state=state, progress=progress)


def test_writes_one_line_over_and_over_on_a_terminal() -> None:
    stream = Terminal()
    line = ProgressLine(stream)
    line.show([job(), job()])
    line.show([job("succeeded")])
    line.end()
    first, second = stream.getvalue().removeprefix("\r").split("\r")
    assert "gun-point [######......] search" in first
    assert "gun-point [############] succeeded" in second
    assert second.endswith("\n")
    assert len(second.rstrip("\n")) == len(first)


def test_writes_a_line_now_and_then_where_nobody_looks() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    for _ in range(10):
        line.show([job()])
    line.end()
    assert stream.getvalue().count("\n") == 1


def test_shows_a_job_that_has_not_begun() -> None:
    stream = io.StringIO()
    ProgressLine(stream).show([Job(id="job-1", pipeline_id="a", state="queued")])
    assert "a [............] queued" in stream.getvalue()

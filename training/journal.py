"""What a run tells while it works: lines for people on stderr, JSON lines for a program."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from tideline.progress import MAX_FAILURES, MAX_OVERRUN, Event, Failure, Pipelines
from tideline.progress import Best as ToldBest
from tideline.wording import score_of

if TYPE_CHECKING:
    from training.bar import Bar

STAGES = {
    "read": 0.02,
    "split": 0.04,
    "extract": 0.05,
    "portfolio": 0.2,
    "search": 0.45,
    "ensemble": 0.8,
    "evaluate": 0.85,
    "fit": 0.92,
    "publish": 0.97,
    "report": 1.0,
}
"""The stages in their order, and the share of the work that is behind when each begins."""
PATIENCE_SECONDS = 1.0


class Best(NamedTuple):
    """The best pipeline so far.

    Attributes
    ----------
    name
        The classes of its steps.
    metric
        What it was compared by, under scikit-learn's name.
    value
        Its cross-validated score; more is better. One that is not finite is no best.
    """

    name: str
    metric: str
    value: float


class Journal:
    """The log of one run; safe to write to from several threads.

    Parameters
    ----------
    progress
        A file that gets one JSON object a line: an event, as `docs/progress-events.md` tells.
    stream
        Where the lines for people go; stderr when left out.
    listener
        Is given each of these objects too; it must return at once.
    budget
        The seconds that the run may take; it may be set later, once the spec is read.
    began
        When the run began, on `time.monotonic`; now when left out.
    """

    def __init__(
        self,
        progress: Path | None = None,
        stream: TextIO | None = None,
        listener: Callable[[Mapping[str, object]], None] | None = None,
        budget: float | None = None,
        began: float | None = None,
    ) -> None:
        self._progress = progress
        self._listener = listener
        self._stream = stream
        self._lock = threading.Lock()
        self._began = time.monotonic() if began is None else began
        self._stage = "read"
        self._share = 0.0
        self._pipelines: Pipelines | None = None
        self._best: ToldBest | None = None
        self._bar: Bar | None = None
        self.budget = budget
        self.notices: list[str] = []
        """What the reader of the published model should know."""

    def resume(self, budget: float, began: float) -> None:
        """Count from when the run began: before this start of it, where it was started before.

        Parameters
        ----------
        budget
            The seconds that the run may take.
        began
            On `time.monotonic`.
        """
        self.budget, self._began = budget, began

    def enter(self, stage: str, message: str) -> None:
        """Begin a stage."""
        self._stage = stage
        self.say(message, within=0.0)

    def say(self, message: str, within: float | None = None) -> None:
        """Tell something, and how far the stage has come (0 to 1) where that is known."""
        with self._lock:
            if within is not None:
                self._share = max(self._share, self._overall(within))
            self._write(message)

    def last_words(self, message: str) -> None:
        """Tell something, and go on after a moment when nobody takes it.

        For the end of a run: the reader of a pipe may be gone or stuck, and another thread with it.
        """

        def tell() -> None:
            self.end_bar()
            self.say(message)

        teller = threading.Thread(target=tell, name="teller", daemon=True)
        teller.start()
        teller.join(PATIENCE_SECONDS)

    def tally(self, tried: int, failures: Mapping[str, int], best: Best | None) -> None:
        """Take what came of the pipelines so far; every event from now on carries it.

        Parameters
        ----------
        tried
            How many were evaluated, those that failed among them.
        failures
            How many failed for each reason, as `training.failures.reason_of` words it.
        best
            The best so far, or None.
        """
        # Sorting is stable: of two reasons that are as common, the one that came first is first.
        commonest = sorted(failures.items(), key=lambda failure: -failure[1])[:MAX_FAILURES]
        self._pipelines = Pipelines(
            tried=int(tried),
            failed=int(sum(failures.values())),
            failures=tuple(Failure(reason=why, count=int(count)) for why, count in commonest),
        )
        if best is None or not math.isfinite(best.value):
            self._best = None
        else:
            self._best = ToldBest(name=best.name, metric=best.metric, value=float(best.value))

    @property
    def standing(self) -> str:
        """What the search has found so far, in words; empty before there is anything."""
        return self._event("").standing

    def draw_bar(self) -> None:
        """Draw a bar below the lines from now on; the stream is a terminal."""
        from training.bar import Bar  # noqa: PLC0415 - its library is for runs that are watched

        self._bar = Bar(self._stream or sys.stderr, self._glance)

    def end_bar(self) -> None:
        """Remove the bar, if there is one: lines go to the stream as they are."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.end()

    def notice(self, message: str) -> None:
        """Tell something that also belongs in the published model's record."""
        self.notices.append(message)
        self.say(f"notice: {message}")

    def counter(self, things: str) -> Callable[[int, int], None]:
        """Return a function that is told how many things are done, and of how many.

        It passes this on at most once a second.
        """
        last = time.monotonic()

        def count(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= 1.0:
                last = time.monotonic()
                self.say(f"{done} of {total} {things}", done / total)

        return count

    def _overall(self, within: float) -> float:
        starts = list(STAGES.values())
        here = STAGES[self._stage]
        after = starts[min(starts.index(here) + 1, len(starts) - 1)]
        return here + (after - here) * min(max(within, 0.0), 1.0)

    def _write(self, message: str) -> None:
        line = f"{self._elapsed:7.1f} s  {self._stage:<9}  {message}\n"
        if self._bar is not None:
            self._bar.write_above(line)
        else:
            stream = self._stream or sys.stderr
            stream.write(line)
            stream.flush()
        if self._progress is None and self._listener is None:
            return
        event = self._event(message)
        if self._listener is not None:
            self._listener(event.model_dump(mode="json"))
        if self._progress is not None:
            with self._progress.open("a", encoding="utf-8") as file:
                file.write(event.model_dump_json() + "\n")

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @property
    def _budget_share(self) -> float | None:
        if self.budget is None:
            return None
        return min(round(self._elapsed / self.budget, 4), MAX_OVERRUN)

    def _event(self, message: str) -> Event:
        return Event(
            time=datetime.now(UTC),
            stage=self._stage,
            share=round(self._share, 4),
            budget_share=self._budget_share,
            message=message,
            pipelines=self._pipelines,
            best=self._best,
        )

    def _glance(self) -> tuple[float, str]:
        """Return how long the bar is, and what stands beside it; the longest of it at the end."""
        event = self._event("")
        done = event.share if event.budget_share is None else event.budget_share
        of = "done" if self.budget is None else f"of {self.budget:g} s"
        told = [f"{min(done, 1.0):4.0%} {of}", event.stage]
        if event.pipelines:
            failed = f", {event.pipelines.failed} failed" if event.pipelines.failed else ""
            told.append(f"{event.pipelines.tried} tried{failed}")
        if event.best:
            # Without the metric's name, which stays the same: in 80 columns there is room for more.
            value = score_of(event.best.metric, event.best.value).rpartition(" ")[2]
            told.append(f"best {value} {event.best.name}")
        return min(done, 1.0), "  ".join(told)

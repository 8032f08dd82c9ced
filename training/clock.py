"""The one clock of a run: the budget covers all of it, from the imports to the published model."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

PUBLISH_SECONDS = 3.0
PUBLISH_SHARE = 0.1
LEAST_PATIENCE = 5.0
OVERSHOOT = 1.05
"""The run is ended at this multiple of its budget; a tenth is what the user is promised at most."""


@dataclass(frozen=True)
class Clock:
    """Seconds spent and left.

    Attributes
    ----------
    budget : float
        The seconds that the whole run may take.
    started : float
        When it began, on `time.monotonic`.
    startup : float
        The seconds that starting and importing took: the one measure, at the beginning, of how
        busy the machine is.
    """

    budget: float
    started: float = field(default_factory=time.monotonic)
    startup: float = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def remaining(self) -> float:
        """Seconds of the budget that are left; below zero once it is spent."""
        return self.budget - self.elapsed

    @property
    def publishing(self) -> float:
        """Seconds to keep for writing, verifying and publishing.

        About as long as the start took, for the same reasons: imports, disk, and other load; but
        at least two seconds, and a tenth of the budget at most.
        """
        return max(PUBLISH_SECONDS, min(self.startup, PUBLISH_SHARE * self.budget))

    @property
    def patience(self) -> float:
        """Seconds over which publishing may be tried again: all that are left of the run.

        Everything is done by then, and would be lost. Not less than a few seconds: a run that has
        begun to publish is given some beyond its deadline.
        """
        return max(LEAST_PATIENCE, self.hard_deadline - time.monotonic())

    @property
    def hard_deadline(self) -> float:
        """The moment, on `time.monotonic`, at which the run is ended whatever it does."""
        return self.started + self.budget * OVERSHOOT

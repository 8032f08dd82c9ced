"""How the time of a run is shared out: what is left, less what the end of the run needs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from training.clock import Clock

MARGIN = 0.02
"""The share of the budget that nobody plans with, at least one second."""
REPORT_SHARE = 0.05
MOST_FOR_REPORT = 20.0
"""Seconds for importances, pictures and the report, and their share of the budget."""
FIT_SHARE = 0.2
"""Of the time left after the portfolio, what evaluation and the last fits are given."""
PORTFOLIO_SHARE = 0.5
"""Of the time left, what the portfolio may take; its first candidate gets what it needs."""
CHOICE_SHARE = 0.25
"""Of the time left, what one choice may take before it is the default."""
NESTED_SHARE = 0.6
"""Of the time left, what portfolios in outer folds may take."""
FOREST_SHARE = 0.25
"""Of the time left, what the larger forest may take in all folds and fits together."""
FOLDS_A_SEARCH = 3
"""As many of the slowest fold as are to find room in the time for the last fits."""
PORTFOLIO_GROWTH = 0.2
"""Of a longer budget, what features, a larger portfolio and the end of the run take more."""
ROUND_BUDGET = 30
"""Seconds that a budget is advised in."""
WHOLE = 1.25
"""How many times as long as in a fold a fit to all cases takes, or a little more."""
WARPING_SHARE = 0.8
"""Of the time left once all is fitted, what the nearest neighbours may take: nothing but the report
is to come, which has its own."""
PICTURE_SHARE = 1 / 3
"""Of the time for importances and the report, what is kept for the report."""


@dataclass(frozen=True)
class Schedule:
    """Moments on `time.monotonic`, and seconds.

    Attributes
    ----------
    clock
        Of the run.
    """

    clock: Clock

    @property
    def published_at(self) -> float:
        """When publishing has to begin."""
        margin = max(1.0, MARGIN * self.clock.budget)
        return time.monotonic() + self.clock.remaining - self.clock.publishing - margin

    @property
    def last_at(self) -> float:
        """When the budget is over: until then the first model is waited for, if there is none."""
        return time.monotonic() + self.clock.remaining

    @property
    def fitted_at(self) -> float:
        """When the model has to be fitted and scored; what follows is the report."""
        return self.published_at - self.report_seconds

    @property
    def report_seconds(self) -> float:
        """What importances and the report may take."""
        return min(MOST_FOR_REPORT, REPORT_SHARE * self.clock.budget)

    @property
    def reported_at(self) -> float:
        """When importances have to be measured, which are begun now; the report follows."""
        last = self.published_at - PICTURE_SHARE * self.report_seconds
        return min(last, time.monotonic() + self.report_seconds)

    @property
    def left(self) -> float:
        """Seconds until everything has to be fitted; below zero once that has passed."""
        return self.fitted_at - time.monotonic()

    def budget_for(self, left: float) -> int:
        """Return a budget, roughly, of which so many seconds would be left now.

        Rounded up to half a minute: of each further second, some go to the portfolio and the end.
        """
        short = max(0.0, left - self.left) / (1 - PORTFOLIO_GROWTH)
        return ROUND_BUDGET * math.ceil((self.clock.budget + short) / ROUND_BUDGET)

    def at(self, share: float) -> float:
        """Return the moment when a share of what is left will have passed."""
        return time.monotonic() + share * max(self.left, 0.0)

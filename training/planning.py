"""Which features are computed, and their computation, when the time for it is not without end."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tideline.errors import BudgetExceeded, SpecError
from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
from tideline.panel import FloatArray, Panel
from tideline.spec import ExtractionSpec
from tideline.wording import counted
from training.clock import Clock
from training.journal import Journal

OPEN_SETS = ("tideline", "efficient")
"""What is computed when the spec leaves the features open: the first that is not too much."""
FALLBACK_SET = "minimal"
MOST_FEATURES = 10_000
"""Over how many features the views are left out, for a search through tables of few cases."""
OPEN_SHARE = 0.5
"""Of the time left, what extraction may take when the spec leaves the features open."""
ASKED_SHARE = 0.9
"""The same when the spec names the features: they are computed or the run is refused."""
SAMPLE = 20
"""How many cases are tried, together, for cases cost less together than alone."""
SAMPLING_SECONDS = 0.1
"""What one case may take for more of them to be tried."""
EARLY = 0.2
"""The share of its time after which the pace of an extraction is held against that time."""


class TooSlowError(Exception):
    """An extraction will not end in its time; raised out of it, and never out of this module."""


def compute_features(
    panel: Panel, spec: ExtractionSpec, clock: Clock, workers: int, journal: Journal
) -> tuple[FeaturePlan, FloatArray]:
    """Compute the features that the spec names; where it names none, what the time allows.

    Returns
    -------
    plan : FeaturePlan
    X : float64 array of shape (n_cases, n_features)

    Raises
    ------
    BudgetExceeded
        When the first cases, or the pace later on, show that the features would use up the budget.
    """
    kinds = spec.kind_to_fc_parameters
    asked = spec.default_fc_parameters
    # As in tsfresh: where only channels are named, the others have no features.
    if asked is None and not kinds:
        return _open_features(panel, clock, workers, journal)
    plan = FeaturePlan.for_panel(panel, asked, kinds)
    return plan, _computed_or_refused(panel, plan, clock, workers, journal)


def _open_features(
    panel: Panel, clock: Clock, workers: int, journal: Journal
) -> tuple[FeaturePlan, FloatArray]:
    """Compute the first of the sets that are tried whose size and time are not too much."""
    for name in OPEN_SETS:
        try:
            plan = FeaturePlan.for_panel(panel, name)
        except SpecError as error:
            # A channel is named as a view of another is.
            journal.notice(f"the {name} set is left out: {error.message}")
            continue
        if name != OPEN_SETS[-1] and len(plan.features) > MOST_FEATURES:
            journal.notice(
                f"the {name} set would be {len(plan.features)} features of "
                f"{len(panel.channels)} channels, over {MOST_FEATURES}: fewer are computed."
            )
            continue
        try:
            return plan, _computed(panel, plan, OPEN_SHARE, clock, journal=journal, workers=workers)
        except TooSlowError as slow:
            journal.notice(f"the {name} features {slow}, over half of the time left; fewer do.")
    plan = FeaturePlan.for_panel(panel, FALLBACK_SET)
    journal.notice(f"the {FALLBACK_SET} set is computed.")
    return plan, _computed_or_refused(panel, plan, clock, workers, journal)


def _computed_or_refused(
    panel: Panel, plan: FeaturePlan, clock: Clock, workers: int, journal: Journal
) -> FloatArray:
    try:
        return _computed(panel, plan, ASKED_SHARE, clock, journal=journal, workers=workers)
    except TooSlowError as slow:
        raise BudgetExceeded(
            f"the features {slow}, and {max(clock.remaining, 0):.0f} s of the budget of "
            f"{clock.budget:g} s are left.",
            mend="Raise budget, or name a smaller set in extract_features.default_fc_parameters.",
            field="budget",
        ) from slow


def projected_seconds(panel: Panel, plan: FeaturePlan) -> float:
    """Return the time that one thread needs for all cases, from a few of them.

    The few are spread over the lengths, since some calculators take the square of a length; where
    one case takes long, it stands for all, so that planning does not use up what it plans for.
    """
    lengths = np.sum([channel.lengths for channel in panel.channels.values()], axis=0)
    by_length = np.argsort(lengths, kind="stable")
    middle = by_length[[panel.n_cases // 2]]
    # The first call pays for imports and compilation, once.
    extract(panel.take(middle), plan)
    seconds = _timed(panel.take(middle), plan)
    if seconds > SAMPLING_SECONDS or panel.n_cases <= SAMPLE:
        return seconds * panel.n_cases
    spread = np.linspace(0, panel.n_cases - 1, SAMPLE).astype(int)
    return _timed(panel.take(by_length[spread]), plan) / SAMPLE * panel.n_cases


def _timed(panel: Panel, plan: FeaturePlan) -> float:
    began = time.monotonic()
    extract(panel, plan)
    return time.monotonic() - began


def _computed(
    panel: Panel, plan: FeaturePlan, share: float, clock: Clock, *, journal: Journal, workers: int
) -> FloatArray:
    """Compute the features, unless that takes more than a share of the time that is left."""
    seconds = projected_seconds(panel, plan) / workers
    # Of what is left now: the projection has paid for imports and compilation.
    limit = share * clock.remaining
    if seconds > limit:
        raise TooSlowError(f"would take about {seconds:.0f} s")
    journal.say(
        f"{len(plan.features)} features of {panel.n_cases} cases, about {seconds:.0f} s "
        f"in {counted(workers, 'thread')}"
    )
    watch = _paced(journal.counter("cases"), time.monotonic(), limit)
    return extract(panel, plan, workers=workers, progress=watch)


def _paced(
    tell: Callable[[int, int], None], began: float, limit: float
) -> Callable[[int, int], None]:
    """Return a progress function that passes on what it is told while the pace is good enough."""

    def count(done: int, total: int) -> None:
        tell(done, total)
        elapsed = time.monotonic() - began
        if elapsed > EARLY * limit and elapsed / done * total > limit:
            raise TooSlowError(f"would take about {elapsed / done * total:.0f} s at this pace")

    return count

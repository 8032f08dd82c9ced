"""Which features are computed, and their computation, when the time for it is not without end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tideline.errors import BudgetExceeded, SpecError
from tideline.features.convolutions import plan_convolutions
from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
from tideline.panel import Panel
from tideline.spec import ExtractionSpec
from tideline.wording import counted
from training.clock import Clock
from training.journal import Journal
from training.table import new_matrix

OPEN_SETS = ("tideline", "efficient")
"""What is computed when the spec leaves the features open: the first that is not too much."""
FALLBACK_SET = "minimal"
MOST_FEATURES = 10_000
"""Over how many features the views are left out, for a search through tables of few cases."""
OPEN_SHARE = 0.35
"""Of the time left, what extraction may take when the spec leaves the features open."""
ASKED_SHARE = 0.9
"""The same when the spec names the features: they are computed or the run is refused."""
CONVOLUTIONS_SHARE = 0.25
"""Of the time left, what random convolutions may take."""
MOST_CONVOLUTIONS = 20_000
FEWEST_CONVOLUTIONS = 1_000
MOST_CELLS = 40_000_000
"""Cases times convolutions: a ridge on them takes the square of the smaller of the two."""
SAMPLE = 20
"""How many cases are tried, together, for cases cost less together than alone."""
SAMPLING_SECONDS = 0.1
"""What one case may take for more of them to be tried."""
EARLY = 0.2
"""The share of its time after which the pace of an extraction is held against that time."""


class TooSlowError(Exception):
    """An extraction will not end in its time; raised out of it, and never out of this module."""


@dataclass(frozen=True)
class Means:
    """What an extraction is done with.

    Attributes
    ----------
    clock, journal
        What is left, and whom to tell.
    workers
        How many threads.
    path
        The file that gets the features: float32 array of shape (n_cases, n_features).
    """

    clock: Clock
    journal: Journal
    workers: int
    path: Path


def compute_features(panel: Panel, spec: ExtractionSpec, means: Means) -> FeaturePlan:
    """Compute the features that the spec names; where it names none, what the time allows.

    Returns
    -------
    FeaturePlan
        Of the columns in the file.

    Raises
    ------
    BudgetExceeded
        When the first cases, or the pace later on, show that the features would use up the budget.
    """
    kinds = spec.kind_to_fc_parameters
    asked = spec.default_fc_parameters
    # As in tsfresh: where only channels are named, the others have no features.
    if asked is None and not kinds:
        return _open_features(panel, means)
    plan = FeaturePlan.for_panel(panel, asked, kinds)
    compute_plan(panel, plan, means)
    return plan


def compute_convolutions(panel: Panel, means: Means) -> FeaturePlan | None:
    """Compute random convolutions, as many as the cases and the time allow; None for none."""
    wanted = int(np.clip(MOST_CELLS // panel.n_cases, FEWEST_CONVOLUTIONS, MOST_CONVOLUTIONS))
    while wanted >= FEWEST_CONVOLUTIONS:
        plan = plan_convolutions(panel, features=wanted)
        try:
            _compute(panel, plan, CONVOLUTIONS_SHARE, means)
        except TooSlowError as slow:
            means.journal.say(f"{wanted} convolutions {slow}; fewer do")
            wanted //= 4
            continue
        return plan
    means.journal.notice("no random convolutions are computed: there is no time for them.")
    return None


def _open_features(panel: Panel, means: Means) -> FeaturePlan:
    """Compute the first of the sets that are tried whose size and time are not too much."""
    for name in OPEN_SETS:
        try:
            plan = FeaturePlan.for_panel(panel, name)
        except SpecError as error:
            # A channel is named as a view of another is.
            means.journal.notice(f"the {name} set is left out: {error.message}")
            continue
        if name != OPEN_SETS[-1] and len(plan.features) > MOST_FEATURES:
            means.journal.notice(
                f"the {name} set would be {len(plan.features)} features of "
                f"{len(panel.channels)} channels, over {MOST_FEATURES}: fewer are computed."
            )
            continue
        try:
            _compute(panel, plan, OPEN_SHARE, means)
        except TooSlowError as slow:
            told = f"the {name} features {slow}, over a third of the time left; fewer do."
            means.journal.notice(told)
            continue
        return plan
    plan = FeaturePlan.for_panel(panel, FALLBACK_SET)
    means.journal.notice(f"the {FALLBACK_SET} set is computed.")
    compute_plan(panel, plan, means)
    return plan


def compute_plan(panel: Panel, plan: FeaturePlan, means: Means) -> None:
    """Compute the features of a plan, all of them.

    Raises
    ------
    BudgetExceeded
        When the first cases, or the pace later on, show that they would use up the budget.
    """
    clock = means.clock
    try:
        _compute(panel, plan, ASKED_SHARE, means)
    except TooSlowError as slow:
        raise BudgetExceeded(
            f"the features {slow}, and {max(clock.remaining, 0):.0f} s of the budget of "
            f"{clock.budget:g} s are left.",
            mend="Raise budget, or name a smaller set in extract_features.default_fc_parameters.",
            field="budget",
        ) from slow


def compute_again(panel: Panel, plan: FeaturePlan, means: Means) -> None:
    """Compute the features of a plan that the run has computed before, whatever time is left.

    They were promised when the plan was accepted, and time enough was given for them: see
    `training.features.seconds_to_repeat`.
    """
    means.journal.say(f"{len(plan.features)} features of an earlier start are computed again")
    _fill(panel, plan, math.inf, means)


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


def _compute(panel: Panel, plan: FeaturePlan, share: float, means: Means) -> None:
    """Compute the features, unless that takes more than a share of the time that is left."""
    seconds = projected_seconds(panel, plan) / means.workers
    # Of what is left now: the projection has paid for imports and compilation.
    limit = share * means.clock.remaining
    if seconds > limit:
        raise TooSlowError(f"would take about {seconds:.0f} s")
    means.journal.say(
        f"{len(plan.features)} features of {panel.n_cases} cases, about {seconds:.0f} s "
        f"in {counted(means.workers, 'thread')}"
    )
    _fill(panel, plan, limit, means)


def _fill(panel: Panel, plan: FeaturePlan, limit: float, means: Means) -> None:
    """Compute the features, as long as their pace is such that they take no longer than a limit."""
    watch = _paced(means.journal.counter("cases"), time.monotonic(), limit)
    matrix = new_matrix(means.path, panel.n_cases, len(plan.features))
    extract(panel, plan, workers=means.workers, progress=watch, out=matrix)
    matrix.flush()


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

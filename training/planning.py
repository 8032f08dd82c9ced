"""Which features are computed, and their computation, when the time for it is not without end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from tideline.errors import BudgetExceeded, SpecError
from tideline.features.convolutions import plan_convolutions
from tideline.features.extraction import chunks_of, extract
from tideline.features.plan import FeaturePlan
from tideline.panel import Panel
from tideline.spec import ExtractionSpec
from tideline.wording import counted
from training.clock import Clock
from training.journal import Journal
from training.table import new_matrix

OPEN_SETS: Mapping[str, int] = MappingProxyType(
    {
        "tideline": 10_000,
        "efficient": 10_000,
        "tideline_quarters": 10_000,
        "tideline_halves": 10_000,
        "tideline_outline": 100_000,
    }
)
"""What is computed when the spec leaves the features open: the first that is not too much.

And how many features are too much, for a search through tables of few cases; more channels than
these sets are for have a few of each.
"""
FALLBACK_SET = "minimal"
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
MANY_CASES = 4_000
CONVOLUTIONS_OF_MANY = 3_000
"""Convolutions where there are more cases than that: a ridge takes the cube of the smaller."""
SAMPLES: Mapping[int, float] = MappingProxyType({20: 0.1, 4: 0.5})
"""How many cases are tried, together, for cases cost less together than alone.

And the seconds that one case may take for so many of them to be tried."""
EARLY = 0.2
"""The share of its time after which the pace of an extraction is held against that time."""


class TooSlowError(Exception):
    """An extraction will not end in its time; raised out of it, and never out of this module."""


class _LeftOutError(Exception):
    """A set of features is too much, and why; never raised out of this module."""


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
    for wanted in sizes_of_convolutions(panel.n_cases):
        plan = plan_convolutions(panel, features=wanted)
        try:
            _compute(panel, plan, CONVOLUTIONS_SHARE, means)
        except TooSlowError as slow:
            means.journal.say(f"{wanted} convolutions {slow}; fewer do")
            continue
        return plan
    means.journal.notice("no random convolutions are computed: there is no time for them.")
    return None


def sizes_of_convolutions(n_cases: int) -> list[int]:
    """Return how many random convolutions are tried, the most first."""
    limit = MOST_CONVOLUTIONS if n_cases <= MANY_CASES else CONVOLUTIONS_OF_MANY
    most = int(np.clip(MOST_CELLS // n_cases, FEWEST_CONVOLUTIONS, limit))
    halvings = int(math.log2(most / FEWEST_CONVOLUTIONS))
    return [most >> n for n in range(halvings + 1)]


def _open_features(panel: Panel, means: Means) -> FeaturePlan:
    """Compute the first of the sets that are tried whose size and time are not too much."""
    left_out: list[str] = []
    for name, most in OPEN_SETS.items():
        try:
            plan = _open_set(panel, name, most, means)
        except _LeftOutError as error:
            means.journal.say(f"the {name} set {error}; fewer features do")
            left_out.append(f"{name} {error}")
            continue
        _tell_set(name, left_out, means)
        return plan
    _tell_set(FALLBACK_SET, left_out, means)
    plan = FeaturePlan.for_panel(panel, FALLBACK_SET)
    compute_plan(panel, plan, means)
    return plan


def _open_set(panel: Panel, name: str, most: int, means: Means) -> FeaturePlan:
    size = FeaturePlan.size_for_panel(panel, name)
    if size > most:
        n_channels = counted(len(panel.channels), "channel")
        raise _LeftOutError(f"would be {size} features of {n_channels}, over {most}")
    try:
        plan = FeaturePlan.for_panel(panel, name)
        _compute(panel, plan, OPEN_SHARE, means)
    except SpecError as error:
        # A channel is named as a view of another is.
        raise _LeftOutError(f"cannot be had ({error.message})") from error
    except TooSlowError as slow:
        raise _LeftOutError(f"{slow}, over a third of the time left") from slow
    return plan


def _tell_set(name: str, left_out: list[str], means: Means) -> None:
    if left_out:
        means.journal.notice(f"the features are those of the {name} set: {'; '.join(left_out)}.")


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


def projected_seconds(panel: Panel, plan: FeaturePlan, workers: int = 1) -> float:
    """Return the time that all cases need, from a few of them.

    The few are spread over the lengths, since some calculators take the square of a length; where
    one case takes long, it stands for all, so that planning does not use up what it plans for.
    What a chunk of cases takes however few they are, which of many channels is most of it, counts
    once a chunk.

    Parameters
    ----------
    workers
        How many threads share the cases.
    """
    lengths = np.sum([channel.lengths for channel in panel.channels.values()], axis=0)
    by_length = np.argsort(lengths, kind="stable")
    middle = by_length[[panel.n_cases // 2]]
    # The first call pays for imports and compilation, once.
    extract(panel.take(middle), plan)
    alone = _timed(panel.take(middle), plan)
    n_tried = next((n for n, longest in SAMPLES.items() if alone <= longest), 1)
    if n_tried == 1 or panel.n_cases <= n_tried:
        return alone * panel.n_cases / workers
    spread = np.linspace(0, panel.n_cases - 1, n_tried).astype(int)
    together = _timed(panel.take(by_length[spread]), plan)
    each = max(0.0, together - alone) / (n_tried - 1)
    n_chunks = len(chunks_of(panel, workers, len(plan.features)))
    return max(0.0, alone - each) * n_chunks + each * panel.n_cases / workers


def _timed(panel: Panel, plan: FeaturePlan) -> float:
    began = time.monotonic()
    extract(panel, plan)
    return time.monotonic() - began


def _compute(panel: Panel, plan: FeaturePlan, share: float, means: Means) -> None:
    """Compute the features, unless that takes more than a share of the time that is left."""
    seconds = projected_seconds(panel, plan, means.workers)
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

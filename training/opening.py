"""The first comparison of a search: of the portfolio, as far as time and `until` let it go."""

from __future__ import annotations

from collections.abc import Sequence

from training.candidate import Candidate
from training.finder import Finder
from training.portfolio import FEWER_TREES, SHARE_OF, TREES, default_blend, forest
from training.schedule import FOREST_SHARE, PORTFOLIO_SHARE, Schedule
from training.tools import Tools


def compare_portfolio(finder: Finder, candidates: Sequence[Candidate], deadline: float) -> None:
    """Compare the candidates of the portfolio.

    Where `until` names a score or a number of pipelines, the first of them and the members of the
    default blend are evaluated all the same, and the others only as far as it asks for more.

    Parameters
    ----------
    deadline
        On `time.monotonic`; it does not count before one has succeeded.
    """
    if not finder.until.ends_comparisons:
        finder.compare(candidates, deadline, enough=1)
        return
    least = {candidates[0].key, *(candidate.key for candidate in default_blend(candidates))}
    first = [candidate for candidate in candidates if candidate.key in least]
    finder.compare(first, deadline, enough=1)
    finder.compare_further([c for c in candidates if c.key not in least], deadline)


def add_forests(finder: Finder, random_state: int, tools: Tools) -> None:
    """Try larger forests, where `until` asks for more and the time will do for all their fits.

    Where it will not do, those that an earlier start has evaluated are known all the same.
    """
    small = next((found for found in finder.found if found.candidate.is_forest), None)
    if small is None:
        return
    part, schedule = finder.part, Schedule(tools.clock)
    task = part.target.task
    families = [family for family in SHARE_OF if family in part.table.files]
    if task == "regression":
        families = families[:1]
    large = [forest(task, family, random_state, TREES) for family in families]
    known = [each for each in large if tools.ledger.find(part.name, each.key) is not None]
    # Each fold, all cases, and the held-out ones; outer folds do with fewer trees.
    fits = (len(large) - len(known)) * (part.n_folds + 2)
    seconds = fits * small.trial.fit_seconds * TREES / FEWER_TREES
    if fits and seconds / tools.workers.count > FOREST_SHARE * schedule.left:
        tools.journal.say(f"{TREES} trees would take too long: {FEWER_TREES} do")
        large = known
    finder.compare_further(large, schedule.at(PORTFOLIO_SHARE))

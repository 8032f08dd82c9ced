"""How the time for TPOT is shared between the search on all cases and those in outer folds."""

from __future__ import annotations

from dataclasses import dataclass

from training.schedule import FIT_SHARE

LEAST_SEARCH = 10.0
"""Seconds below which TPOT is not asked: it needs some to be imported, and to begin."""
LEAST_NESTED = 5.0
"""The same for an outer fold, where TPOT is imported already and there are fewer cases."""
SURELY = 1.25
"""What is reckoned with of a search beyond its least: the estimate comes before the comparisons."""
FITS_TO_SPARE = 2.0
"""As many of the last fits as are to find room: chosen models are slower than the default."""


@dataclass(frozen=True)
class SearchTime:
    """The seconds that TPOT may have in all.

    Half of them are for all cases and the outer folds share the other half, but no outer fold has
    less than it takes.

    Attributes
    ----------
    seconds
        Below zero where there are none.
    n_outer
        Outer folds to search in; none where a part is held out.
    """

    seconds: float
    n_outer: int

    @classmethod
    def before(cls, last_fits: float, left: float, n_outer: int) -> SearchTime:
        """Return what the last fits leave.

        Parameters
        ----------
        last_fits
            Seconds that it takes to fit the default to all cases, and without each held-out part.
        left
            Seconds until everything has to be fitted.
        """
        return cls(left - max(FIT_SHARE * left, FITS_TO_SPARE * last_fits), n_outer)

    @property
    def each(self) -> float:
        """What the search in an outer fold has, if `is_enough`."""
        return max(LEAST_NESTED, self.seconds / 2 / self.n_outer) if self.n_outer else 0.0

    @property
    def main(self) -> float:
        """What is left for the search on all cases, if `is_enough`."""
        return self.seconds - self.n_outer * self.each

    @property
    def is_enough(self) -> bool:
        """Whether TPOT can be asked."""
        return self.main >= LEAST_SEARCH

    @property
    def is_surely_enough(self) -> bool:
        """Whether it will be, were the seconds a little fewer than they seem."""
        return self.seconds >= SURELY * least_for(self.n_outer)

    def told_as_too_short(self, budget: float) -> str:
        """Return in words that TPOT is not asked, and that it would be with another budget."""
        where = mend = ""
        if self.n_outer:
            where = f" for a search on all cases and in {self.n_outer} outer folds"
            mend = ", or test_fraction: 0.25, with one search"
        least = least_for(self.n_outer)
        return (
            f"TPOT was not asked: it would have {max(self.seconds, 0):.0f} s{where}, and takes "
            f"{least:g} s at least. A budget of about {budget:g} s would do{mend}."
        )


def least_for(n_outer: int) -> float:
    """Return the seconds that TPOT has to have in all, with so many outer folds to search in."""
    return LEAST_SEARCH + n_outer * LEAST_NESTED


def least_left(last_fits: float, n_outer: int) -> float:
    """Return what has to be left for TPOT to be asked surely; the parameters as of `SearchTime`."""
    least = SURELY * least_for(n_outer)
    return max(least / (1 - FIT_SHARE), least + FITS_TO_SPARE * last_fits)

"""Compares a kernel with tsfresh's own function, and says when floating point alone differs.

Equal means: NaN in the same places, and within 1e-9 relative or 1e-12 absolute. Where a value
differs by more, it is let through only if tsfresh's own value is no better known: when each value
of the series is moved by one unit in the last place, equal values alike, tsfresh's value must move
as far, or land on ours (an exact tie, or a sum that cancels). A count, and a share of the series'
values, must land. Series of whole numbers are summed without any rounding, so that no tie is let
through for those, and nothing at all for constant series.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tideline.features.batch import Batch
from tideline.features.reference import reference_values

RELATIVE, ABSOLUTE = 1e-9, 1e-12
NUDGES = 16

SHAPES = (
    "noise", "walk", "sine", "steps", "spikes", "constant", "nearly constant", "whole", "few",
    "tiny", "huge", "ascending", "heavy",
)  # fmt: skip


def shaped(shape: str, length: int, seed: int) -> np.ndarray:
    """Return a series of one of the shapes, float64 of shape (length,)."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=length)
    time = np.arange(length)
    made = {
        "noise": lambda: noise,
        "walk": noise.cumsum,
        "sine": lambda: np.sin(time * rng.uniform(0.05, 2)) + 0.1 * noise,
        "steps": lambda: np.repeat(noise, 8)[:length],
        "spikes": lambda: np.where(rng.random(length) < 0.05, 1e6 * noise, 0.01 * noise),
        "constant": lambda: np.full(length, noise[0]),
        "nearly constant": lambda: 1.0 + 1e-9 * noise,
        "whole": lambda: rng.integers(-6, 7, length),
        "few": lambda: rng.integers(0, 2, length),
        "tiny": lambda: noise * 1e-100,
        "huge": lambda: noise * 1e100,
        "ascending": lambda: time,
        "heavy": lambda: rng.standard_cauchy(length),
    }[shape]()
    return np.ascontiguousarray(made, dtype=np.float64)


@st.composite
def series(draw: st.DrawFn, shortest: int = 1, longest: int = 2000) -> np.ndarray:
    """Draw a finite series; short ones more often than long ones."""
    length = draw(
        st.integers(shortest, 40) | st.integers(shortest, 300) | st.integers(shortest, longest)
    )
    return shaped(draw(st.sampled_from(SHAPES)), length, draw(st.integers(0, 2**32 - 1)))


@st.composite
def broken_series(draw: st.DrawFn, longest: int = 200) -> np.ndarray:
    """Draw a series with NaN or infinities in some places."""
    drawn = draw(series(longest=longest)).copy()
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, drawn.size - 1))
        drawn[place] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    return drawn


def in_range(case: np.ndarray) -> np.ndarray:
    """Return the series with no power beyond the range of floats: there tsfresh never returns."""
    finite = np.abs(case[np.isfinite(case)])
    size = finite.max(initial=0)
    return case if 1e-6 < size < 1e12 else case / (size or 1)


def kernel_values(
    family: str, calculator: str, arguments: Sequence[dict[str, Any]], cases: Sequence[np.ndarray]
) -> np.ndarray:
    """Return what a kernel gives for some series, shape (n_cases, n_arguments)."""
    module = importlib.import_module(f"tideline.features.kernels.{family}")
    offsets = np.concatenate([[0], np.cumsum([case.size for case in cases])]).astype(np.int64)
    # Nothing may be left as it was found: whatever a kernel does not fill would show.
    out = np.full((len(cases), len(arguments)), -12345.678)
    with np.errstate(all="ignore"):
        getattr(module, calculator)(arguments)(Batch(np.concatenate(cases), offsets), out)
    return out


def require_parity(
    family: str,
    calculator: str,
    arguments: Sequence[dict[str, Any]],
    *cases: np.ndarray,
) -> None:
    """Fail unless the kernel gives tsfresh's values for every series, in one batch and alone."""
    together = kernel_values(family, calculator, arguments, cases)
    for case, values in zip(cases, together, strict=True):
        alone = kernel_values(family, calculator, arguments, [case])[0]
        np.testing.assert_array_equal(alone, values, "a case's values depend on its batch")
        require_values(calculator, arguments, case, values)


def require_values(
    calculator: str, arguments: Sequence[dict[str, Any]], case: np.ndarray, values: np.ndarray
) -> None:
    """Fail unless the values are tsfresh's for a series, noise of floating point apart."""
    expected = own(calculator, arguments, case)
    if not all(map(equal, values, expected)):
        _require_noise(calculator, arguments, case, values, expected)


def own(calculator: str, arguments: Sequence[dict[str, Any]], case: np.ndarray) -> np.ndarray:
    """Return tsfresh's values; NaN for all of them where it fails on the series."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return np.array(reference_values(calculator, arguments, case), dtype=np.float64)
        except Exception:  # noqa: BLE001 - whatever it is: there is no value to be equal to
            return np.full(len(arguments), np.nan)


def equal(ours: float, theirs: float) -> bool:
    """Return whether two values are equal in the sense of this module."""
    if np.isnan(ours) or np.isnan(theirs):
        return bool(np.isnan(ours) and np.isnan(theirs))
    if np.isinf(ours) or np.isinf(theirs):
        return bool(ours == theirs)
    return bool(abs(ours - theirs) <= max(RELATIVE * abs(theirs), ABSOLUTE))


def _require_noise(
    calculator: str,
    arguments: Sequence[dict[str, Any]],
    case: np.ndarray,
    ours: np.ndarray,
    theirs: np.ndarray,
) -> None:
    unequal = [k for k in range(len(arguments)) if not equal(ours[k], theirs[k])]
    told = [f"{arguments[k]}: ours {ours[k]!r}, tsfresh's {theirs[k]!r}" for k in unequal[:5]]
    message = f"{calculator} of {case[:8]!r}... ({case.size} values): {told}"
    assert np.ptp(case) > 0, message
    whole = np.array_equal(case, np.round(case))
    nudged = np.array([own(calculator, arguments, each) for each in _neighbours(case)])
    for k in unequal:
        around = np.append(nudged[:, k], theirs[k])
        lands = not whole and any(equal(ours[k], value) for value in around)
        lands = lands or _rests_of_a_line(calculator, arguments[k], case, (ours[k], theirs[k]))
        lands = lands or _rests_of_a_sum(calculator, arguments[k], case, (ours[k], theirs[k]))
        assert lands or _between(ours[k], theirs[k], around, case.size), (
            f"{message}; its neighbours give {around[:4]}"
        )


def _neighbours(case: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the series with each of its values one unit in the last place up or down, or as is.

    Equal values move alike, so that ties stay; zeros and infinities, which are exact, stay too.
    """
    rng = np.random.default_rng(case.size)
    levels, places = np.unique(case, return_inverse=True)
    exact = (levels == 0) | ~np.isfinite(levels)
    for _ in range(NUDGES):
        ways = np.where(exact, 0, rng.integers(-1, 2, levels.size))
        moved = np.nextafter(levels, np.where(ways > 0, np.inf, -np.inf))
        yield np.where(ways == 0, levels, moved)[places]


def _between(ours: float, theirs: float, around: np.ndarray, size: int) -> bool:
    """Return whether tsfresh's own value moves as far as the two are apart.

    What is counted does not move by rounding but from one count to another: ours must be one of
    those that tsfresh gives.
    """
    if not np.isfinite([ours, theirs]).all():
        return False
    known = around[np.isfinite(around)]
    if _counted(np.append(known, ours), size):
        return False
    with np.errstate(over="ignore"):
        return bool(abs(ours - theirs) <= np.ptp(known))


def _rests_of_a_line(
    calculator: str, argument: dict[str, Any], case: np.ndarray, found: tuple[float, float]
) -> bool:
    """Return whether two standard errors of a slope differ by no more than rounding explains.

    Their square is (1 - r^2) slope^2 / (r^2 (n - 2)). Where the points lie on a line, 1 - r^2 is
    what rounding has left of it: r comes of sums of n products, each of which may be n units of
    the last place off, which makes some units of slope^2 of the whole.
    """
    if argument.get("attr") != "stderr" or not np.isfinite(found).all():
        return False
    [slope] = own(calculator, [{**argument, "attr": "slope"}], case)
    return bool(abs(found[0] ** 2 - found[1] ** 2) <= 4 * np.finfo(float).eps * slope**2)


def _rests_of_a_sum(
    calculator: str, argument: dict[str, Any], case: np.ndarray, found: tuple[float, float]
) -> bool:
    """Return whether two slopes over chunks differ by no more than rounding explains.

    A slope is a weighted sum of the chunks' values, less their mean: each of these is off by a unit
    in the last place of the greatest value, however little the sum leaves of them.
    """
    if calculator != "agg_linear_trend" or argument["f_agg"] not in ("max", "min", "mean"):
        return False
    if argument["attr"] not in ("slope", "intercept") or not np.isfinite(found).all():
        return False
    return bool(abs(found[0] - found[1]) <= 4 * np.finfo(float).eps * np.abs(case).max())


def _counted(values: np.ndarray, size: int) -> bool:
    """Return whether all values are counts, or shares of the series' values."""
    with np.errstate(over="ignore", invalid="ignore"):
        counts = values * size
        whole = np.abs(counts - np.round(counts)) <= 1e-9 * np.minimum(1, np.abs(counts))
    return bool(np.all(whole & (np.abs(values) <= size)))

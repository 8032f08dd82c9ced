"""Kernels of the calculators that fit a Langevin model.

The change to the next value, as a polynomial of the value, fitted to the means of quantiles
(Friedrich et al. 2000, "Extracting model equations from experimental data").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.order import count_known, quantile_of
from tideline.features.kernels.polynomials import (
    DOUBT,
    fit_polynomials,
    largest_roots,
    largest_roots_by_numpy,
    polynomial_by_numpy,
)
from tideline.features.kernels.sums import longest, sum_between
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

_ODD = -1
# pandas names the quantiles by their edges, rounded: close together or at the end of the range of
# floats, two may get one name and count as one. Farther from that, names do not matter.
_CLOSE = 1e-14
_SMALLEST, _LARGEST = 1e-280, 1e280


@dataclass(frozen=True)
class _Dynamics:
    """The points of the cases, laid out as their values are, and the polynomials through them."""

    x: FloatArray
    y: FloatArray
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    coefficients: FloatArray
    doubts: FloatArray

    def largest_roots(self) -> FloatArray:
        """Return the largest real part of each polynomial's roots, shape (n_cases,)."""
        roots, doubts = largest_roots(self.coefficients, self.doubts)
        doubtful = np.flatnonzero(doubts > DOUBT)
        if doubtful.size:
            roots[doubtful] = largest_roots_by_numpy(
                np.array([self._coefficients_by_numpy(int(case)) for case in doubtful])
            )
        return roots

    def _coefficients_by_numpy(self, case: int) -> FloatArray:
        coefficients: FloatArray = self.coefficients[case]
        if self.doubts[case] == 0:
            return coefficients
        points = slice(self.starts[case], self.starts[case] + self.counts[case])
        return polynomial_by_numpy(self.x[points], self.y[points], coefficients.size - 1)


def friedrich_coefficients(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `friedrich_coefficients`: highest power first; NaN beyond the last."""
    models = []
    for degree, quantiles in dict.fromkeys((each["m"], each["r"]) for each in arguments):
        columns = [
            column
            for column, each in enumerate(arguments)
            if (each["m"], each["r"]) == (degree, quantiles) and each["coeff"] <= degree
        ]
        places = [arguments[column]["coeff"] for column in columns]
        models.append((degree, quantiles, np.array(columns, dtype=np.intp), places))
    beyond = [column for column, each in enumerate(arguments) if each["coeff"] > each["m"]]

    def kernel(batch: Batch, out: FloatArray) -> None:
        for degree, quantiles, columns, places in models:
            out[:, columns] = _dynamics(batch, degree, quantiles).coefficients[:, places]
        out[:, beyond] = np.nan

    return kernel


def max_langevin_fixed_point(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `max_langevin_fixed_point`: the largest real part of the roots."""

    def kernel(batch: Batch, out: FloatArray) -> None:
        for column, each in enumerate(arguments):
            out[:, column] = _dynamics(batch, each["m"], each["r"]).largest_roots()

    return kernel


def _dynamics(batch: Batch, degree: int, quantiles: int) -> _Dynamics:
    return batch.shared(
        ("dynamics", degree, quantiles), lambda: _fit_dynamics(batch, degree, quantiles)
    )


def _fit_dynamics(batch: Batch, degree: int, quantiles: int) -> _Dynamics:
    # No case has more points than values: each is the mean of some.
    x, y = np.empty_like(batch.values), np.empty_like(batch.values)
    starts = batch.offsets[:-1]
    counts = np.zeros(batch.n_cases, dtype=np.int64)
    shares = _shares(quantiles)
    _average(batch.values, batch.offsets, batch.ascending, shares, x, y, counts)
    for case in np.flatnonzero(counts == _ODD):
        start, stop = batch.offsets[case : case + 2]
        points = _average_by_pandas(batch.values, start, stop, quantiles)
        counts[case] = len(points)
        kept = slice(start, start + len(points))
        x[kept], y[kept] = points.T
    return _Dynamics(x, y, starts, counts, *fit_polynomials(x, y, starts, counts, degree))


@cache
def _shares(quantiles: int) -> FloatArray:
    """Return the shares at which `pandas.qcut` cuts, rounded as it rounds them."""
    shares = np.linspace(0, 1, quantiles + 1)
    low = quantiles * shares != np.arange(quantiles + 1)
    shares[low] = np.nextafter(shares[low], 1)
    return shares


def _average_by_pandas(values: FloatArray, start: int, stop: int, quantiles: int) -> FloatArray:
    """Return the points of a series, of shape (n_points, 2), none where `qcut` fails."""
    pairs = pd.DataFrame({"value": values[start : stop - 1], "change": np.diff(values[start:stop])})
    try:
        groups = pd.qcut(pairs["value"], quantiles)
    except (ValueError, IndexError):
        return np.empty((0, 2))
    means: FloatArray = pairs.groupby(groups, observed=True).mean().dropna().to_numpy()
    return means


@compiled
def _average(
    values: FloatArray,
    offsets: NDArray[np.int64],
    ascending: FloatArray,
    shares: FloatArray,
    x: FloatArray,
    y: FloatArray,
    counts: NDArray[np.int64],
) -> None:
    """Fill the points of each case: of each quantile, the mean value and the mean change.

    Nothing is filled where the edges of the quantiles are not distinct; the count is `_ODD` where
    only pandas can tell whether they are.
    """
    edges = np.empty(shares.size)
    sums = np.empty((2 * shares.size, 3))
    changes = np.empty(longest(offsets))
    for case in range(counts.size):
        start, stop = offsets[case], offsets[case + 1]
        known = _fill_edges(ascending[start:stop], values[stop - 1], shares, edges)
        counts[case] = 0
        if known > 0:
            counts[case] = _count_edges(edges)
        if counts[case] > 0:
            _sum_quantiles(values[start:stop], edges, sums, changes)
            counts[case] = _collect(sums, x[start:stop], y[start:stop])


@compiled
def _fill_edges(ascending: FloatArray, last: float, shares: FloatArray, edges: FloatArray) -> int:
    """Fill the quantiles of a series without its last value, and count the numbers there.

    None are counted where there are infinities among them.
    """
    known, left_out = count_known(ascending), ascending.size
    if not np.isnan(last):
        left_out = _place(ascending, 0, known, last)
        known -= 1
    if known <= 0:
        return 0
    for k in range(shares.size):
        edges[k] = quantile_of(ascending, known, left_out, shares[k])
    # Infinities among the values have made NaN of the first or the last edge.
    return known if np.isfinite(edges[0]) and np.isfinite(edges[-1]) else 0


@compiled
def _place(ascending: FloatArray, start: int, count: int, value: float) -> int:
    """Return the first place, of `count` from `start`, that holds the value or a greater one."""
    while count > 0:
        half = count // 2
        if ascending[start + half] < value:
            start += half + 1
            count -= half + 1
        else:
            count = half
    return start


@compiled
def _count_edges(edges: FloatArray) -> int:
    """Return how many quantiles there are; 0 where edges coincide; `_ODD` where they nearly do."""
    if edges.size == 2:
        return 1
    count = edges.size - 1
    for k in range(edges.size):
        size = abs(edges[k])
        if size > _LARGEST or 0 < size < _SMALLEST:
            count = _ODD
        if k > 0:
            gap = edges[k] - edges[k - 1]
            if gap == 0:
                return 0
            if not gap > _CLOSE * max(size, abs(edges[k - 1])):
                count = _ODD
    return count


@compiled
def _sum_quantiles(
    series: FloatArray, edges: FloatArray, sums: FloatArray, changes: FloatArray
) -> None:
    """Add up the values of each quantile, a row each, and in as many rows more their changes."""
    for row in range(sums.shape[0]):
        for column in range(sums.shape[1]):
            sums[row, column] = 0.0
    latest, ordered = 0, True
    for i in range(series.size - 1):
        changes[i] = series[i + 1] - series[i]
        if np.isnan(series[i]):
            ordered = False
            continue
        group = max(_place(edges, 0, edges.size, series[i]) - 1, 0)
        ordered = ordered and group >= latest
        latest = group
        _add(sums, group, series[i])
        _add(sums, group + edges.size, changes[i])
    if ordered:
        _sum_runs(series, 0, sums)
        if not np.isnan(series[-1]):
            _sum_runs(changes, edges.size, sums)


@compiled
def _sum_runs(x: FloatArray, first: int, sums: FloatArray) -> None:
    """Add up anew, as `numpy.add.reduceat` does: pandas has it do so where quantiles are runs."""
    start = 0
    for row in range(first, first + sums.shape[0] // 2):
        count = int(sums[row, 2])
        if count > 0:
            rest = start + 1
            sums[row, 0] = x[start] + sum_between(x, rest, count - 1)
            start += count


@compiled
def _add(sums: FloatArray, row: int, value: float) -> None:
    """Add to a row of sum, what rounding has lost of it (Kahan 1965, as pandas does), and count."""
    if np.isnan(value):
        return
    term = value - sums[row, 1]
    total = sums[row, 0] + term
    lost = total - sums[row, 0] - term
    sums[row, 1] = 0.0 if np.isnan(lost) else lost  # of infinities
    sums[row, 0] = total
    sums[row, 2] += 1


@compiled
def _collect(sums: FloatArray, x: FloatArray, y: FloatArray) -> int:
    """Fill the means of the quantiles that have both, and count them."""
    count, groups = 0, sums.shape[0] // 2
    for row in range(groups):
        value = sums[row, 0] / sums[row, 2]
        change = sums[row + groups, 0] / sums[row + groups, 2]
        if not (np.isnan(value) or np.isnan(change)):
            x[count], y[count] = value, change
            count += 1
    return count

"""Kernels of the calculators that fit a straight line: scipy's `linregress` over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from tideline.features.kernels.aggregates import CODES, aggregate
from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.sums import longest, sum_between
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

_ATTRIBUTES = ("slope", "intercept", "rvalue", "stderr", "pvalue")
_PVALUE = _ATTRIBUTES.index("pvalue")
_SUM = CODES["sum"]
_TINY = 1e-20  # scipy's, against division by zero where the correlation is perfect


def linear_trend(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `linear_trend`: the line through a series, in chunks of one value."""
    return agg_linear_trend([{**each, "chunk_len": 1, "f_agg": "sum"} for each in arguments])


def agg_linear_trend(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `agg_linear_trend`: lines through the aggregates of chunks.

    Each line is fitted once.
    """
    asked = [(each["chunk_len"], CODES[each["f_agg"]]) for each in arguments]
    lines = list(dict.fromkeys(asked))
    attributes = [_ATTRIBUTES.index(each["attr"]) for each in arguments]
    places = np.array(
        [(lines.index(line), attribute) for line, attribute in zip(asked, attributes, strict=True)],
        dtype=np.int64,
    )
    chunks = np.array(lines, dtype=np.int64)
    tested = np.flatnonzero(places[:, 1] == _PVALUE)
    widths = chunks[places[tested, 0], 0]

    def kernel(batch: Batch, out: FloatArray) -> None:
        _fit_lines(batch.values, batch.offsets, chunks, places, out)
        if tested.size:
            out[:, tested] = _probabilities(out[:, tested], batch.lengths, widths)

    return kernel


def _probabilities(
    statistics: FloatArray, lengths: NDArray[np.int64], widths: NDArray[np.int64]
) -> FloatArray:
    """Return the two-sided probabilities of Student's t, of shape (n_cases, n_widths)."""
    points = -(-lengths[:, np.newaxis] // widths)
    # With two points t is zero or infinite, and its probability the same for any freedom.
    freedom = np.maximum(points - 2, 1)
    probabilities: FloatArray = 2 * stdtr(freedom, -np.abs(statistics))
    return probabilities


@compiled
def _fit_lines(
    values: FloatArray,
    offsets: NDArray[np.int64],
    chunks: NDArray[np.int64],
    places: NDArray[np.int64],
    out: FloatArray,
) -> None:
    """Fill `out`; with the statistic t in the place of each p-value.

    Parameters
    ----------
    values, offsets
        The series.
    chunks : int64 array of shape (n_lines, 2)
        The length of the chunks and the code of the aggregate of each line.
    places : int64 array of shape (n_arguments, 2)
        Which line, and which of its attributes, each column of `out` takes.
    """
    room = longest(offsets)
    points, work = np.empty(room), np.empty(room)
    fits = np.empty((chunks.shape[0], len(_ATTRIBUTES)))
    for case in range(out.shape[0]):
        start, stop = offsets[case], offsets[case + 1]
        for line in range(chunks.shape[0]):
            width = chunks[line, 0]
            count = _aggregate_chunks(values[start:stop], width, chunks[line, 1], points, work)
            _fit(points, count, work, fits[line])
        for column in range(out.shape[1]):
            out[case, column] = fits[places[column, 0], places[column, 1]]


@compiled
def _aggregate_chunks(
    x: FloatArray, width: int, code: int, points: FloatArray, work: FloatArray
) -> int:
    """Fill `points` with the aggregate of each chunk, the last one shorter, and count them.

    None where one chunk holds the whole series.
    """
    if width >= x.size:
        return 0
    count = 0
    for start in range(0, x.size, width):
        if width == 1 and code == _SUM:  # of one value, which is the whole of `linear_trend`
            points[count] = x[start]
        else:
            size = min(width, x.size - start)
            points[count] = aggregate(code, x[start : start + size], size, work)
        count += 1
    return count


@compiled
def _fit(y: FloatArray, count: int, work: FloatArray, fit: FloatArray) -> None:
    """Fill `fit` with the attributes of the line through `y[:count]` at 0, 1, 2, ..."""
    for attribute in range(fit.size):
        fit[attribute] = np.nan
    for i in range(count):
        if np.isnan(y[i]):
            return
    if count < 2:
        return
    middle, mean = (count - 1) / 2, sum_between(y, 0, count) / count
    shared = 0.0
    for i in range(count):
        deviation = y[i] - mean
        shared += (i - middle) * deviation
        work[i] = deviation * deviation
    # As numpy.cov does: times the reciprocal of the count, not divided by it.
    share = 1 / count
    across = count * (count * count - 1.0) / 12 * share
    along = sum_between(work, 0, count) * share
    shared *= share
    fit[0] = shared / across
    fit[1] = mean - fit[0] * middle
    fit[2] = _correlation(across, along, shared)
    if count == 2:
        fit[3] = 0.0
        fit[4] = 0.0 if y[0] == y[1] else np.inf
    else:
        r, freedom = fit[2], count - 2
        fit[3] = np.sqrt((1 - r * r) * along / across / freedom)
        fit[4] = r * np.sqrt(freedom / ((1 - r + _TINY) * (1 + r + _TINY)))


@compiled
def _correlation(across: float, along: float, shared: float) -> float:
    if along == 0:
        return np.nan if shared == 0 else 0.0
    r: float = shared / np.sqrt(across * along)
    if r > 1:
        return 1.0
    return -1.0 if r < -1 else r

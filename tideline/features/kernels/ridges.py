"""Peaks of a series by the ridge lines of its wavelet transform.

As `scipy.signal.find_peaks_cwt` counts them, after Du, Kibbe and Lin 2006, "Improved peak detection
in mass spectrum by incorporating continuous wavelet transform-based pattern matching": maxima that
are found at the same place in enough rows of the transform, and above the noise around them. Row by
row they are followed from the widest wavelet, the last row, to the narrowest.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.convolution import same, slack_of, smooth
from tideline.features.kernels.kernel import compiled
from tideline.features.kernels.sums import longest
from tideline.panel import FloatArray

UNDECIDED = -1.0
"""In place of a count that hangs on the order in which `numpy.argsort` leaves ties."""

# What is known of a line: the last row with maxima of it, the first and the last of them there, how
# many they are, and whether another row has more than one; how many it has in all, for how many
# rows it was not seen, and where it ended a row before.
_ROW, _FIRST, _END, _TIED, _TIED_BEFORE, _SIZE, _GAP, _BEFORE = range(8)
_FIELDS = 8
_MOST_ROWS_WITHOUT = 1
_TENTH = 10 / 100.0


@cache
def last_of_two_first() -> NDArray[np.bool_]:
    """Return which of two maxima in a line's last row scipy takes for the line's beginning.

    scipy sorts the rows of a line, which it has found in descending order, by a sort that may
    turn ties around; how, hangs on the processor and on the number of rows.

    Returns
    -------
    bool array
        Whether it is the second, by the number of maxima above those two, each in its own row.
    """
    lasts = []
    for others in range(64):
        rows = np.append(np.arange(others + 1, 1, -1), [1, 1])
        lasts.append(np.argsort(rows)[0] == others + 1)
    return np.array(lasts)


@compiled
def count_peaks(
    values: FloatArray,
    offsets: NDArray[np.int64],
    cases: NDArray[np.intp],
    taps: FloatArray,
    bounds: NDArray[np.int64],
    widths: NDArray[np.int64],
    lasts: NDArray[np.bool_],
    ready: FloatArray,
    out: FloatArray,
) -> None:
    """Fill in the number of peaks of some cases, for wavelets up to each of some widths.

    Parameters
    ----------
    values, offsets
        As in a `Batch`.
    cases
        The positions of the cases.
    taps, bounds
        The wavelets of widths 1, 2, 3 and so on, one after the other, and where each begins.
    widths
        The greatest width that is looked at, one for each column of `out`.
    lasts
        See `last_of_two_first`.
    ready
        The transform of the one case, row after row; empty to have it computed.
    out : float64 array of shape (n_cases, n_widths)
        `UNDECIDED` where a count cannot be told.
    """
    n_rows, most = bounds.size - 1, longest(offsets)
    rows, slacks = np.empty(n_rows * most), np.zeros(n_rows)
    tops = np.empty(n_rows * (most // 2 + 1), dtype=np.int64)
    top_bounds = np.zeros(n_rows + 1, dtype=np.int64)
    lines = np.empty((tops.size, _FIELDS), dtype=np.int64)
    live = np.empty((2 * most + 2, _FIELDS), dtype=np.int64)
    live_at = np.full(most, -1, dtype=np.int64)
    heap = np.empty(most // 100 + 3)
    for case in cases:
        series = values[offsets[case] : offsets[case + 1]]
        if ready.size > 0:
            rows = ready
        else:
            _transform(series, taps, bounds, rows, slacks)
        _find_tops(rows, series.size, tops, top_bounds)
        for k in range(widths.size):
            found = top_bounds[: widths[k] + 1]
            n_lines = _trace(tops, found, live, live_at[: series.size], lines)
            out[case, k] = _count(series, taps, bounds, rows, slacks, lines[:n_lines], lasts, heap)


@compiled
def _transform(
    series: FloatArray,
    taps: FloatArray,
    bounds: NDArray[np.int64],
    rows: FloatArray,
    slacks: FloatArray,
) -> None:
    """Fill in the smoothed series, exact wherever two neighbours may be equal."""
    n = series.size
    greatest = 0.0
    for value in series:
        greatest = max(greatest, abs(value) if np.isfinite(value) else np.inf)
    for r in range(slacks.size):
        row, wavelet = rows[r * n : (r + 1) * n], taps[bounds[r] : bounds[r + 1]]
        smooth(series, wavelet, row)
        slacks[r] = slack_of(wavelet, greatest)
        exact = -1 if slacks[r] > 0 else n
        for i in range(n - 1):
            if i + 1 > exact and not abs(row[i + 1] - row[i]) > slacks[r]:
                if i > exact:
                    row[i] = same(series, wavelet, i)
                row[i + 1] = same(series, wavelet, i + 1)
                exact = i + 1


@compiled
def _find_tops(
    rows: FloatArray, n: int, tops: NDArray[np.int64], bounds: NDArray[np.int64]
) -> None:
    """List the columns in each row that are greater than both of their neighbours."""
    found = 0
    for r in range(bounds.size - 1):
        for i in range(r * n + 1, (r + 1) * n - 1):
            # Without a branch, which no processor would foresee.
            tops[found] = i - r * n
            found += (rows[i] > rows[i - 1]) & (rows[i] > rows[i + 1])
        bounds[r + 1] = found


@compiled
def _trace(
    tops: NDArray[np.int64],
    bounds: NDArray[np.int64],
    live: NDArray[np.int64],
    live_at: NDArray[np.int64],
    lines: NDArray[np.int64],
) -> int:
    """List the lines that are long enough, and return how many there are."""
    n_rows = bounds.size - 1
    shortest = math.ceil(n_rows / 4)
    # Of a literal 0, numba would compile what is called for that too.
    n_lines = n_live = int(np.int64(0))
    for row in range(n_rows - 1, -1, -1):
        n_live = _follow(tops[bounds[row] : bounds[row + 1]], row, n_live, live, live_at)
        kept = 0
        for line in range(n_live):
            if row > 0 and live[line, _GAP] <= _MOST_ROWS_WITHOUT:
                _copy_line(live, line, live, kept)
                kept += 1
            elif live[line, _SIZE] >= shortest:
                _copy_line(live, line, lines, n_lines)
                n_lines += 1
        n_live = kept
    return n_lines


@compiled
def _copy_line(lines: NDArray[np.int64], line: int, others: NDArray[np.int64], other: int) -> None:
    # Field by field: numba takes seconds to compile the copy of a whole row.
    for field in range(_FIELDS):
        others[other, field] = lines[line, field]


@compiled
def _follow(
    tops: NDArray[np.int64],
    row: int,
    n_live: int,
    live: NDArray[np.int64],
    live_at: NDArray[np.int64],
) -> int:
    """Lengthen lines by the maxima of a row, begin new ones, and return how many there are."""
    for line in range(n_live):
        end = live[line, _END]
        live[line, _BEFORE] = end
        live[line, _GAP] += 1
        if live_at[end] < 0:
            live_at[end] = line  # of lines that end in one column the first
    old = n_live
    for top in tops:
        line = _nearest(live_at, top, (row + 1) // 4)
        if line < 0:
            line = n_live
            live[line, _ROW], live[line, _SIZE] = -1, 0
            live[line, _TIED], live[line, _TIED_BEFORE] = 0, 0
            n_live += 1
        if live[line, _ROW] != row:
            live[line, _ROW], live[line, _FIRST] = row, top
            live[line, _TIED_BEFORE] += max(live[line, _TIED] - 1, 0)
            live[line, _TIED] = 0
        live[line, _END] = top
        live[line, _TIED] += 1
        live[line, _SIZE] += 1
        live[line, _GAP] = 0
    for line in range(old):
        live_at[live[line, _BEFORE]] = -1
    return n_live


@compiled
def _nearest(live_at: NDArray[np.int64], column: int, reach: int) -> int:
    """Return the line that ends nearest to a column, of two as near the earlier; -1 if none."""
    for distance in range(min(reach, live_at.size) + 1):
        below = live_at[column - distance] if column >= distance else -1
        above = live_at[column + distance] if column + distance < live_at.size else -1
        if below >= 0 and above >= 0:
            return min(below, above)
        if below >= 0 or above >= 0:
            return max(below, above)
    return -1


@compiled
def _count(
    series: FloatArray,
    taps: FloatArray,
    bounds: NDArray[np.int64],
    rows: FloatArray,
    slacks: FloatArray,
    lines: NDArray[np.int64],
    lasts: NDArray[np.bool_],
    heap: FloatArray,
) -> float:
    """Return how many lines stand out from the noise."""
    n = series.size
    count = 0.0
    for line in range(lines.shape[0]):
        at = lines[line, _ROW]
        row, wavelet = rows[at * n : (at + 1) * n], taps[bounds[at] : bounds[at + 1]]
        verdict = UNDECIDED
        first, last = lines[line, _FIRST], lines[line, _END]
        others = lines[line, _SIZE] - 2
        if lines[line, _TIED] == 2 and lines[line, _TIED_BEFORE] == 0 and others < lasts.size:
            first = last = last if lasts[others] else first
        for column in range(first, last + 1):
            if not (row[column] > row[column - 1] and row[column] > row[column + 1]):
                continue
            found = _at_a_glance(rows[:n], column, abs(row[column]), slacks[at])
            if found == UNDECIDED:
                noise = _noise(rows[:n], column, heap)
                value = row[column]
                if slacks[at] > 0 and not abs(abs(value) - abs(noise)) > slacks[at]:
                    value = same(series, wavelet, column)
                found = 0.0 if abs(value / noise) < 1 else 1.0
            if verdict not in (UNDECIDED, found):
                # scipy takes any one of the maxima that a line has in its last row.
                return UNDECIDED
            verdict = found
        count += verdict
    return count


@compiled
def _around(column: int, n: int) -> tuple[int, int]:
    """Return where the noise around a column is looked at, a twentieth of the row."""
    window = math.ceil(n / 20)
    return max(column - window // 2, 0), min(column + window // 2 + window % 2, n)


@compiled
def _at_a_glance(row: FloatArray, column: int, value: float, slack: float) -> float:
    """Return whether a value is greater than the noise, where no value comes near to it.

    The noise is between two values of the row, so that it is enough to count.
    """
    start, stop = _around(column, row.size)
    rank = int(_TENTH * (stop - start - 1))
    least, most = value * (1 - 1e-9) - slack, value * (1 + 1e-9) + slack
    beyond = below = within = 0
    for i in range(stop - start):
        other = row[start + i]
        beyond += other < -most
        below += other <= -least
        within += other < least
    if beyond >= rank + 2:
        return 0.0
    return 1.0 if below <= rank and within >= rank + 2 else UNDECIDED


@compiled
def _noise(row: FloatArray, column: int, heap: FloatArray) -> float:
    """Return the tenth percentile, linear between two values, of the row around a column."""
    start, stop = _around(column, row.size)
    place = _TENTH * (stop - start - 1)
    rank = int(place)
    # The least values that matter, the greatest of them first.
    least = heap[: rank + (1 if place == rank else 2)]
    least[:] = np.inf
    known = 0
    for i in range(start, stop):
        known += not np.isnan(row[i])
        if row[i] < least[0]:
            _replace_greatest(least, row[i])
    if known < least.size:
        return np.nan
    if place == rank:
        return float(least[0])
    below = max(least[1], least[2]) if least.size > 2 else least[1]
    share_below, share_above = rank + 1 - place, place - rank
    return float((below * share_below + least[0] * share_above) / (share_below + share_above))


@compiled
def _replace_greatest(heap: FloatArray, value: float) -> None:
    """Put a value in place of the greatest of a heap, which is the first."""
    place = 0
    while 2 * place + 1 < heap.size:
        child = 2 * place + 1
        if child + 1 < heap.size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = value

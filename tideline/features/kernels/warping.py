"""Dynamic time warping: how far series are apart when their clocks may run unevenly.

The squared differences along the cheapest path through all pairs of moments, within a band about
the diagonal (Sakoe and Chiba 1978); several channels are warped together, their squares summed.
Bounds that cost less than a path, after Keogh and Ratanamahatana (2005), leave most paths out.

Series lie one after another, and of each its channels: case `i` has `lengths[i]` moments and
begins at `starts[i]`; channel `c` of it at `starts[i] + c * lengths[i]`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.panel import FloatArray


@compiled
def envelopes(
    values: FloatArray,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    radius: int,
    low: FloatArray,
    high: FloatArray,
) -> None:
    """Fill the least and the largest value within a radius of each moment.

    Parameters
    ----------
    values, starts, lengths
        The series, as the module says.
    radius
        How many moments to either side.
    low, high : float64 arrays of shape (n_cases, n_channels, n_moments)
        Are filled. Moments beyond the end of a series have those of its last.
    """
    for case in range(starts.size):
        length = lengths[case]
        for channel in range(low.shape[1]):
            series = values[starts[case] + channel * length :][:length]
            for moment in range(low.shape[2]):
                at = min(moment, length - 1)
                # A step at most enters or leaves: only where an extreme leaves all are looked at.
                first, last = max(0, at - radius), min(length - 1, at + radius)
                if moment > 0:
                    least, most = low[case, channel, moment - 1], high[case, channel, moment - 1]
                    gone = series[max(0, first - 1)]
                    if first == 0 or least < gone < most:
                        low[case, channel, moment] = min(least, series[last])
                        high[case, channel, moment] = max(most, series[last])
                        continue
                low[case, channel, moment] = series[first : last + 1].min()
                high[case, channel, moment] = series[first : last + 1].max()


@compiled
def bounds(asked: FloatArray, low: FloatArray, high: FloatArray, out: FloatArray) -> None:
    """Fill what each case is away from one series at least.

    Parameters
    ----------
    asked : float64 array of shape (n_channels, n_moments)
    low, high : float64 arrays of shape (n_cases, n_channels, n_moments or more)
        The envelopes of the cases.
    out : float64 array of shape (n_cases,)
    """
    for case in range(out.size):
        total = 0.0
        for channel in range(asked.shape[0]):
            for moment in range(asked.shape[1]):
                value = asked[channel, moment]
                outside = max(
                    0.0, value - high[case, channel, moment], low[case, channel, moment] - value
                )
                total += outside * outside
        out[case] = total


@compiled
def warped(
    asked: FloatArray, other: FloatArray, radius: int, most: float, to_come: FloatArray
) -> float:
    """Return the distance of two series; infinity where it is more than `most`.

    Parameters
    ----------
    asked : float64 array of shape (n_channels, n_moments)
    other : float64 array of shape (n_channels, n_other_moments)
    radius
        How far from the diagonal a path may be: the difference of the lengths, or more.
    most
        The distance that is to be beaten, or met.
    to_come : float64 array of shape (n_moments + 1,)
        What the moments of `asked` from each on cost at least; 0 in the last place.
    """
    length = other.shape[1]
    before, now = np.full(length + 2, np.inf), np.full(length + 2, np.inf)
    before[0] = 0.0
    costs = np.empty(length)
    for moment in range(asked.shape[1]):
        start, stop = max(0, moment - radius), min(length, moment + radius + 1)
        costs[start:stop] = 0.0
        for channel in range(asked.shape[0]):
            value = asked[channel, moment]
            for at in range(start, stop):
                difference = value - other[channel, at]
                costs[at] += difference * difference
        now[start] = last = least = np.inf
        for at in range(start, stop):
            cheaper = min(before[at], before[at + 1])
            last = costs[at] + min(last, cheaper)
            now[at + 1] = last
            least = min(last, least)
        # The row after this one may look one place further.
        now[stop + 1 if stop < length else length + 1] = np.inf
        if least + to_come[moment + 1] > most:
            return np.inf
        before, now = now, before
    return float(before[length])


@compiled
def nearest(
    asked: FloatArray,
    values: FloatArray,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    low: FloatArray,
    high: FloatArray,
    order: NDArray[np.int64],
    least: FloatArray,
    share: float,
) -> int:
    """Return which case is nearest to one series; of several the first.

    Parameters
    ----------
    asked : float64 array of shape (n_channels, n_moments)
    values, starts, lengths
        The cases, as the module says.
    low, high : float64 arrays of shape (n_cases, n_channels, n_moments or more)
        Their envelopes.
    order : int64 array of shape (n_cases,)
        The cases in ascending order of `least`.
    least : float64 array of shape (n_cases,)
        What each is away at least.
    share
        Of the longer series, that a path may be away from the diagonal.
    """
    n_channels, length = asked.shape
    to_come = np.zeros(length + 1)
    best, found = np.inf, -1
    for case in order:
        # Bounds are sums as the distances are, and rounded as they are.
        if least[case] > best * (1.0 + 1e-9):
            break
        for moment in range(length - 1, -1, -1):
            to_come[moment] = to_come[moment + 1]
            for channel in range(n_channels):
                value = asked[channel, moment]
                outside = max(
                    0.0, value - high[case, channel, moment], low[case, channel, moment] - value
                )
                to_come[moment] += outside * outside
        size = lengths[case]
        other = values[starts[case] :][: n_channels * size].reshape((n_channels, size))
        radius = max(int(share * max(length, size)), abs(length - size))
        distance = warped(asked, other, radius, best * (1.0 + 1e-9), to_come)
        if distance < best or (distance == best and case < found) or found < 0:
            best, found = distance, case
    return found

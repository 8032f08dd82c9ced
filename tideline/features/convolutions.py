"""Random convolutions: the plan of MultiRocket and Hydra for a panel.

The second family of features, beside the calculators of tsfresh: many, cheap, and meant for a
linear model. The plan depends on nothing but the names of the channels and the lengths of their
series: the biases, which MultiRocket takes from the data, are those of noise. See docs/decisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tideline.errors import SpecError
from tideline.features.feature import Feature, ParameterValue
from tideline.features.kernels.hydra import COUNTS, KERNELS
from tideline.features.kernels.multirocket import POOLINGS, TAPS, WEIGHTS
from tideline.features.plan import FeaturePlan
from tideline.features.views import PLAIN, View
from tideline.panel import FloatArray, Panel
from tideline.wording import shown

VIEWS = (PLAIN, View("difference"))
FEATURES = 20_000
LEAST_OF_CHANNEL = 200
"""The features that a channel has at least, where each has kernels of every dilation."""

HYDRA_SHARE = 0.1
MAX_DILATIONS = 32
SEED = 20_220_829
SEED_OF_DEALING = 20_261_124
COLOURS = np.linspace(0.0, 2.5, 26)
"""The spectra of the noises, 1 / f^b: b is 0 for white noise, 2 for a random walk."""

Pairs = tuple[tuple[str, ParameterValue], ...]

GOLDEN = (np.sqrt(5.0) + 1.0) / 2.0


def plan_convolutions(panel: Panel, *, features: int = FEATURES) -> FeaturePlan:
    """Plan the random convolutions of a panel's channels.

    Parameters
    ----------
    panel
        Of which the names of the channels and the lengths of the series are looked at.
    features
        How many there are at most, or a few more, shared out evenly among the channels. Where
        each would have fewer than `LEAST_OF_CHANNEL`, the kernels of one channel are dealt out
        among all of them, as MiniRocket does: each kernel looks at one channel, drawn at random.

    Raises
    ------
    SpecError
        When fewer than `LEAST_OF_CHANNEL` are asked for, or a channel has the name of another's
        view.
    """
    lengths = {name: int(np.median(c.lengths)) for name, c in panel.channels.items()}
    return plan_for_lengths(lengths, features=features)


def plan_for_lengths(lengths: Mapping[str, int], *, features: int = FEATURES) -> FeaturePlan:
    """Plan the random convolutions of channels whose series are about so long.

    Parameters
    ----------
    lengths
        Channel to the number of values of its usual series.
    features
        As for `plan_convolutions`.

    Raises
    ------
    SpecError
        As `plan_convolutions`.
    """
    if features < LEAST_OF_CHANNEL:
        raise SpecError(
            f"{shown(features)} features of random convolutions are asked for; "
            f"{LEAST_OF_CHANNEL} or more are expected.",
            mend=f"Write {FEATURES}, or leave it out.",
        )
    share = features // len(lengths)
    if share < LEAST_OF_CHANNEL:
        plan = FeaturePlan(tuple(_dealt(lengths, features)))
    else:
        plan = FeaturePlan(
            tuple(
                feature
                for channel, length in lengths.items()
                for feature in _of_channel(channel, length, share)
            )
        )
    kinds = [channel + view.suffix for channel, view in product(lengths, VIEWS)]
    if len(set(kinds)) < len(kinds):
        plan.require_distinct()
    return plan


def _dealt(lengths: Mapping[str, int], features: int) -> Iterator[Feature]:
    """Yield the features of one channel of the usual length, each kernel on a drawn channel."""
    names = list(lengths)
    usual = int(np.median(list(lengths.values())))
    undealt = list(_of_channel("", usual, features))
    number_of = {kernel: n for n, kernel in enumerate(dict.fromkeys(map(_kernel_of, undealt)))}
    # In rounds, so that no channel has two more than another.
    random, rounds = np.random.RandomState(SEED_OF_DEALING), -(-len(number_of) // len(names))
    owners = np.concatenate([random.permutation(len(names)) for _ in range(rounds)])
    owner_of = [owners[number_of[_kernel_of(feature)]] for feature in undealt]
    for at in np.argsort(owner_of, kind="stable"):
        yield replace(undealt[at], channel=names[owner_of[at]])


def _kernel_of(feature: Feature) -> tuple[object, ...]:
    """Return what is dealt as one: a kernel with its bias, of Hydra a group, which competes."""
    parts = {"pooling"} if feature.calculator == "multirocket" else {"kernel", "count"}
    rest = (pair for pair in feature.parameters if pair[0] not in parts)
    return (feature.view, feature.calculator, *rest)


def _of_channel(channel: str, length: int, share: int) -> Iterator[Feature]:
    length = max(2, length)
    # Of a tenth, or what eight kernels of one group take on each view.
    per_group = KERNELS * len(COUNTS) * len(VIEWS)
    exponents = range(int(_largest_exponent(length)) + 1)
    groups = max(1, round(share * HYDRA_SHARE / (per_group * len(exponents))))
    rest = share - groups * per_group * len(exponents)
    units = max(1, rest // (len(VIEWS) * len(POOLINGS)))
    for number, view in enumerate(VIEWS):
        kernels = units_of(length, units, view)
        for pooling in POOLINGS:
            for unit in kernels:
                yield Feature(channel, "multirocket", (*unit, ("pooling", pooling)), view)
        for exponent, group, kernel, count in product(
            exponents, range(groups), range(KERNELS), COUNTS
        ):
            # Each dilation of each view has kernels of its own.
            drawn = (exponent * len(VIEWS) + number) * groups + group
            parameters = (
                ("count", count),
                ("dilation", 2**exponent),
                ("group", drawn),
                ("kernel", kernel),
            )
            yield Feature(channel, "hydra", parameters, view)


def _largest_exponent(length: int) -> float:
    """Return the binary logarithm of the dilation at which a kernel is as long as the series."""
    return max(0.0, float(np.log2(max(1, length - 1) / (TAPS - 1))))


class _Shape(NamedTuple):
    """Which kernel of which dilation each unit has."""

    dilations: NDArray[np.int64]
    kernels: NDArray[np.int64]
    padded: NDArray[np.bool_]


def _shape(length: int, units: int) -> _Shape:
    """Share units out among dilations, which rise exponentially, and the 84 kernels of each."""
    steps = min(MAX_DILATIONS, max(1, units // len(WEIGHTS)))
    spaced = np.logspace(0.0, _largest_exponent(length), steps, base=2.0).astype(np.int64)
    dilations, counts = np.unique(spaced, return_counts=True)
    ends = np.round(np.cumsum(counts) * (units / counts.sum())).astype(np.int64)
    sizes = np.diff(ends, prepend=0)
    at = np.repeat(np.arange(dilations.size), sizes)
    # The kernels in turn, going on with the next dilation where the last one left off.
    kernels = np.arange(units) % len(WEIGHTS)
    order = np.lexsort((kernels, at))
    return _Shape(dilations[at], kernels[order], (at + kernels[order]) % 2 == 0)


@lru_cache(maxsize=32)
def units_of(length: int, units: int, view: View) -> tuple[Pairs, ...]:
    """Return the parameters of MultiRocket but for the pooling, for series of some length."""
    shape = _shape(length, units)
    biases = _biases(shape, references(length, view))
    told = zip(
        biases.tolist(),
        shape.dilations.tolist(),
        shape.kernels.tolist(),
        shape.padded.tolist(),
        strict=True,
    )
    # The quantiles of few answers may be the same.
    return tuple(
        (("bias", bias), ("dilation", dilation), ("kernel", kernel), ("padding", padded))
        for bias, dilation, kernel, padded in dict.fromkeys(told)
    )


def references(length: int, view: View) -> FloatArray:
    """Return noises of all colours in standard scores, shape (n_series, length of the view)."""
    drawn = np.random.RandomState(SEED).standard_normal((len(COLOURS), max(3, length)))
    spectra = np.fft.rfft(drawn, axis=1)
    frequencies = np.arange(1, spectra.shape[1])
    spectra[:, 1:] /= frequencies ** (COLOURS[:, np.newaxis] / 2)
    series = np.fft.irfft(spectra, drawn.shape[1], axis=1)
    if view.form == "difference":
        series = np.diff(series, axis=1)
    series -= series.mean(axis=1, keepdims=True)
    deviations: FloatArray = series.std(axis=1, keepdims=True)
    return series / np.where(deviations > 0, deviations, 1.0)


def _biases(shape: _Shape, series: FloatArray) -> FloatArray:
    """Return a quantile of the answers to one of the series for each unit."""
    random = np.random.RandomState(SEED + 1)
    quantiles = (np.arange(1, shape.kernels.size + 1) * GOLDEN) % 1.0
    biases = np.empty(shape.kernels.size)
    n = series.shape[1]
    starts = np.flatnonzero(
        (np.diff(shape.dilations, prepend=-1) != 0) | (np.diff(shape.kernels, prepend=-1) != 0)
    )
    for start, stop in zip(starts, np.append(starts[1:], biases.size), strict=True):
        reach = (TAPS // 2) * int(shape.dilations[start])
        around = np.pad(series[random.randint(len(series))], reach)
        answers = np.zeros(n)
        for tap, weight in enumerate(WEIGHTS[shape.kernels[start]]):
            at = tap * int(shape.dilations[start])
            answers += weight * around[at : at + n]
        answers.sort()
        biases[start:stop] = np.interp(quantiles[start:stop] * (n - 1), np.arange(n), answers)
    # Six places are plenty, and make the plan's document shorter by a third.
    return np.round(biases, 6)

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.features.parity import broken_series, kernel_values, series
from tideline.features.kernels.hydra import SEED
from tideline.features.kernels.multirocket import WEIGHTS

POOLINGS = ("ppv", "mpv", "mipv", "lspv")

units = st.fixed_dictionaries(
    {
        "kernel": st.integers(0, 83),
        "dilation": st.integers(1, 20) | st.sampled_from([1000, 10_000]),
        # No answer is likely to be as large to the bit, but for the zero of a constant series.
        "bias": st.sampled_from([0.0]) | st.floats(-8, 8).map(lambda b: round(b, 6)),
        "padding": st.booleans(),
    }
)


def scores(case: np.ndarray) -> np.ndarray:
    """Return standard scores in single precision; zeros for a constant series."""
    if case.min() == case.max():
        return np.zeros(case.size, dtype=np.float32)
    parts = case / np.abs(case).max()
    deviation = parts.std()
    scaled = (parts - parts.mean()) / deviation if deviation > 0 else np.zeros(case.size)
    return scaled.astype(np.float32)


def answers(case: np.ndarray, taps: np.ndarray, dilation: int, *, padding: bool) -> np.ndarray:
    """Return the answers of a kernel, in single precision, tap after tap."""
    n = case.size
    padding = padding or n <= 8 * dilation
    step = min(dilation, n)
    around = np.pad(scores(case), 4 * step)
    found = taps[0] * around[:n]
    for tap in range(1, 9):
        found = found + taps[tap] * around[tap * step : tap * step + n]
    return found if padding else found[4 * step : n - 4 * step]


def longest_run(positive: np.ndarray) -> int:
    return max(
        (len(run) for run in "".join("1" if p else "0" for p in positive).split("0")), default=0
    )


def pooled(case: np.ndarray, unit: dict) -> dict[str, float]:
    found = answers(case, WEIGHTS[unit["kernel"]], unit["dilation"], padding=unit["padding"])
    bias = np.float32(unit["bias"])
    at = np.flatnonzero(found > bias)
    return {
        "ppv": at.size / found.size,
        "mpv": float(np.mean((found - bias)[at], dtype=np.float64)) if at.size else 0.0,
        "mipv": float(at.mean()) if at.size else -1.0,
        "lspv": longest_run(found > bias),
    }


def test_the_kernels_are_all_that_have_three_heavy_taps() -> None:
    assert [tuple(np.flatnonzero(row == 2)) for row in WEIGHTS] == list(combinations(range(9), 3))
    np.testing.assert_array_equal(WEIGHTS.sum(axis=1), 0)


@settings(max_examples=60, deadline=None)
@given(
    cases=st.lists(series(shortest=2, longest=600), min_size=1, max_size=4),
    asked=st.lists(st.tuples(units, st.sampled_from(POOLINGS)), min_size=1, max_size=12),
)
def test_multirocket_pools_the_answers(cases: list[np.ndarray], asked: list) -> None:
    arguments = [{**unit, "pooling": pooling} for unit, pooling in asked]

    values = kernel_values("multirocket", "multirocket", arguments, cases)

    for case, row in zip(cases, values, strict=True):
        for (unit, pooling), value in zip(asked, row, strict=True):
            # The mean and the deviation are not numpy's to the bit: what is as good as equal to
            # the bias may be found on either side of it.
            low, high = (
                pooled(case, {**unit, "bias": unit["bias"] + off})["ppv"] for off in (1e-4, -1e-4)
            )
            if low == high:
                np.testing.assert_allclose(value, pooled(case, unit)[pooling], 1e-4, 1e-5)
            else:
                assert -1 <= value <= 50 + case.size


def test_multirocket_by_hand() -> None:
    case = np.array([0.0, 0, 0, 0, 3, 0, 0, 0, 0, 0])  # in standard scores 3 and -1/3
    unit = {"kernel": 0, "dilation": 1, "bias": 0.5, "padding": True}
    arguments = [{**unit, "pooling": pooling} for pooling in POOLINGS]

    (row,) = kernel_values("multirocket", "multirocket", arguments, [case])

    # Taps 0, 1 and 2 weigh 2: the spike is under them where the middle tap is two to four on.
    found = answers(case, WEIGHTS[0], 1, padding=True)
    assert list(np.flatnonzero(found > 0.5)) == [6, 7, 8]
    np.testing.assert_allclose(row, [0.3, np.mean(found[6:9]) - 0.5, 7.0, 3.0], rtol=1e-6)


@pytest.mark.parametrize("length", [130, 300, 1000])
def test_long_series_are_worked_on_in_blocks(length: int) -> None:
    case = np.sin(np.arange(length) / 40)
    unit = {"kernel": 40, "dilation": 3, "bias": 0.01, "padding": False}
    arguments = [{**unit, "pooling": pooling} for pooling in POOLINGS]

    (row,) = kernel_values("multirocket", "multirocket", arguments, [case])

    np.testing.assert_allclose(row, list(pooled(case, unit).values()), rtol=1e-4)


def weights(group: int) -> np.ndarray:
    drawn = np.random.RandomState(SEED + group).standard_normal((8, 9))
    drawn -= drawn.mean(axis=1, keepdims=True)
    return (drawn / np.abs(drawn).sum(axis=1, keepdims=True)).astype(np.float32)


competitors = st.fixed_dictionaries(
    {
        "group": st.integers(0, 70),
        "kernel": st.integers(0, 7),
        "dilation": st.integers(1, 20) | st.just(10_000),
        "count": st.sampled_from(["max", "min"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(
    cases=st.lists(series(shortest=2, longest=300), min_size=1, max_size=4),
    arguments=st.lists(competitors, min_size=1, max_size=12),
)
def test_hydra_counts_what_each_kernel_wins(cases: list[np.ndarray], arguments: list) -> None:
    values = kernel_values("hydra", "hydra", arguments, cases)

    for case, row in zip(cases, values, strict=True):
        for asked, value in zip(arguments, row, strict=True):
            found = np.array(
                [answers(case, taps, asked["dilation"], padding=True)
                 for taps in weights(asked["group"])]
            )  # fmt: skip
            mine = found[asked["kernel"]]
            others = np.delete(found, asked["kernel"], axis=0)
            if asked["count"] == "max":
                low, high = (mine[mine > others.max(axis=0) + off] for off in (1e-5, -1e-5))
            else:
                low, high = (1.0 * (mine < others.min(axis=0) - off) for off in (1e-5, -1e-5))
            ends = sorted(np.sqrt(max(float(np.sum(e, dtype=np.float64)), 0)) for e in (low, high))
            if low.sum() == high.sum():
                np.testing.assert_allclose(value, ends[0], rtol=1e-3, atol=2e-2)
            else:
                assert 0 <= value <= np.sqrt(case.size) * 10  # a tie, but for rounding


def test_a_constant_series_is_all_zeros() -> None:
    case = np.full(30, 0.1)
    ppv, below = ({"kernel": 3, "dilation": 2, "bias": b, "padding": True, "pooling": "ppv"}
                  for b in (0.0, -0.5))  # fmt: skip
    first = [{"group": 0, "kernel": k, "dilation": 1, "count": c} for k in (0, 1)
             for c in ("max", "min")]  # fmt: skip

    np.testing.assert_array_equal(
        kernel_values("multirocket", "multirocket", [ppv, below], [case]), [[0.0, 1.0]]
    )
    # Of equal answers the first kernel's is taken.
    np.testing.assert_array_equal(
        kernel_values("hydra", "hydra", first, [case]), [[0.0, np.sqrt(30.0), 0.0, 0.0]]
    )


@settings(max_examples=20, deadline=None)
@given(broken_series())
def test_a_series_that_is_not_finite_has_no_value(case: np.ndarray) -> None:
    unit = {"kernel": 3, "dilation": 2, "bias": 0.0, "padding": True, "pooling": "lspv"}
    rival = {"group": 0, "kernel": 1, "dilation": 1, "count": "min"}

    assert np.isnan(kernel_values("multirocket", "multirocket", [unit], [case])).all()
    assert np.isnan(kernel_values("hydra", "hydra", [rival], [case])).all()


def test_the_scale_of_a_series_says_nothing() -> None:
    case = np.random.default_rng(0).normal(size=50)
    unit = {"kernel": 3, "dilation": 2, "bias": 0.1, "padding": True, "pooling": "mpv"}
    rival = {"group": 0, "kernel": 1, "dilation": 1, "count": "max"}
    cases = [case, case * 1e300 + 1e300, case * 1e-300]

    for name, asked in (("multirocket", unit), ("hydra", rival)):
        first, *others = kernel_values(name, name, [asked], cases)
        np.testing.assert_allclose(others, [first, first], rtol=1e-5)

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tideline.errors import DataError
from tideline.panel import Channel, Panel
from tideline.readers import read_panel
from tideline.roles import ColumnRoles
from training.neighbours import PUBLISHED_WINDOW, nearest_by_warping


def distance(one: np.ndarray, other: np.ndarray, window: float) -> float:
    """Return the distance of two series of shape (n_channels, n_moments), cell by cell."""
    n, m = one.shape[1], other.shape[1]
    radius = max(int(window * max(n, m)), abs(n - m))
    cost = np.full((n + 1, m + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(n):
        for j in range(max(0, i - radius), min(m, i + radius + 1)):
            step = ((one[:, i] - other[:, j]) ** 2).sum()
            cost[i + 1, j + 1] = step + min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
    return float(cost[n, m])


def drawn(
    lengths: list[int], n_channels: int, rng: np.random.Generator
) -> tuple[Panel, list[np.ndarray]]:
    """Return a panel of random walks, and the cases as arrays."""
    cases = [rng.normal(size=(n_channels, length)).cumsum(axis=1) for length in lengths]
    channels = {str(c): Channel.from_series([case[c] for case in cases]) for c in range(n_channels)}
    return Panel(tuple(range(len(cases))), channels), cases


@pytest.mark.parametrize("window", [0.0, 0.1, 0.35, 1.0])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("equal", [True, False])
def test_the_nearest_is_that_of_the_plain_distance(
    window: float, n_channels: int, equal: bool
) -> None:
    rng = np.random.default_rng(int(100 * window) + n_channels)
    sizes = rng.integers(2, 25, 42)
    sizes = np.full(42, 20) if equal else sizes
    train, known = drawn(sizes[:30].tolist(), n_channels, rng)
    test, asked = drawn(sizes[30:].tolist(), n_channels, rng)

    found = nearest_by_warping(train, np.arange(30), test, window=window, workers=2)

    expected = [int(np.argmin([distance(a, k, window) for k in known])) for a in asked]
    assert found.answers is not None
    assert found.answers.tolist() == expected


def test_of_equally_near_cases_the_first_answers() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=(5, 1, 12)), 3, axis=0)
    train = Panel.from_arrays(values)

    found = nearest_by_warping(train, np.arange(15) * 0.5, Panel.from_arrays(values + 1e-3))

    assert found.answers is not None
    assert found.answers.tolist() == [0.0] * 3 + [1.5] * 3 + [3.0] * 3 + [4.5] * 3 + [6.0] * 3


def test_missing_values_are_filled_and_the_order_of_channels_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    train, _ = drawn([9] * 8, 2, rng)
    test = Panel(train.ids, dict(reversed(train.channels.items())))
    values = np.where(np.arange(72) % 9 == 4, np.nan, test.channels["0"].values)
    gap = Channel(values, test.channels["0"].offsets)

    found = nearest_by_warping(train, np.arange(8), Panel(test.ids, {**test.channels, "0": gap}))

    assert found.answers is not None
    assert found.answers.tolist() == list(range(8))


def test_without_enough_time_it_says_how_much_it_would_take() -> None:
    rng = np.random.default_rng(0)
    train, _ = drawn([400] * 60, 1, rng)
    began = time.monotonic()

    found = nearest_by_warping(
        train, np.arange(60), train, window=1.0, deadline=time.monotonic() + 1e-3
    )

    assert found.answers is None
    assert 1e-3 < found.seconds < 60
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(("window", "left"), [(1.0, 0.0), (1.0, 1.0), (0.1, 0.0)])
def test_a_pair_of_long_series_is_foreseen_and_not_compared(window: float, left: float) -> None:
    rng = np.random.default_rng(0)
    train, _ = drawn([100_000] * 2, 1, rng)
    short, _ = drawn([20, 20], 1, rng)
    nearest_by_warping(short, np.arange(2), short)  # compiles
    began = time.monotonic()

    found = nearest_by_warping(train, np.arange(2), train, window=window, deadline=began + left)

    assert found.answers is None
    assert time.monotonic() - began < 0.5
    assert 1.0 < found.seconds < 3600.0


def test_one_long_series_among_short_ones_is_foreseen() -> None:
    rng = np.random.default_rng(0)
    train, _ = drawn([20_000] * 3, 1, rng)
    test, _ = drawn([20, 20, 100_000, 20], 1, rng)
    began = time.monotonic()

    found = nearest_by_warping(train, np.arange(3), test, deadline=began + 1.0)

    assert found.answers is None
    assert time.monotonic() - began < 1.0


def test_what_comes_out_late_while_it_runs_is_given_up() -> None:
    rng = np.random.default_rng(0)
    train, _ = drawn([600] * 150, 1, rng)
    nearest_by_warping(train.take([0, 1]), np.arange(2), train.take([0, 1]))
    # Enough for the search of one case, and not for that of all.
    began = time.monotonic()
    allowed = 0.5

    found = nearest_by_warping(
        train, np.arange(150), drawn([600] * 600, 1, rng)[0], window=1.0, deadline=began + allowed
    )

    assert found.answers is None
    assert found.seconds > allowed
    assert time.monotonic() - began < 4 * allowed


def test_channels_of_different_lengths_are_refused() -> None:
    uneven = {
        "x": Channel.from_series([[1.0, 2.0], [1.0, 2.0, 3.0]]),
        "y": Channel.from_series([[1.0, 2.0], [1.0, 2.0]]),
    }
    panel = Panel(("a", "b"), uneven)

    with pytest.raises(DataError, match="channels of 1 of 2 cases differ in length: 'b'"):
        nearest_by_warping(panel, np.arange(2), panel)


@pytest.mark.parametrize("window", [-0.1, 1.5, np.nan])
def test_windows_that_are_no_share_are_refused(window: float) -> None:
    panel = Panel.from_arrays(np.eye(3))

    with pytest.raises(ValueError, match="a share from 0 to 1 is expected"):
        nearest_by_warping(panel, np.arange(3), panel, window=window)


@pytest.mark.parametrize(
    ("name", "published"),
    [("ItalyPowerDemand", 0.95044), ("GunPoint", 0.90667), ("BasicMotions", 0.975)],
)
def test_classes_are_found_as_published(
    shared_data: Callable[[str], Path], name: str, published: float
) -> None:
    folder = shared_data(name)
    train, test = (
        read_panel(folder / f"{name}_{part}.ts", ColumnRoles(None)) for part in ("TRAIN", "TEST")
    )
    assert train.labels is not None
    assert test.labels is not None

    found = nearest_by_warping(train.panel, np.array(train.labels.values), test.panel, workers=2)

    assert np.mean(found.answers == np.array(test.labels.values)) == pytest.approx(
        published, abs=1e-4
    )


def test_numbers_are_found_as_published(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("Covid3Month")
    train, test = (
        read_panel(folder / f"Covid3Month_{part}.ts", ColumnRoles(None))
        for part in ("TRAIN", "TEST")
    )
    assert train.labels is not None
    assert test.labels is not None
    values = np.array(train.labels.values, dtype=np.float64)

    found = nearest_by_warping(
        train.panel, values, test.panel, window=PUBLISHED_WINDOW["regression"]
    )

    error = found.answers - np.array(test.labels.values, dtype=np.float64)
    assert np.sqrt(np.mean(error**2)) == pytest.approx(0.05215, abs=1e-5)

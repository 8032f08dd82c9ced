"""Compiles every kernel ahead of time: `python -m tideline.features.compilation`.

Compiled code is kept on disk and found again by every later process. Without this the first use
compiles what it needs, and says so.
"""

from __future__ import annotations

import time

import numpy as np

from tideline.features.convolutions import LEAST_OF_CHANNEL, plan_convolutions
from tideline.features.extraction import extract
from tideline.features.kernels.trees import add_answers
from tideline.features.kernels.warping import bounds, envelopes, nearest, warped
from tideline.features.plan import FeaturePlan
from tideline.features.views import dyadic
from tideline.panel import Channel, FloatArray, Panel


def compile_kernels() -> float:
    """Compile what is not compiled yet, by using it once.

    Returns
    -------
    float
        The seconds that it took.
    """
    began = time.monotonic()
    rng = np.random.default_rng(0)
    series = [rng.normal(size=length) for length in (70, 2, 131)]
    panel = Panel((0, 1, 2), {"x": Channel.from_series(series)})
    extract(panel, FeaturePlan.for_panel(panel, "comprehensive"))
    extract(panel, FeaturePlan.for_panel(panel, "minimal", views=tuple(dyadic(depth=1))))
    extract(panel, plan_convolutions(panel, features=LEAST_OF_CHANNEL))
    _warp(np.stack([series[0], series[0][::-1]]))
    _descend()
    return time.monotonic() - began


def _warp(pair: FloatArray) -> None:
    """Compare two series by time warping, as the baseline of a training run does."""
    length = pair.shape[1]
    starts, lengths = np.array([0, length]), np.array([length, length])
    low, high = np.empty((2, 1, length)), np.empty((2, 1, length))
    envelopes(pair.reshape(-1), starts, lengths, 1, low, high)
    asked, least = pair[:1], np.empty(2)
    bounds(asked, low, high, least)
    nearest(asked, pair.reshape(-1), starts, lengths, low, high, np.argsort(least), least, 0.1)
    warped(asked, pair[1:], 1, np.inf, np.zeros(length + 1))


def _descend() -> None:
    """Ask one tree, of a single leaf, as a published forest does."""
    leaf, root = np.full(1, -1, dtype=np.int32), np.zeros(1, dtype=np.int32)
    rows, children = np.zeros((1, 1), dtype=np.float32), np.zeros((1, 2), dtype=np.int32)
    add_answers(rows, leaf, np.zeros(1), children, root, np.ones((1, 1)), np.zeros((1, 1)))


if __name__ == "__main__":
    print(f"The feature kernels are compiled ({compile_kernels():.0f} s).")

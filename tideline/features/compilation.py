"""Compiles every kernel ahead of time: `python -m tideline.features.compilation`.

Compiled code is kept on disk and found again by every later process. Without this the first use
compiles what it needs, and says so.
"""

from __future__ import annotations

import time

import numpy as np

from tideline.features.convolutions import LEAST_OF_CHANNEL, plan_convolutions
from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
from tideline.features.views import dyadic
from tideline.panel import Channel, Panel


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
    return time.monotonic() - began


if __name__ == "__main__":
    print(f"The feature kernels are compiled ({compile_kernels():.0f} s).")

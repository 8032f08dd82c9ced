"""Panels that tests compute features of."""

from __future__ import annotations

import numpy as np

from tideline.panel import Channel, Panel


def ragged(lengths: list[int], channels: int = 2, seed: int = 0) -> Panel:
    """Return random walks of some lengths; its channels are `c0`, `c1` and so on."""
    rng = np.random.default_rng(seed)
    return Panel(
        tuple(range(len(lengths))),
        {
            f"c{c}": Channel.from_series([rng.normal(size=n).cumsum() for n in lengths])
            for c in range(channels)
        },
    )

"""Series that are made up: three kinds of waves in noise, as a `.ts` file with their classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

KINDS = ("sine", "square", "saw")
NOISE = 0.5
HEADER = "@problemName MadeUp\n@univariate true\n@classLabel true {}\n@data\n"


def write_waves(path: Path, cases: int, length: int) -> Path:
    """Write the series, one a line, and return the path."""
    rng = np.random.default_rng(0)
    kinds = rng.permutation(np.arange(cases) % len(KINDS))
    cycles = rng.uniform(2, 6, (cases, 1)) * np.linspace(0, 1, length) + rng.uniform(
        0, 1, (cases, 1)
    )
    sines = np.sin(2 * np.pi * cycles)
    waves = np.stack([sines, np.sign(sines), 2 * (cycles % 1) - 1])
    values = waves[kinds, np.arange(cases)] + rng.normal(scale=NOISE, size=(cases, length))
    with path.open("w") as file:
        file.write(HEADER.format(" ".join(KINDS)))
        for kind, row in zip(kinds, values, strict=True):
            file.write(",".join(f"{value:.4f}" for value in row) + f":{KINDS[kind]}\n")
    return path

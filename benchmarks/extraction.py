"""The compiled extractor beside tsfresh's own, on one core: `python -m benchmarks.extraction`.

Both compute the same features of the same series. tsfresh is given fewer of them, for it takes
130 ms for one; its time is that of `tsfresh.extract_features` in this process.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from functools import partial

import numpy as np
import pandas as pd
from tsfresh import extract_features as tsfresh_extract
from tsfresh.feature_extraction import settings

from benchmarks.race import Race, race
from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
from tideline.panel import FloatArray, Panel

SETS = {
    "minimal": settings.MinimalFCParameters,
    "efficient": settings.EfficientFCParameters,
    "comprehensive": settings.ComprehensiveFCParameters,
}
# Set, length, series for us, series for tsfresh, the ratio that is promised.
ROWS = (
    ("efficient", 128, 1000, 10, 100),
    ("efficient", 1024, 200, 2, 50),
    ("comprehensive", 128, 1000, 10, 100),
    ("minimal", 128, 1000, 50, 0),
)


def series(count: int, length: int) -> FloatArray:
    """Return random walks and noise in equal parts, float64 of shape (count, length)."""
    rng = np.random.default_rng(count * length)
    noise = rng.normal(size=(count, length))
    noise[::2] = noise[::2].cumsum(axis=1)
    return noise


def long_frame(values: FloatArray) -> pd.DataFrame:
    """Return the series as tsfresh wants them: a row for each value."""
    count, length = values.shape
    return pd.DataFrame({"id": np.repeat(np.arange(count), length), "value": values.reshape(-1)})


def beside_tsfresh(name: str, length: int, ours: int, theirs: int, rounds: int) -> Race:
    """Return the times for one series, in seconds."""
    values = series(ours, length)
    panel = Panel.from_arrays(values, channel_names=["value"])
    plan = FeaturePlan.for_panel(panel, name)
    by_tsfresh = partial(
        tsfresh_extract,
        long_frame(values[:theirs]),
        column_id="id",
        column_value="value",
        default_fc_parameters=SETS[name](),
        n_jobs=0,
        disable_progressbar=True,
    )
    return race(partial(extract, panel, plan), by_tsfresh, units=(ours, theirs), rounds=rounds)


def beside_tsxtractor(rounds: int) -> Race:
    """Return the times for one feature of one series: ours of `efficient`, and tsxtractor's own.

    tsxtractor is compiled Rust, with other features (not all of them tsfresh's in value): not a
    peer in what it computes, but in how fast a feature can be had.
    """
    from tsxtractor import extract_features, feature_names  # noqa: PLC0415 - in the extra `bench`

    values = series(1000, 128)
    panel = Panel.from_arrays(values)
    plan = FeaturePlan.for_panel(panel, "efficient")
    theirs = partial(extract_features, values, profile="full", n_jobs=1)
    units = (1000 * len(plan.features), 1000 * len(feature_names("full")))
    return race(partial(extract, panel, plan), theirs, units=units, rounds=rounds)


def two_cores_over_one(rounds: int) -> Race:
    """Return one worker's time as the peer's, and two workers' as ours."""
    panel = Panel.from_arrays(series(2000, 128))
    plan = FeaturePlan.for_panel(panel, "efficient")
    return race(
        partial(extract, panel, plan, workers=2),
        partial(extract, panel, plan, workers=1),
        units=(2000, 2000),
        rounds=rounds,
    )


def one_case(rounds: int) -> float:
    """Return the seconds for one case of 128 steps and a plan of 50 features, from arrays."""
    values = series(1, 128)
    whole = FeaturePlan.for_panel(Panel.from_arrays(values), "efficient")
    # Features of many calculators, as a selection leaves them.
    plan = whole.take(np.linspace(0, len(whole.features) - 1, 50).astype(int))

    def answer() -> None:
        for _ in range(200):
            extract(Panel.from_arrays(values), plan)

    return race(answer, lambda: None, units=(200, 1), rounds=rounds).ours


class Table:
    """Prints rows as they are measured, and remembers which fall short."""

    def __init__(self) -> None:
        self.short: list[str] = []
        print(f"{'what':<34} {'Tideline':>12} {'peer':>12} {'ratio':>8}   promised")

    def add(self, what: str, found: Race, least: float, *, unit: str = "ms") -> None:
        """Print a race, whose ratio must be at least what is promised."""
        scale = {"ms": 1e3, "ns": 1e9}[unit]
        print(
            f"{what:<34} {found.ours * scale:>9.3f} {unit} {found.peers * scale:>9.3f} {unit} "
            f"{found.ratio:>8.2f}   at least {least:g}",
            flush=True,
        )
        if found.ratio < least:
            self.short.append(what)

    def add_time(self, what: str, seconds: float, most: float) -> None:
        """Print a time, which must be less than what is promised."""
        print(f"{what:<34} {seconds * 1e3:>9.3f} ms {'':>21}   under {most * 1e3:g} ms", flush=True)
        if seconds >= most:
            self.short.append(what)


def main() -> int:
    """Print the table; return 1 where a figure falls short of what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    table = Table()
    for name, length, ours, theirs, least in ROWS:
        found = beside_tsfresh(name, length, ours, theirs, rounds)
        table.add(f"{name}, {length} steps, a series", found, least)
    table.add_time("one case, 50 features", one_case(rounds), 0.5e-3)
    table.add("a feature, beside tsxtractor", beside_tsxtractor(rounds), 0.1, unit="ns")
    if (os.cpu_count() or 1) > 1:
        table.add("two workers over one, a series", two_cores_over_one(rounds), 1.8)
    else:
        print("two workers over one: this machine has one core")
    if table.short:
        print(f"short of what is promised: {', '.join(table.short)}")
    return int(bool(table.short))


if __name__ == "__main__":
    sys.exit(main())

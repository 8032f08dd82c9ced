"""What views and intervals are worth: the accuracy of one forest on the features of each set.

`python -m benchmarks.views [FOLDER]`, where FOLDER holds the series and `published.csv`, the
accuracies that others published; by default the folder `data` in `TIDELINE_SHARED`. Default splits.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier

from tideline.features.extraction import extract
from tideline.features.imputation import RangeImputer
from tideline.features.plan import FeaturePlan
from tideline.features.views import PLAIN, View
from tideline.panel import Panel
from tideline.readers import read_panel
from tideline.roles import ColumnRoles

SETS = (
    "ACSF1", "Adiac", "ArrowHead", "BeetleFly", "Chinatown", "Coffee", "ECG200", "ECGFiveDays",
    "GunPoint", "ItalyPowerDemand", "MedicalImages", "OSULeaf", "SyntheticControl", "Trace",
)  # fmt: skip
PUBLISHED = ("1NN-DTW", "FreshPRINCE", "QUANT", "ROCKET", "HC2", "MR-Hydra")
SEEDS = 3
DERIVED = (PLAIN, View("difference"), View("spectrum"))


def plans(panel: Panel) -> Iterator[tuple[str, FeaturePlan]]:
    """Yield the plans that are compared, by name."""
    yield "minimal", FeaturePlan.for_panel(panel, "minimal")
    yield "efficient", FeaturePlan.for_panel(panel, "efficient")
    yield "efficient, derived views", FeaturePlan.for_panel(panel, "efficient", views=DERIVED)
    yield "tideline", FeaturePlan.for_panel(panel, "tideline")


def part(folder: Path, name: str) -> tuple[Panel, np.ndarray]:
    """Return the panel of a `.ts` file with the labels of its cases."""
    reading = read_panel(folder / f"{name}.ts", ColumnRoles(column_id=None))
    if reading.labels is None:
        raise SystemExit(f"{name}.ts holds no labels")
    return reading.panel, np.array(reading.labels.aligned_to(reading.panel), dtype=str)


def accuracies(folder: Path, name: str) -> Mapping[str, tuple[float, float, int]]:
    """Return the accuracy, the seconds of extraction and the number of features of each plan."""
    train, y = part(folder / name, f"{name}_TRAIN")
    test, truth = part(folder / name, f"{name}_TEST")
    found = {}
    for plan_name, plan in plans(train):
        began = time.perf_counter()
        X, X_test = extract(train, plan), extract(test, plan)
        seconds = time.perf_counter() - began
        imputer = RangeImputer().fit(X)
        X, X_test = imputer.transform(X), imputer.transform(X_test)
        scores = []
        for seed in range(SEEDS):
            forest = ExtraTreesClassifier(500, max_features=0.1, random_state=seed, n_jobs=2)
            scores.append(float(np.mean(forest.fit(X, y).predict(X_test) == truth)))
        found[plan_name] = (float(np.mean(scores)), seconds, len(plan.features))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    shared = os.environ.get("TIDELINE_SHARED", "../shared")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(shared) / "data")
    folder = parser.parse_args().folder
    rows = {}
    for name in SETS:
        rows[name] = accuracies(folder, name)
        told = "  ".join(f"{plan} {score:.3f}" for plan, (score, _, _) in rows[name].items())
        print(f"{name:<18} {told}", flush=True)
    print("\nmean accuracy, seconds of extraction for all sets, features a channel")
    for plan in next(iter(rows.values())):
        scores, seconds, counts = zip(*(row[plan] for row in rows.values()), strict=True)
        print(f"  {plan:<26} {np.mean(scores):.4f} {sum(seconds):>8.1f} s {max(counts):>6}")
    published = pd.read_csv(folder / "published.csv")
    ours = published[published.dataset.isin(SETS)]
    for algorithm, theirs in ours.groupby("algorithm"):
        if algorithm in PUBLISHED:
            mean = theirs.default_split.mean()
            print(f"  {algorithm!s:<26} {mean:.4f} (published, {len(theirs)} sets)")


if __name__ == "__main__":
    main()

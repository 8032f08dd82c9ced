"""What calibration does to probabilities: `python -m benchmarks.calibration [FOLDER]`.

For each set of classes: the log-loss and the Brier score on its test part, of a forest, a ridge on
random convolutions, a linear discriminant, and the mean of the first two; as they are, and with the
power that `training.calibration` fits to answers out of fold. FOLDER is by default the folder
`data` in `TIDELINE_SHARED`. Some seconds a set.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.figures import Figures
from benchmarks.views import part
from tideline.blend import sharpened
from tideline.features.convolutions import plan_convolutions
from tideline.features.extraction import extract
from tideline.features.imputation import RangeImputer
from tideline.features.plan import FeaturePlan
from tideline.ridge import CalibratedRidgeClassifier
from training.calibration import sharpness_of
from training.evaluation import SMALLEST_PROBABILITY
from training.task import Target

SETS = (
    *("BasicMotions", "Coffee", "BeetleFly", "GunPoint", "ArrowHead", "Chinatown", "ECGFiveDays"),
    *("AtrialFibrillation", "ItalyPowerDemand", "DodgerLoopDay", "Trace", "ECG200", "ACSF1"),
    *("RacketSports", "SyntheticControl", "OSULeaf", "JapaneseVowels"),
)
CONVOLUTIONS = 5000
FOLDS = 5
MODELS: Mapping[str, tuple[str, Any]] = {
    "forest": ("features", ExtraTreesClassifier(100, max_features=0.1, random_state=0)),
    "ridge": ("convolutions", CalibratedRidgeClassifier()),
    "discriminant": (
        "features",
        make_pipeline(
            VarianceThreshold(),
            StandardScaler(),
            SelectKBest(k=100),
            PCA(0.9),
            LinearDiscriminantAnalysis(),
        ),
    ),
}
MEAN = "mean of forest and ridge"

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Answers out of fold, and answers for the test part."""


def main() -> int:
    """Print the table; return 1 where calibration costs more than it brings."""
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("TIDELINE_SHARED", "../shared"))
    parser.add_argument("folder", type=Path, nargs="?", default=shared / "data")
    parser.add_argument("--sets", help="their names, with commas between", default=",".join(SETS))
    asked = parser.parse_args()
    found: dict[str, list[tuple[float, ...]]] = {}
    for name in asked.sets.split(","):
        for model, losses in _losses(asked.folder / name):
            found.setdefault(model, []).append(losses)
            print(
                f"{name:<20} {model:<26} log-loss {losses[0]:.4f}, calibrated {losses[1]:.4f}; "
                f"Brier {losses[2]:.4f}, calibrated {losses[3]:.4f}; power {losses[4]:.3g}",
                flush=True,
            )
    figures = Figures()
    for model, losses in found.items():
        raw, ours, brier, our_brier, _ = np.mean(losses, axis=0)
        told = f"{ours:.4f}, was {raw:.4f}; Brier {our_brier:.4f}, was {brier:.4f}"
        figures.add(f"{model}: log-loss", told, "not above what it was", met=bool(ours <= raw))
    return figures.code()


def _losses(folder: Path) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Yield the name of each model, and its losses as they are and calibrated, and the power."""
    learned, labels = part(folder, f"{folder.name}_TRAIN")
    asked, truth = part(folder, f"{folder.name}_TEST")
    classes, y = np.unique(labels, return_inverse=True)
    t = np.searchsorted(classes, truth)
    tables = {}
    for family, plan in (
        ("features", FeaturePlan.for_panel(learned, "efficient")),
        ("convolutions", plan_convolutions(learned, features=CONVOLUTIONS)),
    ):
        imputer, X = RangeImputer(), extract(learned, plan)
        tables[family] = (imputer.fit(X).transform(X), imputer.transform(extract(asked, plan)))
    answers = {name: _answers(model, *tables[f], y) for name, (f, model) in MODELS.items()}
    forest, ridge = answers["forest"], answers["ridge"]
    answers[MEAN] = ((forest[0] + ridge[0]) / 2, (forest[1] + ridge[1]) / 2)
    target = Target("classification", tuple(classes.tolist()), y)
    for name, (out_of_fold, for_test) in answers.items():
        power = sharpness_of(target, y, out_of_fold)
        ours = sharpened(for_test, power)
        losses = _log_loss(for_test, t), _log_loss(ours, t), _brier(for_test, t), _brier(ours, t)
        yield name, (*losses, power)


def _answers(
    model: Any,  # noqa: ANN401 - scikit-learn has no types
    X: NDArray[Any],
    X_test: NDArray[Any],
    y: NDArray[Any],
) -> Pair:
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    out_of_fold = cross_val_predict(clone(model), X, y, cv=folds, method="predict_proba")
    return out_of_fold, clone(model).fit(X, y).predict_proba(X_test)


def _log_loss(answers: NDArray[np.float64], y: NDArray[Any]) -> float:
    told = np.clip(answers[np.arange(y.size), y], SMALLEST_PROBABILITY, 1.0)
    return float(-np.log(told).mean())


def _brier(answers: NDArray[np.float64], y: NDArray[Any]) -> float:
    return float(((answers - np.eye(answers.shape[1])[y]) ** 2).sum(axis=1).mean())


if __name__ == "__main__":
    sys.exit(main())

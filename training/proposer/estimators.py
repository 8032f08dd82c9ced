"""The models among which TPOT searches, for tables with few cases and very many columns.

Ranges are those of strong regularisation, and of a fit within about a second on 200 cases of 2,000
columns. No probabilities are asked of models that would have to fit anew for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ConfigSpace import Categorical, Float, Integer
from ConfigSpace.hyperparameters import Hyperparameter
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from training.proposer.kind import Kind

MANY_CASES = 3000
"""Beyond them a support vector machine takes minutes."""
Ranges = dict[str, Hyperparameter[Any, Any]]


@dataclass(frozen=True)
class Sizes:
    """What ranges depend on.

    Attributes
    ----------
    n_classes
        0 for regression.
    n_samples, n_features
        Of the smallest training part.
    """

    n_classes: int
    n_samples: int
    n_features: int
    random_state: int


def classifiers(sizes: Sizes, light: bool) -> list[Kind]:
    """Return the kinds of classifiers; only cheap ones where `light`."""
    seed = sizes.random_state
    balance = _choice("class_weight", None, "balanced")
    kinds = [
        Kind(
            LogisticRegression(max_iter=300, tol=1e-3, random_state=seed),
            {"C": Float("C", (1e-5, 10.0), log=True), **balance},
            scaled=True,
        ),
        Kind(RidgeClassifier(), {"alpha": Float("alpha", (1.0, 1e5), log=True), **balance}, True),
        Kind(
            LinearDiscriminantAnalysis(solver="lsqr"),
            {"shrinkage": Float("shrinkage", (0.01, 1.0), log=True)},
            scaled=True,
            narrow=True,
        ),
        Kind(KNeighborsClassifier(algorithm="brute"), _neighbours(sizes), scaled=True),
        Kind(GaussianNB(), {"var_smoothing": _smoothing()}, narrow=True),
        Kind(ExtraTreesClassifier(100, random_state=seed), {**_trees(sizes), **balance}),
    ]
    return kinds if light else [*kinds, *_dearer_classifiers(sizes, balance)]


def regressors(sizes: Sizes, light: bool) -> list[Kind]:
    """Return the kinds of regressors; only cheap ones where `light`."""
    seed = sizes.random_state
    most = min(10, sizes.n_samples // 2, sizes.n_features)
    parts = {"n_components": Integer("n_components", (1, most), log=True)} if most > 1 else {}
    kinds = [
        Kind(Ridge(), {"alpha": Float("alpha", (1.0, 1e6), log=True)}, scaled=True),
        Kind(PLSRegression(1, scale=False), parts, scaled=True, reduces=True),
        Kind(KNeighborsRegressor(algorithm="brute"), _neighbours(sizes), scaled=True),
        Kind(ExtraTreesRegressor(100, random_state=seed), _trees(sizes)),
    ]
    return kinds if light else [*kinds, *_dearer_regressors(sizes)]


def _dearer_classifiers(sizes: Sizes, balance: Ranges) -> list[Kind]:
    seed = sizes.random_state
    # Not liblinear's penalty l1, which knows two classes only.
    sparse = LogisticRegression(
        solver="saga", l1_ratio=1.0, max_iter=100, tol=1e-2, random_state=seed
    )
    kinds = [
        Kind(
            sparse,
            {
                "C": Float("C", (1e-2, 10.0), log=True),
                "l1_ratio": Float("l1_ratio", (0.1, 1.0)),
                **balance,
            },
            scaled=True,
            narrow=True,
        ),
        Kind(
            RandomForestClassifier(100, random_state=seed),
            {**_trees(sizes), "max_features": Float("max_features", (0.005, 0.1), log=True)}
            | balance,
        ),
        Kind(
            LGBMClassifier(verbose=-1, n_jobs=1, random_state=seed, **_BOOSTING),
            {**_boosting(sizes), **balance},
        ),
    ]
    if sizes.n_samples > MANY_CASES:
        return kinds
    machine = {"C": Float("C", (0.1, 1e3), log=True), **balance}
    linear = {"C": Float("C", (1e-6, 1e-1), log=True), **balance}
    return [
        *kinds,
        Kind(SVC(random_state=seed), machine, scaled=True),
        Kind(LinearSVC(tol=1e-3, random_state=seed), linear, scaled=True),
    ]


def _dearer_regressors(sizes: Sizes) -> list[Kind]:
    seed = sizes.random_state
    kinds = [
        Kind(
            # Only with the values on one scale do the ranges mean the same everywhere.
            TransformedTargetRegressor(
                ElasticNet(max_iter=300, tol=1e-3, random_state=seed), transformer=StandardScaler()
            ),
            {
                "regressor__alpha": Float("regressor__alpha", (1e-3, 1.0), log=True),
                "regressor__l1_ratio": Float("regressor__l1_ratio", (0.05, 1.0)),
            },
            scaled=True,
        ),
        Kind(
            RandomForestRegressor(100, random_state=seed),
            {**_trees(sizes), "max_features": Float("max_features", (0.005, 0.2), log=True)},
        ),
        Kind(LGBMRegressor(verbose=-1, n_jobs=1, random_state=seed, **_BOOSTING), _boosting(sizes)),
    ]
    if sizes.n_samples > MANY_CASES:
        return kinds
    machine = TransformedTargetRegressor(SVR(), transformer=StandardScaler())
    ranges = {
        "regressor__C": Float("regressor__C", (0.1, 100.0), log=True),
        "regressor__epsilon": Float("regressor__epsilon", (0.01, 0.3), log=True),
    }
    return [*kinds, Kind(machine, ranges, scaled=True)]


_BOOSTING: dict[str, Any] = {
    "subsample_freq": 1,
    # Which of two ways LightGBM builds histograms it otherwise decides by a stopwatch.
    "force_col_wise": True,
    "deterministic": True,
    "max_bin": 63,
}


def _boosting(sizes: Sizes) -> Ranges:
    # A round grows a tree a class.
    rounds = max(20, 200 // max(1, sizes.n_classes - 1))
    return {
        "n_estimators": Integer("n_estimators", (10, rounds), log=True),
        "learning_rate": Float("learning_rate", (0.02, 0.3), log=True),
        "num_leaves": Integer("num_leaves", (2, 15), log=True),
        "min_child_samples": Integer("min_child_samples", (2, _leaf(sizes, 20)), log=True),
        "colsample_bytree": Float("colsample_bytree", (0.02, 0.3), log=True),
        "subsample": Float("subsample", (0.5, 1.0)),
        "reg_lambda": Float("reg_lambda", (1e-3, 30.0), log=True),
    }


def _trees(sizes: Sizes) -> Ranges:
    return {
        "n_estimators": Categorical("n_estimators", [100, 200, 400]),
        "max_features": Float("max_features", (0.01, 0.4), log=True),
        "min_samples_leaf": Integer("min_samples_leaf", (1, _leaf(sizes, 8)), log=True),
    }


def _leaf(sizes: Sizes, most: int) -> int:
    return max(3, min(most, sizes.n_samples // (5 * max(2, sizes.n_classes))))


def _neighbours(sizes: Sizes) -> Ranges:
    most = max(2, min(15, sizes.n_samples // 3))
    return {
        "n_neighbors": Integer("n_neighbors", (1, most), log=True),
        "metric": Categorical("metric", ["euclidean", "manhattan", "cosine"]),
        **_choice("weights", "uniform", "distance"),
    }


def _smoothing() -> Hyperparameter[Any, Any]:
    return Float("var_smoothing", (1e-9, 1e-1), log=True)


def _choice(name: str, *values: object) -> Ranges:
    return {name: Categorical(name, values)}

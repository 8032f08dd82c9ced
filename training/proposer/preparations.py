"""The steps before the model: scaling, selection, reduction; all fitted inside the folds.

Left out on purpose: what costs seconds on thousands of columns (PowerTransformer, mutual
information, agglomeration, recursive elimination), what may leave no column at all (SelectFwe), and
random maps of the columns (RBFSampler, Nystroem), which support vector machines do better.
"""

from __future__ import annotations

from ConfigSpace import Categorical, Float, Integer
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.feature_selection import (
    SelectFromModel,
    SelectKBest,
    f_classif,
    f_regression,
)
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from tideline.labels import Task
from training.proposer.kind import Kind

LEAST_SELECTED = 10
MOST_SELECTED = 500
"""Columns."""
MOST_QUANTILES = 200


def scalers(n_samples: int, random_state: int) -> list[Kind]:
    """Return what puts columns on one scale.

    None leaves far outliers as far as they are, as RobustScaler does: features of series have many,
    and distances and components then know nothing else.
    """
    quantiles = QuantileTransformer(
        n_quantiles=min(n_samples, MOST_QUANTILES),
        output_distribution="normal",
        random_state=random_state,
    )
    shape = {"output_distribution": Categorical("output_distribution", ["normal", "uniform"])}
    return [
        Kind(StandardScaler()),
        Kind(quantiles, shape),
    ]


def selections(task: Task, n_samples: int, n_features: int, random_state: int) -> list[Kind]:
    """Return what leaves columns out; always some are left, and of few columns all.

    Columns are counted, not taken by a percentile or a threshold of their scores: on few cases that
    are told apart without a fault many scores are infinite, and no column is above infinity.

    Parameters
    ----------
    n_features
        As many columns as there are in every fold.
    """
    if n_features < 2 * LEAST_SELECTED:
        return []
    is_class = task == "classification"
    best = {"k": Integer("k", (LEAST_SELECTED, MOST_SELECTED), log=True)}
    forest = ExtraTreesClassifier if is_class else ExtraTreesRegressor
    trees = forest(100, max_features="sqrt", random_state=random_state)
    # Of more than there are it would refuse to select, where the others keep all.
    most = min(n_features, MOST_SELECTED)
    kept = Integer("max_features", (LEAST_SELECTED, most), log=True)
    leaf = Integer("estimator__min_samples_leaf", (1, max(2, min(5, n_samples // 10))))
    return [
        Kind(SelectKBest(f_classif if is_class else f_regression), best),
        Kind(
            # The threshold is out of reach: so many columns are kept as are asked for.
            SelectFromModel(trees, threshold=-1.0),
            {"max_features": kept, "estimator__min_samples_leaf": leaf},
        ),
    ]


def reductions(random_state: int) -> list[Kind]:
    """Return what makes few columns of many."""
    # As many components as hold a share of the variance: a number could be more than there are
    # cases, or columns after a selection. The exact solution costs little where cases are few.
    return [
        Kind(
            PCA(0.9, svd_solver="full", random_state=random_state),
            {
                "n_components": Float("n_components", (0.3, 0.99)),
                "whiten": Categorical("whiten", [True, False]),
            },
        )
    ]

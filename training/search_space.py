"""The pipelines among which TPOT searches. Imported in the search's own process only.

TPOT's linear spaces, without TPOT's own modules, so that a published pipeline needs no TPOT;
without inner estimators; and without recursive feature elimination, which costs minutes on
hundreds of features and gives no more than selection from a model.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from tpot import BaseIndividual
from tpot.builtin_modules import Passthrough
from tpot.config import get_search_space
from tpot.search_spaces.base import SearchSpace
from tpot.search_spaces.nodes import EstimatorNode
from tpot.search_spaces.pipelines import ChoicePipeline, SequentialPipeline

from training.folds import Step

SCALERS = ["StandardScaler", "RobustScaler", "MinMaxScaler", "MaxAbsScaler", "Normalizer"]
SELECTORS = ["SelectFwe", "SelectPercentile", "VarianceThreshold"]
TRANSFORMERS = [
    "PCA",
    "FeatureAgglomeration",
    "KBinsDiscretizer",
    "Nystroem",
    "PowerTransformer",
    "QuantileTransformer",
    "RBFSampler",
]
LIGHT_CLASSIFIERS = [
    "BernoulliNB",
    "DecisionTreeClassifier",
    "GaussianNB",
    "KNeighborsClassifier",
    "LogisticRegression",
]
CLASSIFIERS = [
    *LIGHT_CLASSIFIERS,
    "ExtraTreesClassifier",
    "LGBMClassifier",
    "LinearDiscriminantAnalysis",
    "MLPClassifier",
    "RandomForestClassifier",
    "SGDClassifier",
    "XGBClassifier",
]
LIGHT_REGRESSORS = [
    "DecisionTreeRegressor",
    "ElasticNetCV",
    "KNeighborsRegressor",
    "LassoLarsCV",
    "LinearSVR",
    "RidgeCV",
]
REGRESSORS = [
    *LIGHT_REGRESSORS,
    "ExtraTreesRegressor",
    "LGBMRegressor",
    "MLPRegressor",
    "RandomForestRegressor",
    "XGBRegressor",
]


def search_space(
    *, n_classes: int, n_samples: int, n_features: int, light: bool, random_state: int
) -> SearchSpace:
    """Return the space: scaler, selector, transformer, estimator, all but the last optional.

    Parameters
    ----------
    n_classes
        0 for regression.
    n_samples, n_features
        Of the smallest training part; TPOT bounds neighbours and components by them.
    light
        Whether only cheap estimators are wanted.
    """
    sizes = {
        "n_classes": max(n_classes, 2),
        "n_samples": n_samples,
        "n_features": n_features,
        "random_state": random_state,
    }
    if n_classes:
        estimators = LIGHT_CLASSIFIERS if light else CLASSIFIERS
        selectors = [*SELECTORS, "SelectFromModel_classification"]
    else:
        estimators = LIGHT_REGRESSORS if light else REGRESSORS
        selectors = [*SELECTORS, "SelectFromModel_regression"]
    layers = [_optional(names, sizes) for names in (SCALERS, selectors, TRANSFORMERS)]
    return SequentialPipeline([*layers, get_search_space(estimators, **sizes)])


def steps_of(individual: BaseIndividual) -> list[Step]:
    """Return the steps that TPOT's individual stands for, those that do nothing left out."""
    exported = individual.export_pipeline()
    steps = [step for _, step in exported.steps if not isinstance(step, Passthrough)]
    names = [*(f"step_{i}" for i in range(1, len(steps))), "model"]
    return [(name, _plain(step)) for name, step in zip(names, steps, strict=True)]


def _optional(names: list[str], sizes: dict[str, int]) -> SearchSpace:
    return ChoicePipeline([get_search_space(names, **sizes), EstimatorNode(Passthrough, {})])


def _plain(estimator: BaseEstimator) -> BaseEstimator:
    """Replace the NumPy scalars that ConfigSpace draws by Python's, which estimators expect."""
    drawn = estimator.get_params(deep=True)
    scalars = {k: v.item() for k, v in drawn.items() if isinstance(v, np.generic)}
    return estimator.set_params(**scalars)

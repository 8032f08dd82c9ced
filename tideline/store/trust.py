"""Which types a published pipeline may hold: this server's list, never the model's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import skops.io

from tideline.errors import ModelRefused
from tideline.panel import named
from tideline.store.manifest import AGAIN
from tideline.wording import shown

_TYPES: Mapping[str, str] = {
    "tideline.blend": "Blend",
    "tideline.features.imputation": "RangeImputer",
    "tideline.features.selection": "RelevanceSelection",
    "tideline.forests": "PackedForestClassifier PackedForestRegressor",
    "tideline.ridge": "CalibratedRidgeClassifier WideRidgeRegressor",
    "collections": "OrderedDict defaultdict",
    "lightgbm.basic": "Booster",
    "lightgbm.sklearn": "LGBMClassifier LGBMRegressor",
    "numpy": "dtype max mean median min",
    "sklearn._loss.link": "HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit",
    "sklearn._loss.loss": "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss "
    "HalfMultinomialLoss HalfPoissonLoss HalfSquaredError HalfTweedieLoss "
    "HalfTweedieLossIdentity HuberLoss PinballLoss",
    "sklearn.calibration": "_CalibratedClassifier _SigmoidCalibration _TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "sklearn.feature_selection._univariate_selection": "f_classif f_regression",
    "sklearn.gaussian_process._gpc": "_BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels": "ConstantKernel Product RBF",
    "sklearn.metrics._dist_metrics": "BrayCurtisDistance64 CanberraDistance64 "
    "ChebyshevDistance64 EuclideanDistance64 HammingDistance64 ManhattanDistance64 "
    "MinkowskiDistance64 SEuclideanDistance64",
    "sklearn.neighbors._ball_tree": "BallTree",
    "sklearn.neighbors._kd_tree": "KDTree",
    "sklearn.neural_network._stochastic_optimizers": "AdamOptimizer SGDOptimizer",
    "sklearn.tree._tree": "Tree",
    "xgboost.core": "Booster",
    "xgboost.sklearn": "XGBClassifier XGBRFClassifier XGBRFRegressor XGBRegressor",
}
# By name, one by one: whatever else a trusted module happens to hold or import stays out.
TRUSTED = frozenset(
    f"{module}.{name}" for module, names in _TYPES.items() for name in names.split()
)
"""The types beyond those that skops trusts itself, which are most of scikit-learn's."""


def require_trusted(content: bytes) -> list[str]:
    """Return the types in a skops file beyond those that skops trusts itself, all allowed here.

    Raises
    ------
    ModelRefused
        When a type is not allowed, or the content is no skops file.
    """
    with _refusing("cannot be examined"):
        types: list[str] = skops.io.get_untrusted_types(data=content)
    refused = [name for name in types if name not in TRUSTED]
    if refused:
        raise ModelRefused(
            f"the pipeline holds types that this server does not load: {named(refused)}.",
            mend="Train with an estimator that Tideline knows.",
        )
    return types


def built(content: bytes) -> object:
    """Return the object that a skops file holds, built of allowed types only.

    Raises
    ------
    ModelRefused
        As `require_trusted`; also when the file does not say how its parts are built, or what it
        holds cannot be followed by compiled code, see `require_followable`.
    """
    from tideline.store.compiled import require_followable  # noqa: PLC0415 - imports all of sklearn

    types = require_trusted(content)
    with _refusing("cannot be built"):
        loaded = skops.io.loads(content, trusted=types)
        require_followable(loaded)
    return loaded


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Refuse the model for whatever skops, or the code of a type, makes of damaged content."""
    try:
        yield
    except Exception as error:
        raise ModelRefused(
            f"the pipeline {what}: {type(error).__name__}: {shown(str(error))}.", mend=AGAIN
        ) from error

"""The estimators that a spec may name, and no other: a table, so that nothing is imported at will.

The table holds every classifier and regressor of scikit-learn that learns one target from a matrix
of numbers without being given another estimator, the scikit-learn faces of XGBoost and LightGBM,
and TPOT's searches, which only the training room imports.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from tideline.errors import SpecError
from tideline.labels import Task
from tideline.spec.argument_kinds import annotated_kinds, is_of_kind
from tideline.spec.document import JSON
from tideline.spec.names import nearest, step
from tideline.wording import shown

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

_CLASSIFIERS: Mapping[str, str] = MappingProxyType(
    {
        "sklearn.discriminant_analysis": "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis",
        "sklearn.dummy": "DummyClassifier",
        "sklearn.ensemble": "AdaBoostClassifier BaggingClassifier ExtraTreesClassifier "
        "GradientBoostingClassifier HistGradientBoostingClassifier RandomForestClassifier",
        "sklearn.calibration": "CalibratedClassifierCV",
        "sklearn.gaussian_process": "GaussianProcessClassifier",
        "sklearn.linear_model": "LogisticRegression LogisticRegressionCV Perceptron "
        "RidgeClassifier RidgeClassifierCV SGDClassifier",
        "sklearn.naive_bayes": "BernoulliNB GaussianNB",
        "sklearn.neighbors": "KNeighborsClassifier NearestCentroid RadiusNeighborsClassifier",
        "sklearn.neural_network": "MLPClassifier",
        "sklearn.semi_supervised": "LabelPropagation LabelSpreading",
        "sklearn.svm": "LinearSVC NuSVC SVC",
        "sklearn.tree": "DecisionTreeClassifier ExtraTreeClassifier",
        "lightgbm": "LGBMClassifier",
        "xgboost": "XGBClassifier XGBRFClassifier",
        "tpot": "TPOTClassifier",
    }
)
_REGRESSORS: Mapping[str, str] = MappingProxyType(
    {
        "sklearn.dummy": "DummyRegressor",
        "sklearn.ensemble": "AdaBoostRegressor BaggingRegressor ExtraTreesRegressor "
        "GradientBoostingRegressor HistGradientBoostingRegressor RandomForestRegressor",
        "sklearn.gaussian_process": "GaussianProcessRegressor",
        "sklearn.kernel_ridge": "KernelRidge",
        "sklearn.linear_model": "ARDRegression BayesianRidge ElasticNet ElasticNetCV "
        "GammaRegressor HuberRegressor Lars LarsCV Lasso LassoCV LassoLars LassoLarsCV LassoLarsIC "
        "LinearRegression OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV PoissonRegressor "
        "QuantileRegressor RANSACRegressor Ridge RidgeCV SGDRegressor TheilSenRegressor "
        "TweedieRegressor",
        "sklearn.neighbors": "KNeighborsRegressor RadiusNeighborsRegressor",
        "sklearn.neural_network": "MLPRegressor",
        "sklearn.svm": "LinearSVR NuSVR SVR",
        "sklearn.tree": "DecisionTreeRegressor ExtraTreeRegressor",
        "lightgbm": "LGBMRegressor",
        "xgboost": "XGBRegressor XGBRFRegressor",
        "tpot": "TPOTRegressor",
    }
)
# These take an object of Python's, or data beside the features; JSON holds neither. Every feature
# is a number: a server loads no trees that split by categories.
_UNSETTABLE = frozenset(
    {
        "callbacks",
        "categorical_features",
        "covariance_estimator",
        "early_stopping_rounds",
        "estimator",
        "feature_types",
        "feature_weights",
        "kernel_params",
        "metric_params",
    }
)
# LightGBM takes these by **kwargs, among others that name files on the server.
_ALSO = MappingProxyType({"lightgbm": ("max_bin", "verbosity")})
_WORDS: Mapping[type, str] = MappingProxyType(
    {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        type(None): "null",
    }
)
FIELD = "model_training.model"
ARGS_FIELD = "model_training.model_args"


@dataclass(frozen=True)
class EstimatorChoice:
    """One row of the table.

    Attributes
    ----------
    module, name
        Where the class is imported from, and its name.
    task
        What it learns.
    is_search
        Whether it is a search over pipelines (TPOT's), which only the training room can build.
    """

    module: str
    name: str
    task: Task

    @property
    def path(self) -> str:
        """The class path, as a spec names it."""
        return f"{self.module}.{self.name}"

    @property
    def is_search(self) -> bool:
        """Whether it is a search over pipelines, which only the training room can build."""
        return self.module == "tpot"


@cache
def choices() -> Mapping[str, EstimatorChoice]:
    """Return the table, by the name of the class: no two packages have one in common."""
    return MappingProxyType(
        {
            name: EstimatorChoice(module, name, cast("Task", task))
            for task, rows in (("classification", _CLASSIFIERS), ("regression", _REGRESSORS))
            for module, names in rows.items()
            for name in names.split()
        }
    )


def resolve(path: str, *, field: str = FIELD) -> EstimatorChoice:
    """Return the row of the table that a class path names; nothing is imported.

    The class name may stand alone, and the modules between package and class may be those of
    another release (`sklearn.ensemble.forest.RandomForestClassifier`).

    Raises
    ------
    SpecError
        When the table has no such class; the nearest is named.
    """
    written = path.strip().removesuffix("()")
    package, _, name = written.rpartition(".")
    choice = choices().get(name)
    if choice and package.partition(".")[0] in {"", choice.module.partition(".")[0]}:
        return choice
    near = nearest(name, choices())
    raise SpecError(
        f"{shown(path)} is not an estimator that may be trained here.",
        mend=f"Did you mean {choices()[near].path!r}?"
        if near
        else "Name a classifier or a regressor of scikit-learn, xgboost or lightgbm, or leave "
        f"{field} out for a search.",
        field=field,
    )


def is_search(path: str | None) -> bool:
    """Return whether training means a search: no model named, or one of TPOT's."""
    return path is None or resolve(path).is_search


def task_of(path: str) -> Task:
    """Return what an estimator learns.

    Raises
    ------
    SpecError
        When the table has no such class.
    """
    return resolve(path).task


def build_estimator(path: str, args: Mapping[str, Any], random_state: int) -> BaseEstimator:
    """Return an estimator, not fitted, with the seed where it takes one and `args` sets none.

    Raises
    ------
    SpecError
        When the path is not in the table, is a search, or an argument does not fit the constructor.
    """
    choice = resolve(path)
    if choice.is_search:
        raise SpecError(
            f"{choice.path} is a search and no estimator.",
            mend="Run the search in the training room.",
            field=FIELD,
        )
    known = _argument_names(choice)
    _require_arguments(choice, args, known)
    if not choice.module.startswith("sklearn"):
        _require_kinds(choice, args)
    settings = dict(args)
    if "random_state" in known:
        settings.setdefault("random_state", random_state)
    if choice.module == "lightgbm":
        settings.setdefault("verbosity", -1)  # else it writes a line for every split it cannot make
    estimator = _estimator_class(choice)(**settings)
    if choice.module.startswith("sklearn"):
        _require_values(choice, estimator)
    return estimator


def _estimator_class(choice: EstimatorChoice) -> type[BaseEstimator]:
    return cast("type[BaseEstimator]", getattr(import_module(choice.module), choice.name))


@cache
def _argument_names(choice: EstimatorChoice) -> frozenset[str]:
    cls = _estimator_class(choice)
    if choice.module.startswith("sklearn"):
        names = set(inspect.signature(cls).parameters)
    else:
        # XGBoost's constructors take **kwargs; what they mean by it is what get_params lists.
        names = set(cls().get_params())
    return frozenset(names | set(_ALSO.get(choice.module, ()))) - _UNSETTABLE


def _require_arguments(
    choice: EstimatorChoice, args: Mapping[str, Any], known: frozenset[str]
) -> None:
    for name, value in args.items():
        field = f"{ARGS_FIELD}.{step(name)}"
        if name in _UNSETTABLE:
            raise SpecError(
                f"{name} of {choice.path} takes an object or columns, which a spec cannot hold.",
                mend="Leave it out.",
                field=field,
            )
        if name not in known:
            near = nearest(name, known)
            raise SpecError(
                f"{shown(name)} is not an argument of {choice.path}.",
                mend=f"Did you mean {near!r}?" if near else "Leave it out.",
                field=field,
            )
        if not _is_plain(value):
            raise SpecError(
                f"{name} is {shown(value)}; a number, text, true, false, null or a list of these "
                "is expected.",
                mend="Leave it out if no such value will do.",
                field=field,
            )


def _is_plain(value: JSON) -> bool:
    scalars = value if isinstance(value, list) else [value]
    return all(v is None or isinstance(v, str | int | float) for v in scalars)


def _require_kinds(choice: EstimatorChoice, args: Mapping[str, Any]) -> None:
    """Refuse values of a kind that XGBoost's or LightGBM's annotations exclude."""
    kinds = annotated_kinds(_estimator_class(choice))
    for name, value in args.items():
        if name in kinds and not is_of_kind(value, kinds[name]):
            words = " or ".join(_WORDS[kind] for kind in kinds[name])
            raise SpecError(
                f"{name} of {choice.path} is {shown(value)}; {words} is expected.",
                mend="Correct the value.",
                field=f"{ARGS_FIELD}.{name}",
            )


def _require_values(choice: EstimatorChoice, estimator: BaseEstimator) -> None:
    """Refuse values outside scikit-learn's own constraints before any data is read."""
    try:
        estimator._validate_params()  # noqa: SLF001  what fit calls first; there is no public way
    except ValueError as error:
        named = next(
            (n for n in _argument_names(choice) if f"The {n!r} parameter" in str(error)), ""
        )
        raise SpecError(
            f"{choice.path} does not take this: {str(error)[:300]}",
            mend="Correct the value.",
            field=f"{ARGS_FIELD}.{named}" if named else ARGS_FIELD,
        ) from error

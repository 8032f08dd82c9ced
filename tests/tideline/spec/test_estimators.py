"""The table of estimators, and what may be said of one."""

from __future__ import annotations

import ast
import subprocess
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import all_estimators

from tideline.errors import SpecError
from tideline.spec import build_estimator, is_search, task_of
from tideline.spec.estimators import choices, resolve

FOREST = "sklearn.ensemble.RandomForestClassifier"

BUILT = sorted(path for path in (c.path for c in choices().values()) if not is_search(path))

# Each needs another estimator, several targets, one feature, or features that are counts, or
# scikit-learn is about to drop it.
LEFT_OUT = """
    CCA CategoricalNB ClassifierChain ComplementNB FixedThresholdClassifier
    IsotonicRegression MultiOutputClassifier MultiOutputRegressor MultiTaskElasticNet
    MultiTaskElasticNetCV MultiTaskLasso MultiTaskLassoCV MultinomialNB OneVsOneClassifier
    OneVsRestClassifier OutputCodeClassifier PLSCanonical PLSRegression
    PassiveAggressiveClassifier PassiveAggressiveRegressor RegressorChain
    SelfTrainingClassifier StackingClassifier StackingRegressor TransformedTargetRegressor
    TunedThresholdClassifierCV VotingClassifier VotingRegressor
"""


def test_the_table_holds_scikit_learn_but_for_what_is_left_out_on_purpose():
    known = {name for name, _ in all_estimators(type_filter=["classifier", "regressor"])}
    ours = {c.name for c in choices().values() if c.module.startswith("sklearn")}
    left_out = set(LEFT_OUT.split())
    assert ours | left_out == known
    assert not ours & left_out


@pytest.mark.parametrize("path", BUILT)
def test_every_estimator_learns_what_the_table_says(path):
    # One thread: the cores are busy with other tests.
    args = {} if path.startswith("sklearn") else {"n_jobs": 1}
    estimator = build_estimator(path, args, 3)
    assert type(estimator) is getattr(
        import_module(path.rpartition(".")[0]), type(estimator).__name__
    )
    assert task_of(path) == ("classification" if is_classifier(estimator) else "regression")
    X = np.random.default_rng(5).normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int) if is_classifier(estimator) else np.exp(X[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 60 cases of noise
        warnings.simplefilter("ignore", FutureWarning)  # a default of LogisticRegressionCV's
        assert estimator.fit(X, y).predict(X).shape == (60,)


def test_a_search_is_known_without_importing_it():
    program = (
        "import sys; from tideline.spec import is_search, task_of, TrainingSpec;"
        "assert is_search('tpot.TPOTClassifier') and is_search(None);"
        "TrainingSpec.from_yaml('{pipeline_id: 1, model_training: {model: tpot.TPOTRegressor}}');"
        "assert not {'tpot', 'sklearn', 'tsfresh', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_searches_are_classes_of_tpot():
    package = find_spec("tpot")
    assert package
    assert package.origin
    source = Path(package.origin).parent / "tpot_estimator" / "templates" / "tpottemplates.py"
    classes = {n.name for n in ast.parse(source.read_text()).body if isinstance(n, ast.ClassDef)}
    assert {c.name for c in choices().values() if c.is_search} == classes


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (FOREST, FOREST),
        (f" {FOREST}() ", FOREST),
        ("RandomForestClassifier", FOREST),
        ("sklearn.ensemble.forest.RandomForestClassifier", FOREST),
        ("sklearn.ensemble._forest.RandomForestClassifier", FOREST),
        ("xgboost.sklearn.XGBClassifier", "xgboost.XGBClassifier"),
        ("lightgbm.sklearn.LGBMRegressor", "lightgbm.LGBMRegressor"),
        ("tpot.tpot.TPOTClassifier", "tpot.TPOTClassifier"),
    ],
)
def test_reads_a_class_path_of_any_release(written, path):
    assert resolve(written).path == path


@pytest.mark.parametrize(
    "path",
    [
        "os.system",
        "evil.RandomForestClassifier",
        "sklearn.ensemble.VotingClassifier",
        "sklearn.linear_model.LogisticRegression.__class__",
        "sklearn.ensemble",
        "",
        ".",
        "()",
        "x" * 100_000,
    ],
)
def test_refuses_every_other_path(path):
    with pytest.raises(SpecError) as caught:
        resolve(path)
    assert caught.value.field == "model_training.model"
    assert len(str(caught.value)) < 500


def test_names_the_nearest_estimator():
    with pytest.raises(
        SpecError, match=r"Did you mean 'sklearn\.ensemble\.RandomForestClassifier'"
    ):
        resolve("sklearn.ensemble.RandomForestClasifier")


def test_a_path_that_is_refused_is_not_imported():
    # `this` prints a poem when it is imported.
    assert "this" not in sys.modules
    with pytest.raises(SpecError):
        build_estimator("this.RandomForestClassifier", {}, 0)
    assert "this" not in sys.modules


def test_the_seed_is_set_unless_the_arguments_set_one():
    assert build_estimator(FOREST, {}, 7).random_state == 7
    assert build_estimator(FOREST, {"random_state": 9}, 7).random_state == 9
    assert (
        "random_state" not in build_estimator("sklearn.naive_bayes.GaussianNB", {}, 7).get_params()
    )


def test_arguments_reach_the_estimator():
    boosted = build_estimator("lightgbm.LGBMClassifier", {"n_estimators": 7, "max_bin": 63}, 0)
    assert boosted.get_params()["n_estimators"] == 7
    assert boosted.get_params()["max_bin"] == 63
    network = {"hidden_layer_sizes": [8, 4], "alpha": 1e-3}
    assert build_estimator("sklearn.neural_network.MLPClassifier", network, 0).alpha == 1e-3


@pytest.mark.parametrize(
    ("path", "args", "name", "said"),
    [
        (FOREST, {"n_estimator": 5}, "n_estimator", "Did you mean 'n_estimators'"),
        (FOREST, {"n_estimators": "many"}, "n_estimators", "must be an int"),
        (FOREST, {"n_estimators": -1}, "n_estimators", "must be an int"),
        (FOREST, {"max_features": "all"}, "max_features", "Got 'all'"),
        (FOREST, {"class_weight": {"0": 1}}, "class_weight", "a list of these"),
        (FOREST, {"self": 1}, "self", "not an argument"),
        ("sklearn.ensemble.AdaBoostClassifier", {"estimator": FOREST}, "estimator", "an object"),
        ("sklearn.svm.SVC", {"kernel": "rfb"}, "kernel", "Got 'rfb'"),
        ("xgboost.XGBClassifier", {"callbacks": []}, "callbacks", "an object"),
        ("xgboost.XGBClassifier", {"max_dept": 3}, "max_dept", "Did you mean 'max_depth'"),
        ("xgboost.XGBClassifier", {"max_depth": "3"}, "max_depth", "a whole number or null"),
        ("lightgbm.LGBMClassifier", {"learning_rate": "fast"}, "learning_rate", "a number is"),
        ("lightgbm.LGBMClassifier", {"forcedsplits_filename": "/etc/passwd"}, "forced", "argument"),
    ],
)
def test_refuses_an_argument_that_the_constructor_cannot_use(path, args, name, said):
    with pytest.raises(SpecError) as caught:
        build_estimator(path, args, 0)
    assert caught.value.field.startswith(f"model_training.model_args.{name}")
    assert said in str(caught.value)


def test_a_search_is_not_built_here():
    with pytest.raises(SpecError, match="no estimator"):
        build_estimator("tpot.TPOTClassifier", {}, 0)

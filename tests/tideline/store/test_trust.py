from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import skops.io
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsClassifier
from sklearn.svm import SVC, SVR, NuSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier, XGBRFClassifier

from tests.tideline.store.crafted import CRAFTED, X, Y
from tideline.errors import ModelRefused
from tideline.store.compiled import require_followable
from tideline.store.trust import built

EACH_REFUSED = """
import warnings
warnings.simplefilter("ignore")
from tests.tideline.store.crafted import CRAFTED
from tideline.errors import ModelRefused
from tideline.store.trust import built
for name, (craft, told) in CRAFTED.items():
    try:
        built(craft())
    except ModelRefused as error:
        assert told in str(error) and "Publish the model again" in str(error), (name, str(error))
    else:
        raise AssertionError(name)
print("lives")
"""
REAL: list[BaseEstimator] = [
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(5, random_state=0),
    AdaBoostClassifier(n_estimators=3, random_state=0),
    BaggingClassifier(n_estimators=3, max_features=3, random_state=0),
    GradientBoostingClassifier(n_estimators=3),
    GradientBoostingClassifier(n_estimators=3, init="zero"),
    HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=3),
    KNeighborsClassifier(algorithm="kd_tree", leaf_size=4),
    KNeighborsClassifier(algorithm="brute"),
    KNeighborsRegressor(algorithm="ball_tree", leaf_size=4, metric="canberra"),
    KNeighborsRegressor(algorithm="kd_tree", p=3),
    RadiusNeighborsClassifier(9, algorithm="ball_tree", leaf_size=4),
    SVC(),
    SVC(kernel="poly"),
    NuSVC(),
    SVR(),
    LGBMClassifier(n_estimators=3, min_child_samples=3, verbosity=-1),
    LGBMClassifier(n_estimators=3, boosting_type="dart", min_child_samples=3, verbosity=-1),
    LGBMRegressor(n_estimators=3, verbosity=-1, min_child_samples=60),
    XGBClassifier(n_estimators=3, gamma=0.5),
    XGBClassifier(n_estimators=3, booster="dart"),
    XGBClassifier(n_estimators=3, booster="gblinear", updater="coord_descent"),
    XGBRFClassifier(n_estimators=3),
]


def test_what_leads_out_of_its_arrays_is_refused_and_the_process_lives() -> None:
    command = [sys.executable, "-c", EACH_REFUSED]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "lives", (done.returncode, done.stderr[-2000:])
    assert len(CRAFTED) == 20


@pytest.mark.parametrize("model", REAL, ids=lambda model: repr(model)[:60])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_was_trained_answers_as_it_did(model: BaseEstimator, n_classes: int) -> None:
    fitted = model.fit(X, Y % n_classes)
    again = built(skops.io.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    if hasattr(fitted, "predict_proba"):
        np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_a_tree_that_says_more_nodes_than_it_has_is_refused() -> None:
    tree = DecisionTreeClassifier().fit(X, Y).tree_
    _, _, state = tree.__reduce__()
    tree.__setstate__({**state, "node_count": 10 * tree.node_count})
    model = DecisionTreeClassifier().fit(X, Y)
    model.tree_ = tree
    with pytest.raises(ValueError, match="says that it has"):
        require_followable(model)


def test_a_model_of_other_types_is_refused_still() -> None:
    with pytest.raises(ModelRefused):
        built(b"no zip")

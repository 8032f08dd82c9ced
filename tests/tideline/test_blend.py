from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.base import clone, is_classifier
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.feature_selection import SelectPercentile
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.pipeline import Pipeline as Steps
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from tests.tideline.fitted import document_of, waves, write
from tideline.blend import Blend
from tideline.errors import DataError
from tideline.features.extraction import extract
from tideline.features.imputation import RangeImputer
from tideline.features.plan import FeaturePlan
from tideline.features.selection import RelevanceSelection
from tideline.pipeline import Pipeline
from tideline.ridge import CalibratedRidgeClassifier, WideRidgeRegressor
from tideline.store import load_model
from tideline.store.trust import built

CLASSES = ("calm", "loud", "wild")
TREES = ExtraTreesClassifier(20, random_state=0)
SELECTION = RelevanceSelection(min_features=3)
FIRST, SECOND = slice(0, 10), np.arange(10, 20)


def steps_of(*steps: object) -> Steps:
    return Steps([(f"step{place}", clone(step)) for place, step in enumerate(steps)])


def table(n_classes: int = 2) -> tuple[np.ndarray, np.ndarray, FeaturePlan]:
    panel, codes = waves(n_classes=n_classes)
    plan = FeaturePlan.for_panel(panel, "minimal")
    return extract(panel, plan), codes, plan


def blended(
    *members: tuple[object, Steps], n_classes: int = 2, weights: tuple[float, ...] | None = None
) -> Pipeline:
    """Return a pipeline of a blend of these members, by default of trees and ridge."""
    X, codes, plan = table(n_classes)
    members = members or (
        (FIRST, steps_of(RangeImputer(), SELECTION, TREES)),
        (SECOND, steps_of(RangeImputer(), CalibratedRidgeClassifier())),
    )
    fitted = [(columns, clone(steps).fit(X[:, columns], codes)) for columns, steps in members]
    blend = Blend(fitted, [1.0] * len(fitted) if weights is None else list(weights), X.shape[1])
    return Pipeline(
        plan, Steps([("model", blend)]), "classification", CLASSES[:n_classes], ("x", "y")
    )


def blend_of(pipeline: Pipeline) -> Blend:
    return pipeline.estimator.steps[0][1]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_answers_the_weighted_mean_of_its_members(n_classes: int) -> None:
    pipeline = blended(n_classes=n_classes, weights=(3.0, 1.0))
    X, _, _ = table(n_classes)
    trees, ridge = (steps for _, steps in blend_of(pipeline).members)

    expected = 0.75 * trees.predict_proba(X[:, FIRST]) + 0.25 * ridge.predict_proba(X[:, SECOND])

    found = pipeline.predict(waves(n_classes=n_classes)[0])
    np.testing.assert_allclose(found.probabilities, expected)
    assert found.labels == tuple(CLASSES[code] for code in pipeline.estimator.predict(X))


def test_numbers_are_averaged() -> None:
    X, _, plan = table()
    y = X[:, 0] * 2
    trees = steps_of(RangeImputer(), ExtraTreesRegressor(10, random_state=0)).fit(X[:, FIRST], y)
    ridge = steps_of(RangeImputer(), WideRidgeRegressor()).fit(X[:, SECOND], y)
    blend = Blend([(FIRST, trees), (SECOND, ridge)], [1.0, 3.0], 20)
    pipeline = Pipeline(plan, Steps([("model", blend)]), "regression", (), ("x", "y"))

    found = pipeline.predict(waves()[0]).values

    np.testing.assert_allclose(
        found, 0.25 * trees.predict(X[:, FIRST]) + 0.75 * ridge.predict(X[:, SECOND])
    )
    assert not hasattr(blend, "predict_proba")
    assert not hasattr(blend, "classes_")
    assert pipeline.has_probabilities
    np.testing.assert_allclose(pipeline.narrowed().predict(waves()[0]).values, found)


def test_a_class_that_one_member_never_saw_is_answered_by_the_other() -> None:
    X, codes, _ = table(3)
    few = codes != 1
    narrow = steps_of(RangeImputer(), TREES).fit(X[few][:, FIRST], codes[few])
    wide = steps_of(RangeImputer(), TREES).fit(X[:, SECOND], codes)
    blend = Blend([(FIRST, narrow), (SECOND, wide)], [1.0, 1.0])

    probabilities = blend.predict_proba(X)

    assert blend.classes_.tolist() == [0, 1, 2]
    np.testing.assert_allclose(probabilities[:, 1], wide.predict_proba(X[:, SECOND])[:, 1] / 2)


SELECTED = steps_of(RangeImputer(), SELECTION, SelectPercentile(percentile=60), TREES)
SCALED = steps_of(RangeImputer(), StandardScaler(), SELECTION, TREES)


@pytest.mark.parametrize(
    ("members", "n_used"),
    [
        (((FIRST, SELECTED), (SECOND, SCALED)), None),
        (((np.array([17, 3, 4]), SCALED), (np.array([3, 8]), SCALED)), 4),
        (((slice(2, 6), SCALED), (slice(4, 9), SCALED)), 7),
        (((FIRST, SCALED), (FIRST, steps_of(SELECTION, TREES))), 10),
    ],
)
def test_narrowed_answers_the_same_from_the_columns_in_use(
    members: tuple, n_used: int | None
) -> None:
    pipeline = blended(*members)
    panel, _ = waves()

    narrow = pipeline.narrowed()

    assert narrow.predict(panel).scores() == pytest.approx(pipeline.predict(panel).scores())
    names = [name for name in pipeline.plan.names if name in set(narrow.plan.names)]
    assert list(narrow.plan.names) == names
    assert len(names) == n_used if n_used else len(names) < 20
    assert narrow.narrowed().plan == narrow.plan
    assert narrow.estimator.n_features_in_ == len(names)


def test_selections_after_the_imputer_become_columns() -> None:
    narrow = blend_of(blended().narrowed())

    kinds = [[type(step).__name__ for _, step in steps.steps] for _, steps in narrow.members]
    assert kinds == [
        ["RangeImputer", "ExtraTreesClassifier"],
        ["RangeImputer", "CalibratedRidgeClassifier"],
    ]
    # Columns that follow each other are a slice, of which no copy is made.
    assert narrow.members[1][0] == slice(narrow.n_features_in_ - 10, narrow.n_features_in_)


def test_its_document_names_every_kind_of_member() -> None:
    squashing = blended((FIRST, SCALED), (SECOND, steps_of(RangeImputer(), LinearSVC())))

    assert document_of(blended()).model_type == "ExtraTreesClassifier + CalibratedRidgeClassifier"
    assert document_of(blended()).has_probabilities
    assert document_of(blended((FIRST, SCALED), (SECOND, SCALED))).model_type == (
        "ExtraTreesClassifier"
    )
    assert not document_of(squashing).has_probabilities
    assert np.isfinite(squashing.predict(waves()[0]).probabilities).all()


def test_it_is_published_and_read_as_the_server_allows(tmp_path: Path) -> None:
    panel, _ = waves()
    pipeline = blended((np.array([1, 5]), SCALED), (SECOND, SELECTED)).narrowed()

    read, document = load_model(write(tmp_path / "model", pipeline))

    assert read.predict(panel).scores() == pipeline.predict(panel).scores()
    assert document.model_type == "ExtraTreesClassifier"
    again = built(skops.io.dumps(blended().estimator))
    assert again.n_features_in_ == 20


def test_one_case_is_answered_quickly() -> None:
    X, codes, plan = table()
    trees = steps_of(RangeImputer(), ExtraTreesClassifier(500, n_jobs=2)).fit(X, codes)
    ridge = steps_of(RangeImputer(), CalibratedRidgeClassifier()).fit(X, codes)
    blend = Blend([(slice(0, 20), trees), (slice(0, 20), ridge)], [1.0, 1.0])
    pipeline = Pipeline(plan, Steps([("model", blend)]), "classification", CLASSES[:2], ("x", "y"))
    seconds = []  # Of this thread alone, whatever else the machine does.
    for _ in range(10):
        began = time.thread_time()
        pipeline.predict_features(X[:1], (0,))
        seconds.append(time.thread_time() - began)

    assert min(seconds) < 0.03


def test_scorers_of_sklearn_ask_it_for_probabilities() -> None:
    X, codes, _ = table()
    estimator = blended((FIRST, SCALED), (SECOND, SCALED)).estimator

    assert is_classifier(estimator)
    for name in ("roc_auc", "neg_log_loss", "accuracy"):
        assert np.isfinite(get_scorer(name)(estimator, X, codes))
    assert get_scorer("roc_auc")(estimator, X, codes) == 1.0


def test_a_clone_is_fitted_as_its_members_were() -> None:
    X, codes, _ = table()
    blend = blend_of(blended())

    again = clone(blend).fit(X, codes)

    np.testing.assert_array_equal(again.predict_proba(X), blend.predict_proba(X))


@pytest.mark.parametrize("weights", [(1.0,), (0.0, 0.0), (2.0, -1.0), (np.nan, 1.0)])
def test_weights_that_are_none_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="for each of 2 members is expected"):
        blend_of(blended(weights=weights)).predict(table()[0])


def test_another_number_of_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="Blend is expecting 20 features"):
        blend_of(blended()).predict(table()[0][:, :19])


def test_columns_beyond_the_table_are_refused() -> None:
    members = blend_of(blended()).members

    with pytest.raises(ValueError, match="columns up to 20; 12 are all there are"):
        Blend(members, [1.0, 1.0], 12).predict(table()[0][:, :12])


def test_a_member_that_refuses_a_case_is_told_as_a_fault_of_the_data() -> None:
    pipeline = blended((FIRST, steps_of(LogisticRegression(max_iter=9000))))
    features = np.full((1, 20), np.nan)

    with pytest.raises(DataError, match="the model refuses these cases"):
        pipeline.predict_features(features, ("a",))

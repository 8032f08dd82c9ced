"""Tests of permutation importance, on pipelines that are known to look at one thing only."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline as Steps
from sklearn.preprocessing import StandardScaler

from tideline.blend import Blend
from tideline.features.imputation import RangeImputer
from tideline.features.plan import FeaturePlan
from tideline.features.selection import RelevanceSelection
from tideline.features.views import View, dyadic
from tideline.pipeline import Pipeline
from tideline.ridge import CalibratedRidgeClassifier
from training.findings import Importances
from training.importance import (
    MOST_CASES,
    MOST_CHANNELS,
    MOST_FEATURES,
    ROUNDS,
    SPARED,
    importances,
    regions,
    sample,
)
from training.promise import members_of, promise
from training.scoring import ranked
from training.task import Target

CHANNELS = ("a", "b__c", "d")
CALCULATORS = {"mean": None, "maximum": None, "median": None}
N = 60


def plan_of(*views: View) -> FeaturePlan:
    return FeaturePlan.from_parameters(CHANNELS, CALCULATORS, views=views or (View(),))


def table(plan: FeaturePlan, n: int = N) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(n, len(plan.features))).astype(np.float32)


def target_of(signal: np.ndarray) -> Target:
    return Target("classification", ("no", "yes"), (signal > 0).astype(np.int64))


def trees() -> Steps:
    model = ExtraTreesClassifier(60, max_features=0.5, random_state=0)
    return Steps([("impute", RangeImputer()), ("model", model)])


def fitted(plan: FeaturePlan, steps: Steps, X: np.ndarray, target: Target) -> Pipeline:
    steps.fit(X, target.y)
    return Pipeline(plan, steps, target.task, target.classes, plan.channels)


def measured(
    pipeline: Pipeline,
    X: np.ndarray,
    target: Target,
    metric: str = "accuracy",
    seconds: float = math.inf,
) -> Importances:
    deadline = time.monotonic() + seconds
    return importances(
        pipeline, X, target, metric=metric, deadline=deadline, random_state=0, on="60 cases"
    )


def test_the_one_channel_and_feature_that_matter_come_first() -> None:
    plan = plan_of()
    X = table(plan)
    at = plan.names.index("b__c__maximum")
    target = target_of(X[:, at])
    found = measured(fitted(plan, trees(), X, target), X, target)
    assert (found.metric, found.on) == ("accuracy", "60 cases")
    assert found.by_channel[0].what == "b__c"
    assert {i.what for i in found.by_channel} == set(CHANNELS)
    assert found.by_channel[0].loss > 0.2 > 5 * abs(found.by_channel[1].loss)
    assert found.by_channel[0].spread > 0
    assert found.by_feature[0].what == "b__c__maximum"
    assert found.by_region == ()
    losses = [i.loss for i in found.by_feature]
    assert losses == sorted(losses, reverse=True)


def test_of_very_many_channels_those_are_measured_that_matter_and_features_too() -> None:
    channels = [f"c{n}" for n in range(4 * MOST_CHANNELS)]
    plan = FeaturePlan.from_parameters(channels, {"mean": None, "maximum": None})
    X = table(plan)
    target = target_of(X[:, 300] + X[:, 7])
    pipeline = fitted(plan, trees(), X, target)
    found = measured(pipeline, X, target)
    assert len(found.by_channel) == MOST_CHANNELS
    assert {importance.what for importance in found.by_channel[:2]} == {"c150", "c3"}
    assert found.by_feature[0].what in {plan.names[300], plan.names[7]}


def test_the_one_region_that_matters_comes_first_by_series_and_by_difference() -> None:
    views = tuple(dyadic(depth=3))
    plan = plan_of(*views)
    X = table(plan, 600)
    wanted = [
        column
        for column, f in enumerate(plan.features)
        if f.view in (View("series", 2, 3, 8), View("difference", 2, 3, 8)) and f.channel == "d"
    ]
    steps = Steps([("impute", RangeImputer()), ("model", Ridge(0.1))])
    values = Target("regression", (), X[:, wanted].sum(axis=1).astype(np.float64))
    found = measured(fitted(plan, steps, X, values), X, values, "r2")
    assert len(found.by_region) == 8
    assert found.by_region[0].what == "25 % to 37.5 %"
    assert found.by_channel[0].what == "d"
    assert len(found.by_feature) == MOST_FEATURES


def test_a_region_has_short_intervals_that_reach_into_it_and_no_spectrum() -> None:
    views = tuple(dyadic(depth=3))
    plan = plan_of(*views)
    found = regions(plan)
    assert list(found)[:2] == ["0 % to 12.5 %", "12.5 % to 25 %"]
    within = {plan.features[column].view for column in found["12.5 % to 25 %"]}
    assert View("series", 1, 2, 8) in within
    assert View("series", 1, 3, 16) in within
    assert View("difference", 0, 1, 4) in within
    assert not within & {View(), View("series", 0, 1, 2), View("series", 2, 3, 8)}
    assert all(view.form != "spectrum" for view in within)


@pytest.mark.parametrize(
    ("views", "n"),
    [((View(),), 0), ((View(), View("spectrum", 0, 1, 4)), 0), (tuple(dyadic(depth=1)), 2)],
)
def test_there_are_no_more_regions_than_intervals(views: tuple[View, ...], n: int) -> None:
    assert len(regions(plan_of(*views))) == n


def test_a_blend_is_measured_as_its_whole_answer_and_the_table_stays_as_it_was() -> None:
    plan = plan_of()
    X = table(plan)
    target = target_of(X[:, 0] + 0.5 * X[:, 4])
    left = trees().fit(X[:, :5], target.y)
    right = Steps([("model", CalibratedRidgeClassifier())]).fit(X[:, 3:], target.y)
    blend = Blend([(slice(0, 5), left), (np.arange(3, 9), right)], [3, 1], 9)
    pipeline = Pipeline(plan, Steps([("model", blend)]), target.task, target.classes, CHANNELS)
    before = X.copy()
    found = measured(pipeline, X, target, "neg_log_loss")
    np.testing.assert_array_equal(X, before)

    def score(features: np.ndarray) -> float:
        answers = pipeline.predict_features(features, tuple(range(N))).probabilities
        return ranked("neg_log_loss", target, target.y, answers)[0]

    rng = np.random.default_rng(0)
    orders = [rng.permutation(N) for _ in range(ROUNDS)]
    for importance in found.by_channel:
        columns = [c for c, f in enumerate(plan.features) if f.channel == importance.what]
        losses = []
        for order in orders:
            shuffled = X.copy()
            shuffled[:, columns] = X[order][:, columns]
            losses.append(score(X) - score(shuffled))
        assert importance.loss == pytest.approx(np.mean(losses))
        assert importance.spread == pytest.approx(np.std(losses))


def test_nothing_is_begun_after_the_deadline() -> None:
    plan = plan_of()
    X = table(plan)
    target = target_of(X[:, 0])
    pipeline = fitted(plan, trees(), X, target)
    none = measured(pipeline, X, target, seconds=-1)
    assert (none.by_channel, none.by_region, none.by_feature) == ((), (), ())
    began = time.monotonic()
    some = measured(pipeline, X, target, seconds=0.1)
    assert time.monotonic() - began < 1
    assert len(some.by_channel) <= 3


@pytest.mark.parametrize(
    ("target", "metric", "instead"),
    [
        (Target("classification", (0, 1), np.ones(N, dtype=np.int64)), "roc_auc", "neg_log_loss"),
        (Target("regression", (), np.ones(N)), "r2", "neg_root_mean_squared_error"),
    ],
)
def test_where_the_metric_is_not_defined_another_is_measured_and_told(
    target: Target, metric: str, instead: str
) -> None:
    plan = plan_of()
    X = table(plan)
    learned = target_of(X[:, 0])
    model = Ridge() if target.task == "regression" else LogisticRegression()
    steps = Steps([("model", model)]).fit(X, learned.y)
    pipeline = Pipeline(plan, steps, target.task, target.classes, CHANNELS)
    found = measured(pipeline, X, target, metric)
    assert found.metric == instead
    assert found.by_channel


def test_where_no_shuffle_makes_a_mistake_the_finer_metric_tells_them_apart() -> None:
    plan = plan_of()
    X = table(plan)
    # Every feature tells the class, so that the others make up for any one.
    y = np.arange(N) % 2
    X += 50 * y[:, np.newaxis].astype(np.float32)
    X[:, :3] = table(plan)[:, :3]
    target = Target("classification", (0, 1), y)
    found = measured(fitted(plan, trees(), X, target), X, target)
    assert found.metric == "neg_log_loss"
    assert found.by_channel[0].loss > 0 == found.by_channel[-1].loss
    assert found.by_channel[-1].what == "a"


def test_a_sample_of_many_cases_has_members_of_rare_classes() -> None:
    y = np.zeros(3000, dtype=np.int64)
    y[[5, 700, 2999]] = 1
    target = Target("classification", ("usual", "rare"), y)
    chosen = sample(target, np.random.default_rng(0))
    assert MOST_CASES <= chosen.size <= MOST_CASES + 2 * SPARED
    assert target.y[chosen].sum() >= 2
    assert (np.diff(chosen) > 0).all()


@pytest.mark.parametrize(
    "steps",
    [
        trees(),
        Steps(
            [
                ("impute", RangeImputer()),
                ("select", RelevanceSelection(min_features=3)),
                ("scale", StandardScaler()),
                ("model", LogisticRegression()),
            ]
        ),
        Steps([("scale", StandardScaler()), ("reduce", PCA(3)), ("model", LogisticRegression())]),
        Steps([("model", CalibratedRidgeClassifier())]),
    ],
)
def test_what_models_make_most_of_is_known_whatever_their_steps(steps: Steps) -> None:
    plan = plan_of()
    X = table(plan)
    target = target_of(X[:, 7])
    pipeline = fitted(plan, steps, X, target)
    found = promise(members_of(pipeline), X, target)
    assert found.argmax() == 7
    assert found.sum() == pytest.approx(1)


def test_a_table_of_other_columns_is_refused() -> None:
    plan = plan_of()
    X = table(plan)
    target = target_of(X[:, 0])
    pipeline = fitted(plan, trees(), X, target)
    with pytest.raises(ValueError, match=r"\(60, 9\) is expected"):
        measured(pipeline, X[:, :4], target)

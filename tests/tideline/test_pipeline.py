from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor
from sklearn.feature_selection import SelectPercentile
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.neighbors import NearestCentroid, RadiusNeighborsClassifier, RadiusNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from tests.tideline.fitted import fitted, fitted_to_numbers, waves
from tideline.answers import squashed
from tideline.errors import DataError, InputMismatch
from tideline.features.extraction import extract
from tideline.features.selection import RelevanceSelection
from tideline.panel import Channel, Panel

SELECTION = ("selection", RelevanceSelection(min_features=4))


def test_two_classes_score_by_the_later_ones_probability() -> None:
    panel, codes = waves()
    prediction = fitted().predict(panel)

    assert prediction.probabilities.shape == (24, 2)
    assert list(prediction.scores()) == [str(i) for i in range(24)]
    assert list(prediction.scores().values()) == prediction.probabilities[:, 1].tolist()
    assert prediction.labels == tuple(
        "loud" if p > 0.5 else "calm" for p in prediction.probabilities[:, 1]
    )
    assert np.mean((prediction.probabilities[:, 1] > 0.5) == codes) > 0.8


def test_more_classes_score_by_their_label() -> None:
    panel, _ = waves(n_classes=3)
    prediction = fitted(n_classes=3).predict(panel)

    assert set(prediction.scores().values()) <= {"calm", "loud", "wild"}
    assert prediction.by_class()["0"].keys() == {"calm", "loud", "wild"}
    assert sum(prediction.by_class()["0"].values()) == pytest.approx(1.0)


def test_numbers_score_by_their_value() -> None:
    panel, _ = waves()
    prediction = fitted_to_numbers(LinearRegression()).predict(panel)

    assert prediction.values.dtype == np.float64
    assert list(prediction.scores().values()) == prediction.values.tolist()
    assert prediction.by_class() == {}


@pytest.mark.parametrize("classes", [(1, 2), (False, True), (0.5, 1.5), ("a", "b")])
def test_labels_come_back_as_they_were_given(classes: tuple) -> None:
    labels = fitted(classes=classes).predict(waves()[0]).labels

    assert {type(label) for label in labels} == {type(classes[0])}
    assert set(labels) <= set(classes)


@pytest.mark.parametrize("model", [LinearSVC(), RidgeClassifier(), NearestCentroid()])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_models_without_probabilities_are_scored_and_marked(model: object, n_classes: int) -> None:
    between = (SELECTION, ("scale", StandardScaler()))
    pipeline = fitted(model, n_classes=n_classes, between=between)
    panel, _ = waves(n_classes=n_classes)

    prediction = pipeline.predict(panel)

    own = pipeline.estimator.predict(extract(panel, pipeline.plan))
    assert pipeline.has_probabilities == hasattr(model, "predict_proba")
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1.0)
    assert prediction.labels == tuple(pipeline.classes[code] for code in own)


@settings(deadline=None)
@given(st.lists(st.floats(-1e300, 1e300), min_size=1))
def test_squashing_keeps_order_and_range(decisions: list[float]) -> None:
    scores = squashed(np.array(decisions))[:, 1]

    assert ((scores >= 0) & (scores <= 1)).all()
    assert (np.diff(scores[np.argsort(decisions)]) >= 0).all()


def test_a_class_that_the_model_never_saw_has_no_probability() -> None:
    panel, _ = waves()
    pipeline = fitted(DummyClassifier(), classes=("a", "b"))
    wider = type(pipeline)(
        pipeline.plan, pipeline.estimator, "classification", ("a", "b", "c"), ("x", "y")
    )

    assert wider.predict(panel).probabilities[:, 2].tolist() == [0.0] * 24


@pytest.mark.parametrize(
    "between",
    [
        (SELECTION,),
        (SELECTION, ("scale", StandardScaler())),
        (SELECTION, ("more", SelectPercentile(percentile=50))),
        (("scale", StandardScaler()), SELECTION),
        (),
    ],
)
def test_narrowed_answers_the_same_from_fewer_features(between: tuple) -> None:
    panel, _ = waves()
    pipeline = fitted(between=between)

    narrow = pipeline.narrowed()

    expected, found = pipeline.predict(panel), narrow.predict(panel)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, rtol=1e-10)
    leads = len(between) > 0 and between[0][0] != "scale"
    assert (len(narrow.plan.features) < 20) == leads
    assert narrow.narrowed().plan == narrow.plan


def test_narrowed_trees_answer_exactly_the_same() -> None:
    panel, _ = waves()
    pipeline = fitted(ExtraTreesClassifier(20, random_state=0))

    np.testing.assert_array_equal(
        pipeline.narrowed().predict(panel).probabilities, pipeline.predict(panel).probabilities
    )


def test_one_case_is_answered_as_it_is_among_others() -> None:
    panel, _ = waves()
    pipeline = fitted_to_numbers(RandomForestRegressor(10, random_state=0))

    alone = pipeline.predict(panel.take([5]))

    assert alone.scores() == {"5": pipeline.predict(panel).scores()["5"]}


def test_refuses_channels_that_it_was_not_trained_on() -> None:
    panel, _ = waves()
    surplus = Panel(panel.ids, {**panel.channels, "gyro": panel.channels["x"]})

    with pytest.raises(InputMismatch, match="not trained on: 'gyro'; found 'x', 'y', 'gyro'"):
        fitted().predict(surplus)


def test_refuses_a_panel_without_one_of_its_channels() -> None:
    panel, _ = waves()

    with pytest.raises(InputMismatch, match="lacks channels 'y'; found 'x', expected 'x', 'y'"):
        fitted().narrowed().predict(Panel(panel.ids, {"x": panel.channels["x"]}))


def test_the_order_of_the_channels_does_not_matter() -> None:
    panel, _ = waves()
    turned = Panel(panel.ids, dict(reversed(panel.channels.items())))

    assert fitted().predict(turned).scores() == fitted().predict(panel).scores()


def test_refuses_a_series_of_one_point() -> None:
    short = Channel.from_series([[1.0]])

    with pytest.raises(DataError, match="fewer than 2 values"):
        fitted().predict(Panel(("a",), {"x": short, "y": short}))


def far_away() -> Panel:
    """Return two cases like those of the training, and one like none of them."""
    panel, _ = waves()
    values = np.stack([c.values.reshape(24, 20)[:3] for c in panel.channels.values()], axis=1)
    values[1] = 1e6
    return Panel.from_arrays(values, ["a", "far", "c"], ["x", "y"])


class Runaway(DummyRegressor):
    """A model whose answer is infinite where a feature is large."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.where(np.abs(X).max(axis=1) < 1e5, super().predict(X), np.inf)


@pytest.mark.filterwarnings("ignore:One or more samples have no neighbors:UserWarning")
@pytest.mark.parametrize("model", [RadiusNeighborsRegressor(radius=1e3), Runaway()])
def test_refuses_cases_for_which_the_model_has_no_number(model: object) -> None:
    pipeline = fitted_to_numbers(model)

    with pytest.raises(DataError, match="no answer for 1 of 3 cases: 'far'") as caught:
        pipeline.predict(far_away())
    assert caught.value.field == "raw_data"


class Mute(DummyClassifier):
    """A model that gives no class any probability where a feature is large."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return super().predict_proba(X) * (np.abs(X).max(axis=1) < 1e5)[:, np.newaxis]


def test_refuses_cases_for_which_no_class_has_a_probability() -> None:
    with pytest.raises(DataError, match="no answer for 1 of 3 cases: 'far'"):
        fitted(Mute()).predict(far_away())


def test_a_model_that_refuses_a_case_is_told_as_a_fault_of_the_data() -> None:
    with pytest.raises(DataError, match="the model refuses these cases: No neighbors found"):
        fitted(RadiusNeighborsClassifier(radius=1e3), between=()).predict(far_away())

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from tsfresh.feature_extraction import MinimalFCParameters

from tideline import FeatureExtractor, FeaturePlan, Panel, extract
from tideline.errors import DataError, InputMismatch, SpecError
from tideline.features.imputation import RangeImputer

SERIES = np.random.default_rng(0).normal(size=(12, 2, 20)).cumsum(axis=-1)
"""Cases of two channels."""

REFUSED = {
    "check_estimators_pickle": "leaves series of three time points with a single known value, "
    "which `extract` refuses; test_goes_to_another_process_after_use pickles others",
}
"""The checks that fail, and why they may."""


@parametrize_with_checks([FeatureExtractor("minimal")], expected_failed_checks=lambda _: REFUSED)
def test_is_an_estimator_as_scikit_learn_checks_it(estimator: BaseEstimator, check) -> None:
    check(estimator)


def test_a_check_that_may_fail_does_so_by_a_refusal_in_words() -> None:
    X = np.array([[np.nan, 1.0, np.nan], [1.0, 2.0, 3.0]])

    with pytest.raises(DataError, match="1 of 2 series hold fewer than 2 values"):
        FeatureExtractor("minimal").fit(X).transform(X)


@pytest.mark.parametrize("X", [SERIES, SERIES[:, 0]], ids=["three dimensions", "two"])
def test_values_are_those_of_the_panel(X: np.ndarray) -> None:
    panel = Panel.from_arrays(X)
    plan = FeaturePlan.for_panel(panel, "minimal")

    extractor = FeatureExtractor("minimal", n_jobs=2).fit(X)

    np.testing.assert_array_equal(extractor.transform(X), extract(panel, plan))
    assert tuple(extractor.get_feature_names_out()) == plan.names


def test_takes_settings_as_tsfresh_writes_them() -> None:
    ours = FeatureExtractor(MinimalFCParameters()).fit(SERIES).plan_

    assert ours == FeatureExtractor("minimal").fit(SERIES).plan_


def test_leaves_out_what_needs_dates() -> None:
    settings = {"linear_trend_timewise": [{"attr": "slope"}], "mean": None}

    assert list(FeatureExtractor(settings).fit(SERIES[:, 0]).get_feature_names_out()) == ["0__mean"]


def test_takes_a_plan() -> None:
    plan = FeaturePlan.from_parameters(["b"], {"mean": None, "maximum": None}).take([1])
    extractor = FeatureExtractor(plan, channel_names=["a", "b"])

    np.testing.assert_array_equal(
        extractor.fit_transform(SERIES), SERIES[:, 1].max(axis=1, keepdims=True)
    )


def test_refuses_a_plan_for_other_channels() -> None:
    plan = FeaturePlan.from_parameters(["b"], "minimal")

    with pytest.raises(InputMismatch, match=r"channels 'b' too; found '0', '1'. Set channel_names"):
        FeatureExtractor(plan).fit(SERIES)


def test_fits_before_a_model() -> None:
    y = np.arange(12) % 2
    steps = (RangeImputer(), LogisticRegression(max_iter=10_000))
    pipeline = make_pipeline(FeatureExtractor("minimal"), *steps)

    assert clone(pipeline).fit(SERIES, y).predict(SERIES).shape == (12,)


def test_gives_frames_when_asked() -> None:
    extractor = FeatureExtractor("minimal", channel_names=["x", "y"]).set_output(transform="pandas")

    frame = extractor.fit_transform(SERIES)

    assert isinstance(frame, pd.DataFrame)
    assert "y__maximum" in frame.columns


def test_keeps_the_index_of_a_frame() -> None:
    frame = pd.DataFrame(SERIES[:, 0], index=[f"case {n}" for n in range(12)])
    frame.columns = frame.columns.astype(str)
    extractor = FeatureExtractor("minimal").set_output(transform="pandas")

    assert extractor.fit_transform(frame).index.equals(frame.index)


def test_goes_to_another_process_after_use() -> None:
    plan = FeaturePlan.from_parameters(["0", "1"], "minimal")
    used = FeatureExtractor(plan)
    values = used.fit_transform(SERIES)

    again = pickle.loads(pickle.dumps(used))

    np.testing.assert_array_equal(again.transform(SERIES), values)


def test_draws_over_missing_values() -> None:
    X = SERIES[:, 0].copy()
    X[:, 3] = np.nan

    assert np.isfinite(FeatureExtractor("minimal").fit_transform(X)).all()


def test_takes_longer_series_of_the_same_channels() -> None:
    extractor = FeatureExtractor({"length": None}).fit(SERIES)

    assert extractor.transform(np.tile(SERIES, 3)).tolist() == [[60.0, 60.0]] * 12


def test_refuses_an_infinity() -> None:
    with pytest.raises(ValueError, match="infinity"):
        FeatureExtractor("minimal").fit(np.array([[1.0, np.inf]]))


def test_refuses_four_dimensions() -> None:
    with pytest.raises(DataError, match="4 dimensions"):
        FeatureExtractor("minimal").fit(SERIES[..., np.newaxis])


def test_refuses_too_few_names() -> None:
    with pytest.raises(DataError, match=r"1 channel names .* 2 channels"):
        FeatureExtractor("minimal", channel_names=["x"]).fit(SERIES)


def test_refuses_a_text_for_the_names() -> None:
    message = r"channel_names is the text 'ab'; a list of names is expected. Write \['ab'\]"
    with pytest.raises(DataError, match=message):
        FeatureExtractor("minimal", channel_names="ab").fit(SERIES)


def test_refuses_an_unknown_set_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="Did you mean 'efficient'"):
        FeatureExtractor("eficient").fit(SERIES)


def test_refuses_what_is_no_setting() -> None:
    with pytest.raises(SpecError, match="7 was found; a mapping of calculators"):
        FeatureExtractor(7).fit(SERIES)

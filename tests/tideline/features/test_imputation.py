from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks
from tsfresh.utilities.dataframe_functions import impute

from tideline.features.imputation import LARGEST, RangeImputer

matrices = arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf]),
)


@settings(deadline=None)
@pytest.mark.filterwarnings("ignore")  # tsfresh's own
@given(matrices)
def test_fills_the_training_matrix_as_tsfresh_does(X: np.ndarray) -> None:
    expected = impute(pd.DataFrame(X.copy())).to_numpy()

    np.testing.assert_allclose(RangeImputer().fit_transform(X), expected, rtol=1e-12)


def test_fills_new_cases_with_what_training_held() -> None:
    imputer = RangeImputer().fit(np.array([[1.0], [2.0], [9.0]]))

    filled = imputer.transform(np.array([[np.nan], [np.inf], [-np.inf], [100.0]]))

    np.testing.assert_array_equal(filled.ravel(), [2.0, 9.0, 1.0, 100.0])


def test_a_column_without_a_finite_value_becomes_zero() -> None:
    filled = RangeImputer().fit_transform(np.array([[np.nan], [np.inf]]))

    np.testing.assert_array_equal(filled, np.zeros((2, 1)))


def test_draws_in_what_trees_cannot_hold() -> None:
    imputer = RangeImputer().fit(np.array([[1e300], [np.inf], [1.0]]))

    filled = imputer.transform(np.array([[-1e300], [np.inf]]))

    assert filled.ravel().tolist() == [-LARGEST, LARGEST]
    assert np.isfinite(filled.astype(np.float32)).all()


def test_leaves_the_callers_matrix_alone() -> None:
    X = np.array([[np.nan, 1e300], [1.0, 2.0]])
    before = X.copy()

    RangeImputer().fit(X).transform(X)

    np.testing.assert_array_equal(X, before)


def test_narrowed_fills_its_columns_as_before() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9, 5))
    X[rng.random(X.shape) < 0.3] = np.nan
    imputer = RangeImputer().fit(X)
    support = np.array([True, False, False, True, True])

    narrow = imputer.narrowed(support)

    np.testing.assert_array_equal(narrow.transform(X[:, support]), imputer.transform(X)[:, support])
    assert narrow.n_features_in_ == 3


def test_refuses_another_number_of_columns() -> None:
    imputer = RangeImputer().fit(np.zeros((2, 3)))

    with pytest.raises(ValueError, match="X has 2 features, but RangeImputer is expecting 3"):
        imputer.transform(np.zeros((1, 2)))


@parametrize_with_checks([RangeImputer()])
def test_is_an_estimator_as_scikit_learn_checks_it(estimator: BaseEstimator, check) -> None:
    check(estimator)


def test_says_that_it_is_not_fitted_and_can_be_cloned() -> None:
    with pytest.raises(NotFittedError):
        clone(RangeImputer()).transform(np.zeros((1, 2)))

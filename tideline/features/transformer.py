"""Features as a step of a scikit-learn pipeline: numpy in, numpy or pandas out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from tideline.errors import InputMismatch
from tideline.features.exchange import plain_settings, without_dates
from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
from tideline.panel import FloatArray, Panel, named


class FeatureExtractor(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Replace series by the features that tsfresh computes of them.

    Parameters
    ----------
    parameters
        A parameter set's name (`minimal`, `efficient`, `comprehensive`, `tideline`), calculators
        with their parameters as tsfresh takes them, or a `FeaturePlan` for channels of these names.
    channel_names
        One a channel, for the names of the features; `"0"`, `"1"`, ... when left out.
    n_jobs
        How many threads share the cases, as scikit-learn counts: one when left out, -1 for all.

    Attributes
    ----------
    plan_ : FeaturePlan
        The features, in the order of the columns.
    channel_names_ : tuple of str
    n_features_in_ : int
        The number of time points of a two-dimensional X, and of channels of a three-dimensional
        one, where the number of time points may change from call to call.

    Examples
    --------
    >>> import numpy as np
    >>> from tideline import FeatureExtractor
    >>> extractor = FeatureExtractor({"mean": None, "quantile": [{"q": 0.9}]})
    >>> extractor.fit_transform(np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]])).tolist()
    [[3.0, 5.2], [0.0, 0.0]]
    >>> extractor.get_feature_names_out().tolist()
    ['0__mean', '0__quantile__q_0.9']
    """

    def __init__(
        self,
        parameters: str | Mapping[Any, Any] | FeaturePlan = "efficient",
        *,
        channel_names: Sequence[str] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.parameters = parameters
        self.channel_names = channel_names
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's form
        """Learn the channels and the names of the features; nothing is computed.

        Parameters
        ----------
        X : array of shape (n_cases, n_timepoints) or (n_cases, n_channels, n_timepoints)

        Raises
        ------
        ValueError
            When X is infinite somewhere, or of fewer than two time points.
        SpecError
            When a calculator or a parameter is not known.
        DataError
            When X has another number of dimensions, or there is not one name a channel.
        """
        panel = Panel.from_arrays(self._validated(X, reset=True), channel_names=self.channel_names)
        self.plan_ = self._plan(panel)
        self.channel_names_ = tuple(panel.channels)
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return the features.

        Parameters
        ----------
        X : array of shape (n_cases, n_timepoints) or (n_cases, n_channels, n_timepoints)
            NaN where a value is missing: a line is drawn between its neighbours.

        Returns
        -------
        float64 array of shape (n_cases, n_features), or a frame where `set_output` asks for one

        Raises
        ------
        ValueError
            When X is infinite somewhere, or not of the shape of the X that was fitted.
        DataError
            When a series has fewer than two values.
        """
        check_is_fitted(self, "plan_")
        values = self._validated(X, reset=False)
        panel = Panel.from_arrays(values, channel_names=self.channel_names_)
        return extract(panel, self.plan_, workers=int(joblib.effective_n_jobs(self.n_jobs)))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return the names of the features, as tsfresh gives them: object array.

        Parameters
        ----------
        input_features
            Only checked, as scikit-learn asks for it; the names are made of the channels'.
        """
        check_is_fitted(self, "plan_")
        if input_features is not None:
            _check_feature_names_in(self, input_features)
        return np.array(self.plan_.names, dtype=object)

    def _validated(self, X: ArrayLike, *, reset: bool) -> FloatArray:
        values: FloatArray = validate_data(
            self,
            X,
            reset=reset,
            dtype=np.float64,
            order="C",
            ensure_all_finite="allow-nan",
            allow_nd=True,
            # Of two dimensions only. A later X of one time point is refused for its shape.
            ensure_min_features=2 if reset else 1,
        )
        # Compiled code takes an array that may be written to, and a memory map may not.
        return values if values.flags.writeable else values.copy()

    def _plan(self, panel: Panel) -> FeaturePlan:
        channels = list(panel.channels)
        if not isinstance(self.parameters, FeaturePlan):
            settings = plain_settings(self.parameters, field="parameters")
            return FeaturePlan.from_parameters(
                channels, without_dates(settings, field="parameters")
            )
        lacking = [name for name in self.parameters.channels if name not in channels]
        if lacking:
            raise InputMismatch(
                f"the plan is for channels {named(lacking)} too; found {named(channels)}.",
                mend="Set channel_names to the names of the channels of X.",
                field="parameters",
            )
        return self.parameters

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags

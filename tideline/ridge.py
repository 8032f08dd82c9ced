"""Ridge on wide tables: linear models for more columns than cases, as convolutions give.

The penalty is chosen by the exact leave-one-out error, see `tideline.spectrum`. The answers that
each case gets from the model of the others also say how sure a decision is, so that probabilities
are calibrated without a case being set aside.

scikit-learn's `RidgeClassifierCV`, whose decisions these are, has no probabilities, keeps squared
errors in place of the decisions they come from, and takes six times the memory of a float32 table;
here a table, perhaps a memory map, is read a block at a time.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from tideline.panel import FloatArray
from tideline.spectrum import Spectrum, Standardised, slices

PENALTIES = tuple(np.logspace(-6, 1, 15).tolist())
"""What penalties are tried by default, relative to the mean of the eigenvalues of X X'."""
MANY = 2**17
"""Where there are more coefficients than this they are kept in float32."""
FAR = 1e6
"""Deviations from the mean beyond which a value is drawn in, so that float32 sums stay finite."""
FEW = 4
"""Up to this many cases are answered in one thread."""
SCALES = (1e-3, 1e3)
"""The least and the largest inverse temperature."""


class _WideRidge(BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """What the classifier and the regressor have in common."""

    def _fit(self, X: NDArray[Any], targets: FloatArray, weights: FloatArray) -> FloatArray:
        """Fit, and return the answers of each case by the model of the others.

        Parameters
        ----------
        X : array of shape (n_cases, n_columns)
        targets : float64 array of shape (n_cases, n_targets)
        weights : float64 array of shape (n_cases,)
        """
        table = Standardised.of(X, weights)
        spectrum = Spectrum.of(table)
        centre = weights @ targets / weights.sum()
        centred = (targets - centre) * table.roots[:, np.newaxis]
        self._choose(spectrum, centred)
        duals = spectrum.duals(centred, self.alpha_)
        kind = np.float32 if targets.shape[1] * X.shape[1] > MANY else np.float64
        self.coef_ = np.empty((targets.shape[1], X.shape[1]), dtype=kind)
        for part, block in table.columns():
            self.coef_[:, part] = duals.T @ block
        self.mean_, self.factor_, self.intercept_ = table.mean, table.factor, centre
        errors = next(spectrum.errors(centred, np.array([self.alpha_])))
        answers: FloatArray = targets - errors / table.roots[:, np.newaxis]
        return answers

    def _choose(self, spectrum: Spectrum, targets: FloatArray) -> None:
        alphas = (
            np.multiply(PENALTIES, spectrum.unit)
            if self.alphas is None
            else np.array(self.alphas, dtype=np.float64)
        )
        if alphas.ndim != 1 or not alphas.size or not (alphas > 0).all():
            raise ValueError(f"alphas are {self.alphas!r}; positive numbers are expected")
        # Where several are as good, the simplest model, of the largest penalty.
        self.alphas_ = np.sort(alphas)[::-1]
        errors = [float((e**2).mean()) for e in spectrum.errors(targets, self.alphas_)]
        self.errors_ = np.array(errors)
        self.alpha_ = float(self.alphas_[np.argmin(errors)])

    def _decisions(self, X: ArrayLike) -> FloatArray:
        """Return an array of shape (n_cases, n_targets)."""
        check_is_fitted(self, "coef_")
        table = np.asarray(X)
        if table.ndim != 2 or table.shape[1] != self.mean_.size:
            # Not by validate_data, which takes longer than the answer for one row.
            raise ValueError(
                f"X has shape {table.shape}, but {type(self).__name__} is expecting "
                f"{self.mean_.size} features as input, (n_cases, {self.mean_.size})"
            )
        decisions = np.empty((len(table), len(self.coef_)))
        for part in slices(*table.shape):
            block = np.subtract(table[part], self.mean_, dtype=np.float64)
            block *= self.factor_
            np.clip(block, -FAR, FAR, out=block)
            block = block.astype(self.coef_.dtype, copy=False)
            decisions[part] = _products(block, self.coef_)
        decisions += self.intercept_
        return decisions


def _weights(given: ArrayLike | None, n_cases: int) -> FloatArray:
    weights = np.ones(n_cases) if given is None else np.asarray(given, dtype=np.float64)
    if weights.shape != (n_cases,) or not (weights > 0).all():
        raise ValueError(f"sample_weight: {n_cases} numbers above 0 are expected")
    return weights


class CalibratedRidgeClassifier(ClassifierMixin, _WideRidge):  # type: ignore[misc]
    """Ridge on targets of -1 and 1, its penalty and probabilities by leave-one-out.

    Columns are standardised, constant ones have no say. For one and the same penalty the decisions
    are those of scikit-learn's `RidgeClassifier` on standardised columns.

    Parameters
    ----------
    alphas : sequence of float, or None
        The penalties to choose from by the squared leave-one-out error. None tries those of
        `PENALTIES` times the mean eigenvalue of X X', which makes them independent of how many
        columns there are.
    class_weight : "balanced" or None
        With "balanced" each class weighs the same, whatever number of cases it has.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
    alpha_ : float
    alphas_, errors_ : float64 arrays of shape (n_alphas,)
        Every penalty, the largest first, and its mean squared leave-one-out error.
    scale_ : float
        The inverse temperature: decisions times this are the logarithms of the probabilities,
        but for a constant. It has the least log-loss on the leave-one-out decisions.
    loo_decisions_ : float64 array of shape (n_cases, n_classes), or (n_cases,) for two
        The decision on each training case by the model of the others.
    coef_ : array of shape (n_classes, n_columns), or (1, n_columns) for two
        Of the standardised columns; float32 where there are more than `MANY`, or float64.
    intercept_ : float64 array of shape (n_classes,), or (1,)
    mean_, factor_ : float64 arrays of shape (n_columns,)
        What is taken from each column, and what it is then multiplied by.
    """

    def __init__(
        self, alphas: tuple[float, ...] | None = None, class_weight: str | None = None
    ) -> None:
        self.alphas = alphas
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : float32 or float64 array of shape (n_cases, n_columns)
            Finite; may be a memory map, of which no copy is made.
        y : array of shape (n_cases,)
            Classes; two or more. A class may have one member.
        sample_weight : array of shape (n_cases,), or None
            What each case weighs, above 0; times the weight of its class.

        Raises
        ------
        ValueError
            When there is one class only, or a parameter or value is none that is taken.
        """
        X, y = validate_data(
            self, X, y, dtype=[np.float32, np.float64], ensure_min_samples=2, copy=False
        )
        self.classes_, codes = np.unique(y, return_inverse=True)
        n_classes = self.classes_.size
        if n_classes < 2:
            raise ValueError(f"y holds one class only: {self.classes_[0]}; two are expected")
        targets = np.where(np.arange(n_classes) == codes[:, np.newaxis], 1.0, -1.0)
        weights = self._weights(codes) * _weights(sample_weight, codes.size)
        answers = self._fit(np.asarray(X), targets[:, 1:] if n_classes == 2 else targets, weights)
        self.loo_decisions_ = answers[:, 0] if n_classes == 2 else answers
        self.scale_ = _inverse_temperature(_two_sided(answers), codes)
        return self

    def _weights(self, codes: NDArray[np.intp]) -> FloatArray:
        if self.class_weight is None:
            return np.ones(codes.size)
        if self.class_weight != "balanced":
            raise ValueError(f"class_weight is {self.class_weight!r}; 'balanced' or None expected")
        counts = np.bincount(codes)
        weights: FloatArray = (codes.size / (counts.size * counts))[codes]
        return weights

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the decisions, shape (n_cases, n_classes), or (n_cases,) for two classes.

        Parameters
        ----------
        X : array of shape (n_cases, n_columns)
        """
        decisions = self._decisions(X)
        return decisions[:, 0] if decisions.shape[1] == 1 else decisions

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class of the largest decision, shape (n_cases,).

        Parameters
        ----------
        X : array of shape (n_cases, n_columns)
        """
        decisions = _two_sided(self._decisions(X))
        answers: NDArray[Any] = self.classes_[decisions.argmax(axis=1)]
        return answers

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the probabilities, float64 of shape (n_cases, n_classes).

        Parameters
        ----------
        X : array of shape (n_cases, n_columns)
        """
        shares: FloatArray = softmax(self.scale_ * _two_sided(self._decisions(X)), axis=1)
        return shares


class WideRidgeRegressor(RegressorMixin, _WideRidge):  # type: ignore[misc]
    """Ridge regression, its penalty by leave-one-out.

    Parameters
    ----------
    alphas : sequence of float, or None
        As for `CalibratedRidgeClassifier`.

    Attributes
    ----------
    alpha_, alphas_, errors_, coef_, intercept_, mean_, factor_
        As of `CalibratedRidgeClassifier`; there is one target.
    loo_values_ : float64 array of shape (n_cases,)
        The value of each training case by the model of the others.
    """

    def __init__(self, alphas: tuple[float, ...] | None = None) -> None:
        self.alphas = alphas

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : float32 or float64 array of shape (n_cases, n_columns)
            Finite; may be a memory map, of which no copy is made.
        y : array of shape (n_cases,)
            Numbers.
        sample_weight : array of shape (n_cases,), or None
            What each case weighs, above 0.
        """
        X, y = validate_data(
            self,
            X,
            y,
            dtype=[np.float32, np.float64],
            y_numeric=True,
            ensure_min_samples=2,
            copy=False,
        )
        targets = np.asarray(y, dtype=np.float64)[:, np.newaxis]
        weights = _weights(sample_weight, len(targets))
        self.loo_values_ = self._fit(np.asarray(X), targets, weights)[:, 0]
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the values, float64 of shape (n_cases,).

        Parameters
        ----------
        X : array of shape (n_cases, n_columns)
        """
        return self._decisions(X)[:, 0]


def _products(block: NDArray[Any], coefficients: NDArray[Any]) -> NDArray[Any]:
    """Return the products of every row with the coefficients of every target."""
    if len(block) <= FEW:
        # The threads of a matrix product wait for each other, which on a busy machine takes
        # longer than all else: 24 ms in place of a tenth of one.
        alone: NDArray[Any] = np.einsum("ij,kj->ik", block, coefficients)
        return alone
    together: NDArray[Any] = block @ coefficients.T
    return together


def _two_sided(decisions: FloatArray) -> FloatArray:
    """Return a decision a class where there is one for both."""
    return np.hstack([-decisions, decisions]) if decisions.shape[1] == 1 else decisions


def _inverse_temperature(decisions: FloatArray, codes: NDArray[np.intp]) -> float:
    """Return what to multiply decisions by, for the least log-loss of their softmax.

    One case more, of all classes alike, is thought to be among the decisions: where all are right
    the loss would else fall for ever, and a few cases would do for certainty.
    """
    n_cases, n_classes = decisions.shape
    share = 1.0 / (n_cases + 1)
    wanted = np.full((n_cases, n_classes), share / n_classes)
    wanted[np.arange(n_cases), codes] += 1.0 - share

    def loss(logarithm: float) -> float:
        logs = log_softmax(np.exp(logarithm) * decisions, axis=1)
        return -float((wanted * logs).sum())

    found = minimize_scalar(loss, bounds=np.log(SCALES), method="bounded")
    return float(np.exp(found.x))

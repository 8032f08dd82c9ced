"""The kernel of the calculator that fits an autoregression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.least_squares import (
    WELL_POSED,
    coefficient,
    fit,
    invert,
    triangularize,
)
from tideline.features.kernels.sums import longest
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch


def ar_coefficient(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `ar_coefficient`: an autoregression with a constant, by least squares.

    As `statsmodels.tsa.ar_model.AutoReg(x, k, trend="c")` gives them; coefficient 0 is the
    constant. tsfresh's own: where the series is too short for the order `k`, coefficient `k` is
    0 and those below are NaN; beyond `k` all are NaN.
    """
    orders = np.unique([argument["k"] for argument in arguments])
    which = np.searchsorted(orders, [argument["k"] for argument in arguments])
    coefficients = np.array([argument["coeff"] for argument in arguments])

    def kernel(batch: Batch, out: FloatArray) -> None:
        unsure = _autoregressions(batch.values, batch.offsets, orders, which, coefficients, out)
        for case in np.flatnonzero(unsure):
            series = batch.values[batch.offsets[case] : batch.offsets[case + 1]]
            models = _models_by_pseudoinverse(series, orders)
            for column, (model, place) in enumerate(zip(which, coefficients, strict=True)):
                found = models[model]
                out[case, column] = found[place] if place < found.size else np.nan

    return kernel


@compiled
def _autoregressions(
    values: FloatArray,
    offsets: NDArray[np.int64],
    orders: NDArray[np.int64],
    which: NDArray[np.int64],
    coefficients: NDArray[np.int64],
    out: FloatArray,
) -> NDArray[np.bool_]:
    """Fill `out`, and return of which cases some model is too near to rounding errors."""
    most, room = 0, 0
    for order in orders:
        if longest(offsets) > 2 * order:
            most = max(most, order)
            room = max(room, (longest(offsets) - order) * (order + 2))
    columns = np.empty(room)
    upper, inverse = np.empty((most + 2, most + 2)), np.empty((most + 1, most + 1))
    unsure = np.zeros(offsets.size - 1, np.bool_)
    for case in range(unsure.size):
        start, count = offsets[case], offsets[case + 1] - offsets[case]
        for model in range(orders.size):
            order = orders[model]
            if count > 2 * order:
                well = _autoregression(values, start, count, order, columns, upper, inverse)
                unsure[case] = unsure[case] or not well
            for k in range(which.size):
                if which[k] == model:
                    out[case, k] = _entry(upper, inverse, count, order, coefficients[k])
    return unsure


@compiled
def _autoregression(
    values: FloatArray,
    start: int,
    count: int,
    order: int,
    columns: FloatArray,
    upper: FloatArray,
    inverse: FloatArray,
) -> bool:
    """Factorise a model, and return whether its coefficients are far from rounding errors."""
    _lay_out_lags(values, start, count, order, columns)
    triangularize(columns, count - order, order + 2, upper)
    condition = invert(upper, order + 1, inverse)
    return condition < WELL_POSED and np.isfinite(upper[order + 1, order + 1])


@compiled
def _entry(upper: FloatArray, inverse: FloatArray, count: int, order: int, which: int) -> float:
    if count > 2 * order and which <= order:
        return coefficient(upper, order + 1, inverse, which)
    return 0.0 if which == order else np.nan


@compiled
def _lay_out_lags(
    values: FloatArray, start: int, count: int, order: int, columns: FloatArray
) -> None:
    """Write a constant, the values 1 to `order` steps back, and the values themselves."""
    rows = count - order
    for t in range(rows):
        columns[t] = 1.0
        columns[(order + 1) * rows + t] = values[start + order + t]
    for lag in range(1, order + 1):
        for t in range(rows):
            columns[lag * rows + t] = values[start + order - lag + t]


def _models_by_pseudoinverse(series: FloatArray, orders: NDArray[np.int64]) -> list[FloatArray]:
    """Return the coefficients of each model; of one that fails, NaN and a 0 for the last."""
    models = []
    for order in orders:
        failed = np.append(np.full(order, np.nan), 0.0)
        rows = series.size - order
        if rows <= order:
            models.append(failed)
            continue
        lags = [series[order - lag : order - lag + rows] for lag in range(1, order + 1)]
        try:
            models.append(fit(np.column_stack([np.ones(rows), *lags]), series[order:]).coefficients)
        except np.linalg.LinAlgError:
            models.append(failed)
        except FloatingPointError:
            # tsfresh does not catch statsmodels' error, and has none of the values.
            return [np.full(each + 1, np.nan) for each in orders]
    return models

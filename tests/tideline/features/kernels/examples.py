"""What every kernel is tried with: sets of parameters, and series that are small or odd."""

from __future__ import annotations

from typing import Any

import numpy as np
from tsfresh.feature_extraction import ComprehensiveFCParameters

MORE: dict[str, list[dict[str, Any]]] = {
    "agg_autocorrelation": [
        {"f_agg": f_agg, "maxlag": maxlag}
        for f_agg in ("max", "mean", "median", "min", "std", "sum", "var")
        for maxlag in (1, 2, 7, 40)
    ],
    "approximate_entropy": [
        *({"m": m, "r": r} for m in (1, 2, 3, 5, 70) for r in (0.0, 0.2, 1, 2.0)),
        {"m": 10_000, "r": 0.5},
    ],
    "ar_coefficient": [{"coeff": coeff, "k": k} for k in (1, 2, 10) for coeff in range(12)],
    "augmented_dickey_fuller": [
        {"attr": "pvalue"},
        *(
            {"attr": attr, "autolag": autolag}
            for autolag in ("BIC", "t-stat", None)
            for attr in ("teststat", "pvalue", "usedlag")
        ),
    ],
    "autocorrelation": [{"lag": 40}, {"lag": 1000}],
    "count_above": [{"t": t} for t in (1, 0.25, -(10**30), 1e300)],
    "count_below": [{"t": t} for t in (1, 0.25, -(10**30), 1e300)],
    "fft_aggregated": [{"aggtype": "skew"}],
    "fft_coefficient": [
        {"coeff": coeff, "attr": attr}
        for coeff in (10_000, 1000, 101)
        for attr in ("real", "imag", "abs", "angle")
    ],
    "fourier_entropy": [{"bins": bins} for bins in (1, 7, 1000, 10_000)],
    "large_standard_deviation": [{"r": r} for r in (-1, 0, 1, 2.5)],
    "lempel_ziv_complexity": [{"bins": bins} for bins in (1, 7, 1000, 10_000)],
    "mean_n_absolute_max": [{"number_of_maxima": count} for count in (1, 2, 100, 10_000)],
    "permutation_entropy": [
        *({"tau": tau, "dimension": d} for tau in (1, 2, 5) for d in (2, 3, 7, 8, 20)),
        {"tau": 10_000, "dimension": 4},
        {"tau": 1, "dimension": 10_000},
    ],
    "quantile": [{"q": q} for q in (0, 1, 0.0, 1.0, 0.5, 1 / 3, 0.999, 1e-9)],
    "range_count": [
        {"min": 2, "max": -2},
        {"min": 0, "max": 0},
        {"min": 0, "max": 5e-324},
        {"min": -5e-324, "max": 0.0},
        {"min": 0.5, "max": 10**299},
    ],
    "ratio_beyond_r_sigma": [{"r": r} for r in (-1, 0, 0.3, 1e300)],
    "spkt_welch_density": [{"coeff": coeff} for coeff in (9, 127, 128, 129, 10_000)],
    "symmetry_looking": [{"r": r} for r in (-1, 3)],
    "value_count": [{"value": value} for value in (2, 0.5, -3.0, 1e100, 2**60)],
}
"""What is asked of a calculator beside the sets of parameters that tsfresh asks for."""

PERIODIC = [1.0, 2.0, 0.0, 2.0] * 8
SMALL = (
    [], [3.0], [0.0], [-0.0],
    [1.0, 1.0], [1.0, 2.0], [-2.0, 2.0], [0.0, -0.0], [-0.0, 0.0], [1e16, 1e16 + 2], [1e100] * 2,
    [0.1] * 3, [1.0, 2.0, 4.0], [1.0, -1.0, 1.0], [0.0, 1.0, 0.0],
    [1.0, 1.0 + 2**-52, 1.0 + 2**-51],
    [0.0] * 4, [0.1] * 4, [1.0, 2.0, 4.0, 3.0], [0.0, 0.0, 0.0, 8.0], [1.0, 3.0, 3.0, 1.0],
    [-1.0, 1.0, 1.0, -1.0], [6.0, 0.0, -2.0, 0.0], [0.0, -0.0, 0.0, 5.0],
    [1e-4, 2e-4, 1e-4, 3e-4], [1e-6, 2e-6, 1e-6, 3e-6], [1e16, 1e16 + 2, 1e16 + 4, 1e16],
    [0.7] * 5, [4.0, 3.0, 2.0, 1.0, 0.0], [4.0, -3.0, 2.0, 1.0, 0.0], [1.0, 1.0, 2.0, 2.0, 2.0],
    [1.0, 1.0, 2.0, 2.0, 1.0], [-3.0, -1.0, 0.0, 1.0, 3.0], [0.0, 5.0, 0.0, 5.0, 0.0],
    [-1.0, 0.0, 1.0, 0.0, -1.0], [0.0, 0.0, 1.0, 0.0, 0.0], [1.0, 2.0, 4.0, 3.0, 3.0],
    [3.0, -1.0] * 3, [7.0, -7.0, 6.0, -6.0, 5.0, -5.0, 4.0, -4.0], list(range(11)),
    [0.3, 0.3, 0.1, 0.1, 0.2, 0.6, 0.7, 0.7, 0.7],
    [0.0, 2.0, 1.0, 2.0, 2.0, 1.0, 2.0, 0.0, 0.0, 2.0],
    [1.7e308], [1.7e308] * 2, [1.7e308, -1.7e308, 1.7e308], [1e308, -1e308, 1e308, 0.0],
    [1e160, -2e160, 3e160, 0.0], [1e200, 0.0, 1e200, 3.0, 1e200, 0.0], [1e-200, 0.0, 2e-200],
    [5e-324, -5e-324, 0.0], [0.0, 5e-324, 1e-323, 5e-324], [1e-320, 0.0, 2e-320, 0.0, 5e-324],
    [0.0] * 30, [0.1] * 30, PERIODIC, [*PERIODIC, 5.0], [1.0, 3.0] * 20, [1.0, -1.0] * 30,
    list(range(25)), [t**2 for t in range(25)], [0.0, 1.0, 2.0, 1.0] * 25, [0.0] * 30 + [1.0] * 30,
    [0.0] * 40 + [1.0, 2.0, 1.0] + [0.0] * 4, [1.7e308, -1.7e308] * 8,
    [1e-320, 0.0, 2e-320, 0.0] * 8,
    [np.nan], [np.nan] * 2, [np.nan] * 6, [np.nan, 1.0, 2.0, 4.0],
    [np.nan, 1.0, 2.0, 0.0, 1.0, 1.0],
    [1.0, np.nan, 2.0], [1.0, 2.0, np.nan, 2.0, np.nan], [1.0, 2.0, np.nan, 3.0, 1.0] * 9,
    [np.inf], [-np.inf], [np.inf, 2.0], [np.inf] * 2, [np.inf] * 4, [1.0, 2.0, np.inf],
    [1.0, np.inf, np.inf, 2.0, 3.0, 2.0], [1.0, np.inf, 2.0, 4.0, -np.inf],
    [-np.inf, 1.0, 2.0, 2.0],
    [-np.inf, np.inf, -np.inf, 0.0], [1.0, 2.0, -np.inf, 3.0], [1.0, 2.0, np.inf, 3.0, 1.0] * 9,
)  # fmt: skip


def arguments_of(calculator: str) -> list[dict[str, Any]]:
    """Return the sets of parameters, in a plan's order of coefficients: tsfresh errs on others."""
    sets = ComprehensiveFCParameters()[calculator] or [{}]
    sets = [{key: list(v) if type(v) is tuple else v for key, v in s.items()} for s in sets]
    more = [each for each in MORE.get(calculator, []) if each not in sets]
    return sorted([*sets, *more], key=lambda each: each.get("coeff", 0))

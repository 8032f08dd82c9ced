"""The named parameter sets, as data: tsfresh's (0.21.2), in its order, with its values.

They stand here so that neither a spec nor a prediction has to import tsfresh, which takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from types import MappingProxyType
from typing import Any

from tideline.features.catalogue import CATALOGUE
from tideline.features.views import PLAIN, View, dyadic

Combinations = list[dict[str, Any]]


def _all(**values: Iterable[Any]) -> Combinations:
    """Return every combination of some values, the last parameter running fastest."""
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


_TREND = ("pvalue", "rvalue", "intercept", "slope", "stderr")
_TENTHS = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)
_BINS = (2, 3, 5, 10, 100)

_PARAMETERS: Mapping[str, Combinations] = MappingProxyType(
    {
        "time_reversal_asymmetry_statistic": _all(lag=range(1, 4)),
        "c3": _all(lag=range(1, 4)),
        "cid_ce": _all(normalize=(True, False)),
        "symmetry_looking": _all(r=[step * 0.05 for step in range(20)]),
        "large_standard_deviation": _all(r=[step * 0.05 for step in range(1, 20)]),
        "quantile": _all(q=_TENTHS),
        "autocorrelation": _all(lag=range(10)),
        "agg_autocorrelation": _all(f_agg=("mean", "median", "var"), maxlag=(40,)),
        "partial_autocorrelation": _all(lag=range(10)),
        "number_cwt_peaks": _all(n=(1, 5)),
        "number_peaks": _all(n=(1, 3, 5, 10, 50)),
        "binned_entropy": _all(max_bins=(10,)),
        "index_mass_quantile": _all(q=_TENTHS),
        "cwt_coefficients": _all(widths=([2, 5, 10, 20],), coeff=range(15), w=(2, 5, 10, 20)),
        "spkt_welch_density": _all(coeff=(2, 5, 8)),
        "ar_coefficient": _all(coeff=range(11), k=(10,)),
        "change_quantiles": [
            corridor
            for corridor in _all(
                ql=(0.0, 0.2, 0.4, 0.6, 0.8),
                qh=(0.2, 0.4, 0.6, 0.8, 1.0),
                isabs=(False, True),
                f_agg=("mean", "var"),
            )
            if corridor["ql"] < corridor["qh"]
        ],
        "fft_coefficient": _all(attr=("real", "imag", "abs", "angle"), coeff=range(100)),
        "fft_aggregated": _all(aggtype=("centroid", "variance", "skew", "kurtosis")),
        "value_count": _all(value=(0, 1, -1)),
        "range_count": [
            {"min": -1, "max": 1},
            {"min": -1e12, "max": 0},
            {"min": 0, "max": 1e12},
        ],
        "approximate_entropy": _all(m=(2,), r=(0.1, 0.3, 0.5, 0.7, 0.9)),
        "friedrich_coefficients": _all(coeff=range(4), m=(3,), r=(30,)),
        "max_langevin_fixed_point": _all(m=(3,), r=(30,)),
        "linear_trend": _all(attr=_TREND),
        "agg_linear_trend": _all(
            attr=_TREND[1:], chunk_len=(5, 10, 50), f_agg=("max", "min", "mean", "var")
        ),
        "augmented_dickey_fuller": _all(attr=("teststat", "pvalue", "usedlag")),
        "number_crossing_m": _all(m=(0, -1, 1)),
        "energy_ratio_by_chunks": _all(num_segments=(10,), segment_focus=range(10)),
        "ratio_beyond_r_sigma": _all(r=(0.5, 1, 1.5, 2, 2.5, 3, 5, 6, 7, 10)),
        "linear_trend_timewise": _all(attr=_TREND),
        "count_above": _all(t=(0,)),
        "count_below": _all(t=(0,)),
        "lempel_ziv_complexity": _all(bins=_BINS),
        "fourier_entropy": _all(bins=_BINS),
        "permutation_entropy": _all(tau=(1,), dimension=range(3, 8)),
        "query_similarity_count": _all(query=(None,), threshold=(0.0,)),
        "mean_n_absolute_max": _all(number_of_maxima=(7,)),
    }
)

_MINIMAL = (
    "sum_values",
    "median",
    "mean",
    "length",
    "standard_deviation",
    "variance",
    "root_mean_square",
    "maximum",
    "absolute_maximum",
    "minimum",
)
_COSTLY = ("sample_entropy", "approximate_entropy")
_OF_INTERVALS = (
    "median",
    "mean",
    "standard_deviation",
    "maximum",
    "minimum",
    "skewness",
    "kurtosis",
    "mean_abs_change",
    "mean_change",
)
_INDEX_BASED = (
    "skewness",
    "kurtosis",
    "percentage_of_reoccurring_datapoints_to_all_datapoints",
    "linear_trend_timewise",
)

_CALCULATORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "minimal": _MINIMAL,
        "efficient": tuple(name for name in CATALOGUE if name not in _COSTLY),
        "comprehensive": tuple(CATALOGUE),
        "index_based": _INDEX_BASED,
        "time_based": ("linear_trend_timewise",),
    }
)


def named_set(name: str) -> dict[str, Combinations | None]:
    """Return the calculators of a named set with their parameters; the caller's own copy.

    Parameters
    ----------
    name
        `minimal`, `efficient`, `comprehensive`, `index_based` or `time_based`.

    Returns
    -------
    dict of calculator to list of dict
        None for a calculator that takes no parameter.
    """
    return {
        calculator: [dict(each) for each in _PARAMETERS[calculator]]
        if calculator in _PARAMETERS
        else None
        for calculator in _CALCULATORS[name]
    }


Recipe = tuple[tuple[tuple[View, ...], str | Mapping[str, object]], ...]
"""Some views, and the parameters that each of them is given; and so on."""


_WHOLE = (PLAIN, View("difference"), View("spectrum"))
_OUTLINE = ("mean", "standard_deviation", "mean_change")


def _of_parts(calculators: Iterable[str], depth: int) -> Recipe:
    """Return some numbers of each form of the series, and of the parts of each."""
    return ((tuple(dyadic(depth=depth)), dict.fromkeys(calculators)),)


OWN_SETS: Mapping[str, Recipe] = MappingProxyType(
    {
        "tideline": (
            (_WHOLE, "efficient"),
            (
                tuple(view for view in dyadic(depth=3) if view.parts > 1),
                dict.fromkeys(_OF_INTERVALS),
            ),
        ),
        "tideline_quarters": _of_parts(_OF_INTERVALS, depth=2),
        "tideline_halves": _of_parts(_OF_INTERVALS, depth=1),
        "tideline_outline": _of_parts(_OUTLINE, depth=1),
    }
)
"""The sets that are ours alone, with views of the series of their own, the richest first.

Chosen by accuracy against cost on the series of the UCR archive; see docs/decisions.
"""

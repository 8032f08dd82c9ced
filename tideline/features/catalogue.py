"""The calculators of tsfresh, and our own, as data: parameters, cost, what they need, their kernel.

Names, parameters and the values that the sets use are tsfresh's 0.21.2. Nothing is compiled or
imported by looking in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Need = Literal["order", "spectrum", "welch"]
"""Shared work: the values in order, the transform, and the power density by Welch's method. Done
once for a series, however many calculators need it."""

Cost = Literal["n", "n log n", "n * widths", "n * lags", "n * lags^2", "n^2"]
"""How the time grows with the length n of the series."""


@dataclass(frozen=True)
class Calculator:
    """One calculator.

    Attributes
    ----------
    name
        As in `tsfresh.feature_extraction.feature_calculators`, where it is tsfresh's.
    family
        The module in `tideline.features.kernels` whose function of this name is the kernel; None
        where tsfresh's own function is called.
    parameters
        The names of its parameters.
    cost
        How its time grows with the length of the series.
    needs
        The shared work that it is handed.
    """

    name: str
    family: str | None
    parameters: tuple[str, ...] = ()
    cost: Cost = "n"
    needs: tuple[Need, ...] = ()


_ROWS = (
    Calculator("variance_larger_than_standard_deviation", "thresholds"),
    Calculator("has_duplicate_max", "repetition"),
    Calculator("has_duplicate_min", "repetition"),
    Calculator("has_duplicate", "repetition", cost="n log n", needs=("order",)),
    Calculator("sum_values", "moments"),
    Calculator("abs_energy", "moments"),
    Calculator("mean_abs_change", "changes"),
    Calculator("mean_change", "changes"),
    Calculator("mean_second_derivative_central", "changes"),
    Calculator("median", "moments", cost="n log n", needs=("order",)),
    Calculator("mean", "moments"),
    Calculator("length", "moments"),
    Calculator("standard_deviation", "moments"),
    Calculator("variation_coefficient", "moments"),
    Calculator("variance", "moments"),
    Calculator("skewness", "moments"),
    Calculator("kurtosis", "moments"),
    Calculator("root_mean_square", "moments"),
    Calculator("absolute_sum_of_changes", "changes"),
    Calculator("longest_strike_below_mean", "locations"),
    Calculator("longest_strike_above_mean", "locations"),
    Calculator("count_above_mean", "thresholds"),
    Calculator("count_below_mean", "thresholds"),
    Calculator("last_location_of_maximum", "locations"),
    Calculator("first_location_of_maximum", "locations"),
    Calculator("last_location_of_minimum", "locations"),
    Calculator("first_location_of_minimum", "locations"),
    Calculator(
        "percentage_of_reoccurring_values_to_all_values",
        "repetition",
        cost="n log n",
        needs=("order",),
    ),
    Calculator(
        "percentage_of_reoccurring_datapoints_to_all_datapoints",
        "repetition",
        cost="n log n",
        needs=("order",),
    ),
    Calculator("sum_of_reoccurring_values", "repetition", cost="n log n", needs=("order",)),
    Calculator("sum_of_reoccurring_data_points", "repetition", cost="n log n", needs=("order",)),
    Calculator(
        "ratio_value_number_to_time_series_length", "repetition", cost="n log n", needs=("order",)
    ),
    Calculator("sample_entropy", "entropy", cost="n^2", needs=("order",)),
    Calculator("maximum", "moments"),
    Calculator("absolute_maximum", "moments"),
    Calculator("minimum", "moments"),
    Calculator("benford_correlation", "repetition"),
    Calculator("time_reversal_asymmetry_statistic", "changes", ("lag",)),
    Calculator("c3", "changes", ("lag",)),
    Calculator("cid_ce", "changes", ("normalize",)),
    Calculator("symmetry_looking", "thresholds", ("r",), cost="n log n", needs=("order",)),
    Calculator("large_standard_deviation", "thresholds", ("r",)),
    Calculator("quantile", "moments", ("q",), cost="n log n", needs=("order",)),
    Calculator("autocorrelation", "correlation", ("lag",)),
    Calculator("agg_autocorrelation", "correlation", ("f_agg", "maxlag"), cost="n * lags"),
    Calculator("partial_autocorrelation", "correlation", ("lag",), cost="n * lags"),
    Calculator("number_cwt_peaks", "wavelets", ("n",), cost="n * widths"),
    Calculator("number_peaks", "locations", ("n",)),
    Calculator("binned_entropy", "repetition", ("max_bins",)),
    Calculator("index_mass_quantile", "locations", ("q",)),
    Calculator("cwt_coefficients", "wavelets", ("coeff", "w", "widths"), cost="n * widths"),
    Calculator("spkt_welch_density", "spectrum", ("coeff",), cost="n log n", needs=("welch",)),
    Calculator("ar_coefficient", "autoregression", ("coeff", "k"), cost="n * lags^2"),
    Calculator(
        "change_quantiles",
        "changes",
        ("f_agg", "isabs", "qh", "ql"),
        cost="n log n",
        needs=("order",),
    ),
    Calculator(
        "fft_coefficient", "spectrum", ("attr", "coeff"), cost="n log n", needs=("spectrum",)
    ),
    Calculator("fft_aggregated", "spectrum", ("aggtype",), cost="n log n", needs=("spectrum",)),
    Calculator("value_count", "thresholds", ("value",)),
    Calculator("range_count", "thresholds", ("max", "min")),
    Calculator("approximate_entropy", "entropy", ("m", "r"), cost="n^2", needs=("order",)),
    Calculator(
        "friedrich_coefficients", "langevin", ("coeff", "m", "r"), cost="n log n", needs=("order",)
    ),
    Calculator(
        "max_langevin_fixed_point", "langevin", ("m", "r"), cost="n log n", needs=("order",)
    ),
    Calculator("linear_trend", "trend", ("attr",)),
    Calculator("agg_linear_trend", "trend", ("attr", "chunk_len", "f_agg")),
    Calculator("augmented_dickey_fuller", "unit_root", ("attr", "autolag"), cost="n * lags^2"),
    Calculator("number_crossing_m", "locations", ("m",)),
    Calculator("energy_ratio_by_chunks", "locations", ("num_segments", "segment_focus")),
    Calculator("ratio_beyond_r_sigma", "thresholds", ("r",)),
    Calculator("linear_trend_timewise", None, ("attr",)),
    Calculator("count_above", "thresholds", ("t",)),
    Calculator("count_below", "thresholds", ("t",)),
    Calculator("lempel_ziv_complexity", "entropy", ("bins",)),
    Calculator("fourier_entropy", "spectrum", ("bins",), cost="n log n", needs=("welch",)),
    Calculator("permutation_entropy", "entropy", ("dimension", "tau"), cost="n log n"),
    Calculator("query_similarity_count", "entropy", ("query", "threshold")),
    Calculator(
        "mean_n_absolute_max", "moments", ("number_of_maxima",), cost="n log n", needs=("order",)
    ),
)

CATALOGUE: Mapping[str, Calculator] = MappingProxyType({row.name: row for row in _ROWS})
"""Every calculator of tsfresh's comprehensive set, in its order, by name."""

CONVOLUTIONS: Mapping[str, Calculator] = MappingProxyType(
    {
        row.name: row
        for row in (
            Calculator(
                "multirocket", "multirocket", ("bias", "dilation", "kernel", "padding", "pooling")
            ),
            Calculator("hydra", "hydra", ("count", "dilation", "group", "kernel")),
        )
    }
)
"""Our own calculators, which tsfresh does not have: random convolutions. They are in no set;
`tideline.features.convolutions` plans them."""

CALCULATORS: Mapping[str, Calculator] = MappingProxyType({**CATALOGUE, **CONVOLUTIONS})
"""Every calculator, by name: tsfresh's, and our own."""

TIMEWISE = "linear_trend_timewise"
"""The one calculator that reads the time of each value, and not its position."""

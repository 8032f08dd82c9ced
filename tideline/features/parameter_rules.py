"""What a parameter of a calculator may be.

tsfresh documents the values in prose only. The rules are taken from the values in its own sets, and
from the tables below where those say too little. Our own calculators have rules of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

Parameter = str | int | float | bool | None | list[int | float]

LARGEST = 10_000
"""The largest whole number taken: lags, orders, bins and widths beyond it are slips."""

_LARGEST_OF: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        # All wavelets up to this width: the work grows with its square.
        ("number_cwt_peaks", "n"): 500,
    }
)

_NUMPY_AGGREGATES = ("max", "mean", "median", "min", "std", "sum", "var")
_CHOICES: Mapping[tuple[str, str], tuple[str | None, ...]] = MappingProxyType(
    {
        ("agg_autocorrelation", "f_agg"): _NUMPY_AGGREGATES,
        ("change_quantiles", "f_agg"): _NUMPY_AGGREGATES,
        # A method of the array here, and arrays have no median.
        ("agg_linear_trend", "f_agg"): tuple(f for f in _NUMPY_AGGREGATES if f != "median"),
        ("augmented_dickey_fuller", "autolag"): ("AIC", "BIC", "t-stat", None),
    }
)
_SHARES = frozenset(
    {
        ("quantile", "q"),
        ("index_mass_quantile", "q"),
        ("change_quantiles", "ql"),
        ("change_quantiles", "qh"),
    }
)
# Whole in tsfresh's sets, and yet thresholds on the values.
_NUMBERS = frozenset(
    {
        ("number_crossing_m", "m"),
        ("value_count", "value"),
        ("range_count", "min"),
        ("range_count", "max"),
        ("count_above", "t"),
        ("count_below", "t"),
    }
)
_FROM_ZERO = frozenset({"coeff", "lag", "segment_focus"})
# tsfresh asserts it: of one value there is one order only.
_FROM_TWO = frozenset({("permutation_entropy", "dimension")})
_OPTIONAL = frozenset({("augmented_dickey_fuller", "autolag")})


@dataclass(frozen=True)
class Rule:
    """The values that one parameter takes.

    Attributes
    ----------
    expected
        The values, in words for a message.
    kind
        `boolean`, `choice`, `whole`, `number`, `widths` or `nothing`.
    low, high
        The bounds of a whole number or a number.
    choices
        The values of a choice.
    optional
        Whether tsfresh has a default of its own.
    """

    expected: str
    kind: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str | None, ...] = ()
    optional: bool = False

    def accepts(self, value: object) -> bool:
        """Return whether tsfresh computes with this value."""
        if self.kind == "boolean":
            return isinstance(value, bool)
        if self.kind == "choice":
            return (value is None or isinstance(value, str)) and value in self.choices
        if self.kind == "nothing":
            return value is None
        if self.kind == "widths":
            return self._is_widths(value)
        return self._is_bounded(value) and (self.kind == "number" or _is_whole(value))

    def _is_widths(self, value: object) -> bool:
        return (
            isinstance(value, list)
            and 0 < len(value) <= 100
            and all(self._is_bounded(width) and isinstance(width, int) for width in value)
            and len(value) == len(set(value))
        )

    def kept(self, value: Parameter) -> Parameter:
        """Return an accepted value as it is computed with: `5.0` is 5 where 5 is meant."""
        return int(value) if self.kind == "whole" and isinstance(value, float) else value

    def _is_bounded(self, value: object) -> bool:
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and abs(value) <= 1e300  # false of NaN, of infinities and of integers beyond float64
            and self.low <= value <= self.high
        )


def _whole(low: int, high: int) -> Rule:
    return Rule(f"a whole number from {low} to {high}", "whole", low, high)


def own_rule(calculator: str, parameter: str) -> Rule:
    """Return the rule of a parameter of a calculator that tsfresh does not have.

    Raises
    ------
    KeyError
        When there is none.
    """
    return _OWN[calculator, parameter]


def rule_for(calculator: str, parameter: str, examples: Sequence[Parameter]) -> Rule:
    """Return the rule of a parameter, from the values that tsfresh's own set has for it."""
    if choices := _CHOICES.get((calculator, parameter)):
        return _choice(choices, optional=(calculator, parameter) in _OPTIONAL)
    # Of a kind with its values in tsfresh's set; bool before int, of which Python makes it one.
    kinds = {type(value) for value in examples} - {int}
    if kinds == {type(None)}:
        # The search for a given subsequence needs stumpy, which is not installed.
        return Rule("null", "nothing")
    if kinds == {bool}:
        return Rule("true or false", "boolean")
    if kinds == {str}:
        return _choice(sorted({str(value) for value in examples}))
    if kinds == {list}:
        expected = f"a list of distinct whole numbers from 1 to {LARGEST}"
        return Rule(expected, "widths", 1, LARGEST)
    return _number(calculator, parameter, is_float=kinds == {float})


def _number(calculator: str, parameter: str, *, is_float: bool) -> Rule:
    if (calculator, parameter) in _SHARES:
        return Rule("a number from 0 to 1", "number", 0, 1)
    if is_float or (calculator, parameter) in _NUMBERS:
        return Rule("a finite number", "number")
    low = 2 if (calculator, parameter) in _FROM_TWO else int(parameter not in _FROM_ZERO)
    high = _LARGEST_OF.get((calculator, parameter), LARGEST)
    return _whole(low, high)


def pairing_fault(calculator: str, entry: Mapping[str, Parameter]) -> str | None:
    """Return what is wrong with values that are sound one by one, or None."""
    if calculator == "cwt_coefficients":
        widths = entry["widths"]
        if isinstance(widths, list) and entry["w"] not in widths:
            return f"w of cwt_coefficients is {entry['w']}; one of its widths {widths} is expected."
    if calculator == "energy_ratio_by_chunks":
        focus, segments = entry["segment_focus"], entry["num_segments"]
        if isinstance(focus, int) and isinstance(segments, int) and focus >= segments:
            return f"segment_focus is {focus}; less than num_segments ({segments}) is expected."
    return None


def _choice(choices: Sequence[str | None], *, optional: bool = False) -> Rule:
    words = ["null" if c is None else c for c in choices]
    expected = f"one of {', '.join(words)}"
    return Rule(expected, "choice", choices=tuple(choices), optional=optional)


_OWN: Mapping[tuple[str, str], Rule] = MappingProxyType(
    {
        # In standard deviations of a series, times the kernel's weights: answers are not larger
        # than twelve times the square root of the length.
        ("multirocket", "bias"): Rule("a number from -1000000 to 1000000", "number", -1e6, 1e6),
        ("multirocket", "dilation"): _whole(1, LARGEST),
        ("multirocket", "kernel"): _whole(0, 83),
        ("multirocket", "padding"): Rule("true or false", "boolean"),
        ("multirocket", "pooling"): _choice(("ppv", "mpv", "mipv", "lspv")),
        ("hydra", "count"): _choice(("max", "min")),
        ("hydra", "dilation"): _whole(1, LARGEST),
        ("hydra", "group"): _whole(0, LARGEST),
        ("hydra", "kernel"): _whole(0, 7),
    }
)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())

"""One column of the feature matrix, as data; and the call that computes some of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tideline.errors import SpecError
from tideline.features.catalogue import CALCULATORS, TIMEWISE
from tideline.features.views import PLAIN, View

if TYPE_CHECKING:
    from tideline.features.kernels.kernel import Kernel

ParameterValue = str | int | float | bool | None | tuple["ParameterValue", ...]
"""A value that a calculator takes: what JSON knows, with a tuple for a list."""


def frozen(value: Any) -> ParameterValue:  # noqa: ANN401 - JSON, not yet told apart
    """Return a parameter's value as a plan keeps it, with a tuple for a list."""
    return tuple(frozen(v) for v in value) if isinstance(value, list | tuple) else value


def thawed(value: ParameterValue) -> Any:  # noqa: ANN401 - JSON's types are not worth more
    """Return a parameter's value as JSON knows it, with a list for a tuple."""
    return [thawed(v) for v in value] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Feature:
    """One column of the feature matrix.

    Attributes
    ----------
    channel
        The channel that it is computed from.
    calculator
        The name of the function in `tsfresh.feature_extraction.feature_calculators`, or of one of
        our own.
    parameters
        Its arguments beside the series, as pairs sorted by name.
    view
        What of the channel's series it is computed from.
    """

    channel: str
    calculator: str
    parameters: tuple[tuple[str, ParameterValue], ...] = ()
    view: View = PLAIN

    def __post_init__(self) -> None:
        if self.calculator == TIMEWISE and not self.view.is_plain:
            raise SpecError(
                f"{TIMEWISE} is asked for of {self.channel + self.view.suffix!r}, a view, which "
                "has no times; a channel as it is is expected.",
                mend="Leave it out; linear_trend does the same by position.",
            )

    @classmethod
    def of(
        cls,
        channel: str,
        calculator: str,
        parameters: Mapping[str, Any] | None,
        view: View = PLAIN,
    ) -> Feature:
        """Return the feature of a calculator called with some parameters."""
        pairs = sorted((parameters or {}).items())
        return cls(channel, calculator, tuple((k, frozen(v)) for k, v in pairs), view)

    @property
    def arguments(self) -> dict[str, Any]:
        """The parameters as the calculator takes them."""
        return dict(self.parameters)

    @property
    def name(self) -> str:
        """The name that tsfresh gives, or would give, the column; a view is a kind of its own."""
        shown = dict(self.parameters)
        if self.calculator == "augmented_dickey_fuller":
            # The one calculator that writes an argument's default into the name.
            shown.setdefault("autolag", "AIC")
        parts = (f"{key}_{self._shown(shown[key])}" for key in sorted(shown))
        return "__".join([self.channel + self.view.suffix, self.calculator, *parts])

    def _shown(self, value: ParameterValue) -> str:
        if isinstance(value, str):
            return f'"{value}"'
        if isinstance(value, tuple) and self.calculator != "cwt_coefficients":
            return str(thawed(value))
        return str(value)


@dataclass(frozen=True, eq=False)
class Call:
    """What one calculator has to compute of one view of one channel.

    Attributes
    ----------
    channel, view, calculator
        As in `Feature`.
    arguments : tuple of dict
        One set of arguments a column.
    columns : intp array of shape (n_arguments,)
        The places of the results in the feature matrix.
    """

    channel: str
    view: View
    calculator: str
    arguments: tuple[dict[str, Any], ...]
    columns: NDArray[np.intp]

    @classmethod
    def of(cls, features: Sequence[Feature], columns: Sequence[int]) -> Call:
        """Return the call for some columns, all of one calculator on one series."""
        first = features[columns[0]]
        if first.calculator == "spkt_welch_density":
            # On a short series tsfresh hands the coefficients out in the order asked for, and
            # so to the wrong columns when a high one comes before a low one.
            columns = sorted(columns, key=lambda column: features[column].arguments["coeff"])
        arguments = tuple(features[column].arguments for column in columns)
        at = np.array(columns, dtype=np.intp)
        return cls(first.channel, first.view, first.calculator, arguments, at)

    @cached_property
    def kernel(self) -> Kernel | None:
        """The compiled calculator with these arguments; None where tsfresh's own is called."""
        entry = CALCULATORS.get(self.calculator)
        if entry is None or entry.family is None:
            return None
        family = import_module(f"tideline.features.kernels.{entry.family}")
        kernel: Kernel = getattr(family, self.calculator)(self.arguments)
        return kernel

    @cached_property
    def place(self) -> slice | NDArray[np.intp]:
        """The columns as what numpy writes to the fastest."""
        first, last = int(self.columns[0]), int(self.columns[-1])
        in_a_row = np.array_equal(self.columns, np.arange(first, last + 1))
        return slice(first, last + 1) if in_a_row else self.columns

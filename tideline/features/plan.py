"""The feature plan: exactly which features a pipeline needs, as data.

A plan is never parsed back from column names: a channel called `a__b_c` is as good as any
(tsfresh issue 548). A name is only for people, and it is the one that tsfresh gives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tideline.errors import ModelRefused, SpecError
from tideline.features.parameters import checked, parameter_set
from tideline.panel import Panel, named

ParameterValue = str | int | float | bool | None | tuple["ParameterValue", ...]
"""A value that a calculator takes: what JSON knows, with a tuple for a list."""

Settings = str | Mapping[str, object]
"""A parameter set's name, or calculators with their parameters, as tsfresh writes them."""

TIMEWISE = "linear_trend_timewise"
"""The one calculator of tsfresh that reads the time of each value, and not its position."""

DEFAULT_FIELD = "extract_features.default_fc_parameters"
KIND_FIELD = "extract_features.kind_to_fc_parameters"


def _frozen(value: Any) -> ParameterValue:  # noqa: ANN401 - JSON, not yet told apart
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value


def _thawed(value: ParameterValue) -> Any:  # noqa: ANN401 - JSON's types are not worth more
    return [_thawed(v) for v in value] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Feature:
    """One column of the feature matrix.

    Attributes
    ----------
    channel
        The channel that it is computed from.
    calculator
        The name of the function in `tsfresh.feature_extraction.feature_calculators`.
    parameters
        Its arguments beside the series, as pairs sorted by name.
    """

    channel: str
    calculator: str
    parameters: tuple[tuple[str, ParameterValue], ...] = ()

    @classmethod
    def of(cls, channel: str, calculator: str, parameters: Mapping[str, Any] | None) -> Feature:
        """Return the feature of a calculator called with some parameters."""
        pairs = sorted((parameters or {}).items())
        return cls(channel, calculator, tuple((key, _frozen(value)) for key, value in pairs))

    @property
    def arguments(self) -> dict[str, Any]:
        """The parameters as the calculator takes them."""
        return dict(self.parameters)

    @property
    def name(self) -> str:
        """The name that tsfresh gives the column."""
        shown = dict(self.parameters)
        if self.calculator == "augmented_dickey_fuller":
            # The one calculator that writes an argument's default into the name.
            shown.setdefault("autolag", "AIC")
        parts = (f"{key}_{self._shown(shown[key])}" for key in sorted(shown))
        return "__".join([self.channel, self.calculator, *parts])

    def _shown(self, value: ParameterValue) -> str:
        if isinstance(value, str):
            return f'"{value}"'
        if isinstance(value, tuple) and self.calculator != "cwt_coefficients":
            return str(_thawed(value))
        return str(value)


@dataclass(frozen=True, eq=False)
class Call:
    """What one calculator has to compute of one channel.

    Attributes
    ----------
    channel, calculator
        As in `Feature`.
    arguments : tuple of dict
        One set of arguments a column.
    columns : intp array of shape (n_arguments,)
        The places of the results in the feature matrix.
    """

    channel: str
    calculator: str
    arguments: tuple[dict[str, Any], ...]
    columns: NDArray[np.intp]


@dataclass(frozen=True)
class FeaturePlan:
    """The features of a pipeline, in the order of its columns.

    Attributes
    ----------
    features
        Distinct by name.
    missing
        What becomes of a missing value before any calculator sees the series (tsfresh refuses
        them): `interpolate` draws a line between the neighbours, by position, and repeats the
        nearest value at either end.
    """

    features: tuple[Feature, ...]
    missing: Literal["interpolate"] = "interpolate"

    @classmethod
    def from_parameters(
        cls,
        channels: Sequence[str],
        default: Settings | None,
        kind_to: Mapping[str, Settings] | None = None,
        *,
        timed: Collection[str] = (),
    ) -> FeaturePlan:
        """Plan the features that tsfresh would extract for these settings.

        Parameters
        ----------
        channels
            The channels of the data, in the order of the columns.
        default
            A parameter set's name, or calculators with their parameters, for every channel that
            `kind_to` does not name; None leaves those channels out.
        kind_to
            The same for single channels.
        timed
            The channels whose index holds dates. A named set leaves `linear_trend_timewise` out
            of the others, as tsfresh does.

        Raises
        ------
        SpecError
            When `kind_to` names a channel that there is not, a calculator or parameter is not
            known, `linear_trend_timewise` is asked for by name where there are no dates, or
            there is nothing to compute.
        """
        chosen = dict(kind_to or {})
        _require_known(chosen, channels)
        features: list[Feature] = []
        for channel in channels:
            settings = chosen.get(channel, default)
            if settings is not None:
                field = f"{KIND_FIELD}.{channel[:80]}" if channel in chosen else DEFAULT_FIELD
                features += _of_channel(channel, settings, channel in timed, field)
        if not features:
            raise SpecError(
                "the parameters name no feature for any channel.",
                mend="Set extract_features.default_fc_parameters to minimal, efficient or "
                "comprehensive, or name calculators.",
                field=DEFAULT_FIELD,
            )
        return cls(tuple(features))

    @classmethod
    def for_panel(
        cls,
        panel: Panel,
        default: Settings | None,
        kind_to: Mapping[str, Settings] | None = None,
    ) -> FeaturePlan:
        """Plan the features of a panel's channels; see `from_parameters`."""
        timed = {
            name
            for name, channel in panel.channels.items()
            if channel.index is not None and channel.index.dtype.kind == "M"
        }
        return cls.from_parameters(list(panel.channels), default, kind_to, timed=timed)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, as tsfresh gives them."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """The channels that the features are computed from."""
        return tuple(dict.fromkeys(feature.channel for feature in self.features))

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The features, gathered by channel and calculator."""
        gathered: dict[tuple[str, str], list[int]] = {}
        for column, feature in enumerate(self.features):
            gathered.setdefault((feature.channel, feature.calculator), []).append(column)
        return tuple(
            self._call(channel, calculator, columns)
            for (channel, calculator), columns in gathered.items()
        )

    def _call(self, channel: str, calculator: str, columns: list[int]) -> Call:
        if calculator == "spkt_welch_density":
            # On a short series tsfresh hands the coefficients out in the order asked for, and
            # so to the wrong columns when a high one comes before a low one.
            columns = sorted(columns, key=lambda c: self.features[c].arguments["coeff"])
        arguments = tuple(self.features[column].arguments for column in columns)
        return Call(channel, calculator, arguments, np.array(columns, dtype=np.intp))

    def require_computable(self) -> None:
        """Refuse features that a spec could not ask for either.

        tsfresh looks some parameters up as names of functions, so a plan from a file is held
        against the same rules as a spec.

        Raises
        ------
        ModelRefused
            When a calculator, a parameter or a value is none that is computed here.
        """
        # By what they look like, for True is equal to 1 and yet another parameter.
        distinct = {repr((f.calculator, f.parameters)): f for f in self.features}
        for feature in distinct.values():
            arguments = {key: _thawed(value) for key, value in feature.parameters}
            try:
                checked({feature.calculator: [arguments]}, field="plan")
            except SpecError as error:
                raise _unreadable(error.message.removesuffix(".")) from error

    def take(self, columns: NDArray[np.bool_] | NDArray[np.intp] | Iterable[int]) -> FeaturePlan:
        """Return the plan of some columns: a boolean mask, or positions in the order asked for."""
        chosen = np.asarray(columns)
        at = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen.astype(np.intp)
        return FeaturePlan(tuple(self.features[column] for column in at), self.missing)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON knows it; `from_json` reads it back without a difference."""
        return {
            "missing": self.missing,
            "features": [
                {
                    "channel": feature.channel,
                    "calculator": feature.calculator,
                    "parameters": {key: _thawed(value) for key, value in feature.parameters},
                }
                for feature in self.features
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> FeaturePlan:
        """Read a plan back.

        Raises
        ------
        ModelRefused
            When the document is not a plan that this version of Tideline understands.
        """
        try:
            if document["missing"] != "interpolate":
                raise _unreadable(f"missing values are treated by {document['missing']!r}")
            return cls(tuple(Feature.of(**feature) for feature in document["features"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise _unreadable(f"{type(error).__name__}: {error}") from error


def _unreadable(found: str) -> ModelRefused:
    return ModelRefused(
        f"the feature plan of the model cannot be read ({found}); "
        "a list of channel, calculator and parameters is expected.",
        mend="Publish the model again with this version of Tideline.",
    )


def _require_known(chosen: Mapping[str, object], channels: Sequence[str]) -> None:
    unknown = [name for name in chosen if name not in channels]
    if unknown:
        raise SpecError(
            f"{KIND_FIELD} names channels that the data does not have: {named(unknown)}; "
            f"found {named(channels)}.",
            mend="Name channels of the data, or leave these out.",
            field=KIND_FIELD,
        )


def _of_channel(channel: str, settings: Settings, timed: bool, field: str) -> list[Feature]:
    features: dict[str, Feature] = {}
    for calculator, listed in parameter_set(settings, field=field).items():
        if calculator == TIMEWISE and not timed:
            if not isinstance(settings, str):
                raise _not_timed(channel, field)
            continue
        for parameters in listed or [{}]:
            feature = Feature.of(channel, calculator, parameters)
            features.setdefault(feature.name, feature)
    return list(features.values())


def _not_timed(channel: str, field: str) -> SpecError:
    return SpecError(
        f"{TIMEWISE} is asked for, but channel {channel!r} has no dates: it needs the time of "
        "each value.",
        mend="Name the column of dates as extract_features.column_sort, or leave the calculator "
        "out; linear_trend does the same by position.",
        field=field,
    )

"""The feature plan: exactly which features a pipeline needs, as data.

A plan is never parsed back from column names: a channel called `a__b_c` is as good as any
(tsfresh issue 548). A name is only for people, and it is the one that tsfresh gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tideline.errors import ModelRefused, SpecError
from tideline.features.catalogue import CONVOLUTIONS, TIMEWISE
from tideline.features.documents import entries_of, features_of_entries
from tideline.features.feature import Call, Feature, thawed
from tideline.features.parameters import (
    Parameters,
    are_sound,
    canonical_name,
    checked,
    parameter_set,
)
from tideline.features.sets import OWN_SETS, Recipe
from tideline.features.views import PLAIN, View
from tideline.panel import Panel, named
from tideline.wording import shown

Settings = str | Mapping[str, object]
"""A parameter set's name, or calculators with their parameters, as tsfresh writes them."""

DEFAULT_FIELD = "extract_features.default_fc_parameters"
KIND_FIELD = "extract_features.kind_to_fc_parameters"


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
        views: Sequence[View] = (PLAIN,),
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
        views
            What of each series the features are computed from, each a kind of its own. The set
            `tideline` has views of its own, and is not asked for more.
        timed
            The channels whose index holds dates. A named set leaves `linear_trend_timewise` out
            of the others, as tsfresh does.

        Raises
        ------
        SpecError
            When `kind_to` names a channel that there is not, a calculator or parameter is not
            known, `linear_trend_timewise` is asked for by name where there are no dates, there is
            nothing to compute, or a channel has the name of another's view.
        """
        chosen = dict(kind_to or {})
        _require_known(chosen, channels)
        features: list[Feature] = []
        for channel in channels:
            settings = chosen.get(channel, default)
            if settings is not None:
                field = f"{KIND_FIELD}.{channel[:80]}" if channel in chosen else DEFAULT_FIELD
                timed_too = channel in timed
                features += features_of(
                    channel, settings, views=views, timed=timed_too, field=field
                )
        if not features:
            raise SpecError(
                "the parameters name no feature for any channel.",
                mend="Set extract_features.default_fc_parameters to minimal, efficient or "
                "comprehensive, or name calculators.",
                field=DEFAULT_FIELD,
            )
        plan = cls(tuple(features))
        plan.require_distinct()
        return plan

    @classmethod
    def for_panel(
        cls,
        panel: Panel,
        default: Settings | None,
        kind_to: Mapping[str, Settings] | None = None,
        *,
        views: Sequence[View] = (PLAIN,),
    ) -> FeaturePlan:
        """Plan the features of a panel's channels; see `from_parameters`."""
        channels, timed = list(panel.channels), _timed(panel)
        return cls.from_parameters(channels, default, kind_to, views=views, timed=timed)

    @classmethod
    def size_for_panel(cls, panel: Panel, default: Settings) -> int:
        """Return how many features `for_panel` would plan, without planning them all.

        Raises
        ------
        SpecError
            As `from_parameters`, but for what the names of the channels are refused for.
        """
        timed = _timed(panel)
        kinds = Counter(name in timed for name in panel.channels)
        return sum(
            count * len(features_of("", default, views=(PLAIN,), timed=t, field=DEFAULT_FIELD))
            for t, count in kinds.items()
        )

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
        """The features, gathered by channel, then by view, then by calculator."""
        gathered: dict[str, dict[View, dict[str, list[int]]]] = {}
        for column, feature in enumerate(self.features):
            of_series = gathered.setdefault(feature.channel, {}).setdefault(feature.view, {})
            of_series.setdefault(feature.calculator, []).append(column)
        return tuple(
            Call.of(self.features, columns)
            for views in gathered.values()
            for of_series in views.values()
            for columns in of_series.values()
        )

    def __getstate__(self) -> dict[str, Any]:
        # What a used plan keeps at hand, compiled code, cannot go to another process.
        return {"features": self.features, "missing": self.missing}

    def require_distinct(self) -> None:
        """Refuse features of one name, as those of a channel `x|difference` beside `x` may have.

        Raises
        ------
        SpecError
            When two are named the same; the channels of the first two are told.
        """
        if len(set(self.names)) == len(self.names):
            return
        first: dict[str, Feature] = {}
        for feature in self.features:
            before = first.setdefault(feature.name, feature)
            if before is not feature:
                raise SpecError(
                    f"two features would be named {shown(feature.name)}: one of {_series(before)}, "
                    f"one of {_series(feature)}; names are expected to differ.",
                    mend=f"Rename the channel {max(before.channel, feature.channel, key=len)!r}, "
                    "or leave the view out.",
                    field=DEFAULT_FIELD,
                )

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
        distinct = {
            repr((f.calculator, f.parameters)): f
            for f in self.features
            # Many, and soon seen to be sound; one that is not is told about as any other.
            if f.calculator not in CONVOLUTIONS or not are_sound(f.calculator, f.parameters)
        }
        for feature in distinct.values():
            arguments = {key: thawed(value) for key, value in feature.parameters}
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
            "features": entries_of(self.features),
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
            return cls(tuple(features_of_entries(document["features"])))
        except (KeyError, TypeError, ValueError, AttributeError, SpecError) as error:
            raise _unreadable(f"{type(error).__name__}: {error}") from error


def _unreadable(found: str) -> ModelRefused:
    return ModelRefused(
        f"the feature plan of the model cannot be read ({found}); "
        "a list of channel, calculator and parameters is expected.",
        mend="Publish the model again with this version of Tideline.",
    )


def _timed(panel: Panel) -> set[str]:
    """Return the channels whose index holds dates."""
    return {
        name
        for name, channel in panel.channels.items()
        if channel.index is not None and channel.index.dtype.kind == "M"
    }


def _series(feature: Feature) -> str:
    channel = f"channel {feature.channel!r}"
    view = feature.view
    return channel if view.is_plain else f"the view {view.suffix.removeprefix('|')!r} of {channel}"


def features_of(
    channel: str, settings: Settings, *, views: Sequence[View], timed: bool, field: str
) -> list[Feature]:
    """Return the features of one channel; see `FeaturePlan.from_parameters`.

    Parameters
    ----------
    timed
        Whether the channel's index holds dates.
    field
        What a refusal names.

    Raises
    ------
    SpecError
        When a calculator or a parameter is not known, or needs dates where there are none.
    """
    return _Part(channel, timed, tuple(views), field).features(settings)


def _require_known(chosen: Mapping[str, object], channels: Sequence[str]) -> None:
    unknown = [name for name in chosen if name not in channels]
    if unknown:
        raise SpecError(
            f"{KIND_FIELD} names channels that the data does not have: {named(unknown)}; "
            f"found {named(channels)}.",
            mend="Name channels of the data, or leave these out.",
            field=KIND_FIELD,
        )


@dataclass(frozen=True)
class _Part:
    """The part of a plan that one channel has."""

    channel: str
    timed: bool
    views: tuple[View, ...]
    field: str

    def features(self, settings: Settings) -> list[Feature]:
        """Return the features of a named set or of explicit parameters, each once."""
        recipe: Recipe = ((self.views, settings),)
        if isinstance(settings, str):
            recipe = OWN_SETS.get(canonical_name(settings, field=self.field), recipe)
        found: dict[str, Feature] = {}
        for views, each in recipe:
            parameters = parameter_set(each, field=self.field)
            for view in views:
                for feature in self._of_view(view, parameters, named=isinstance(settings, str)):
                    found.setdefault(feature.name, feature)
        return list(found.values())

    def _of_view(self, view: View, parameters: Parameters, *, named: bool) -> Iterator[Feature]:
        for calculator, listed in parameters.items():
            if calculator == TIMEWISE and not (self.timed and view.is_plain):
                if not named:
                    raise _not_timed(self.channel, self.field)
                continue
            for each in listed or [{}]:
                yield Feature.of(self.channel, calculator, each, view)


def _not_timed(channel: str, field: str) -> SpecError:
    return SpecError(
        f"{TIMEWISE} is asked for, but channel {channel!r} has no dates: it needs the time of "
        "each value.",
        mend="Name the column of dates as extract_features.column_sort, or leave the calculator "
        "out; linear_trend does the same by position.",
        field=field,
    )

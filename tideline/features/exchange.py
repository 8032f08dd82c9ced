"""Feature plans in tsfresh's own forms: parameter dictionaries, and names of columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from tideline.errors import SpecError
from tideline.features.catalogue import CONVOLUTIONS, TIMEWISE
from tideline.features.feature import Feature
from tideline.features.parameters import canonical_name, checked
from tideline.features.plan import KIND_FIELD, FeaturePlan, features_of
from tideline.features.sets import OWN_SETS
from tideline.features.views import PLAIN, Form, View
from tideline.wording import shown

FCParameters = dict[str, list[dict[str, Any]] | None]
"""Calculator to its parameters, as tsfresh writes them: one dict a feature, tuples for lists."""

PlainSettings = str | dict[str, object]
"""The name of a set, or calculators with their parameters in JSON's kinds."""

NAME_FIELD = "columns"

_VIEW = re.compile(
    r"(?P<channel>.+?)"
    r"(?:\|(?P<form>difference|spectrum))?"
    r"(?:\|(?P<start>[0-9]{1,4}):(?P<stop>[0-9]{1,4})/(?P<parts>[0-9]{1,4}))?",
    re.DOTALL,
)


def plan_of_fc_parameters(
    kind_to_fc_parameters: Mapping[Any, object], channels: Collection[str] = ()
) -> FeaturePlan:
    """Return the plan of a `kind_to_fc_parameters` dictionary of tsfresh.

    Kinds are read as `plan_of_names` reads them: `x|difference` is a view of the channel `x`.

    Parameters
    ----------
    kind_to_fc_parameters
        Kind to a settings object of tsfresh, a plain mapping, or the name of a set; such as
        `tsfresh.feature_extraction.settings.from_columns` returns. A kind whose mapping is empty
        is left out.
    channels
        Channels of the data, which are no views whatever their names end in.

    Raises
    ------
    SpecError
        When a calculator, a parameter or a value is not known, or there is nothing to compute.
    """
    features: list[Feature] = []
    for kind, chosen in kind_to_fc_parameters.items():
        channel, view = series_of_kind(str(kind), channels)
        # Whether there are dates is seen when the data is there.
        features += features_of_kind(channel, view, chosen, timed=True)
    if not features:
        raise SpecError(
            "the parameters name no calculator for any kind.",
            mend="Name calculators, or a set such as 'efficient'.",
            field=KIND_FIELD,
        )
    plan = FeaturePlan(tuple(features))
    plan.require_distinct()
    return plan


def features_of_kind(
    channel: str, view: View, chosen: object, *, timed: bool, field: str | None = None
) -> list[Feature]:
    """Return the features that tsfresh would compute for one kind, which may be a view's.

    Parameters
    ----------
    chosen
        A settings object of tsfresh, a plain mapping, or the name of a set.
    timed
        Whether the channel has dates. A view has none, and what needs them is left out.
    field
        What a refusal names; the kind when left out.

    Raises
    ------
    SpecError
        When a calculator, a parameter or a value is not known, nothing but what needs dates is
        asked for where there are none, or a set that has views of its own is asked for a view.
    """
    field = field or f"{KIND_FIELD}.{(channel + view.suffix)[:80]}"
    settings = plain_settings(chosen, field=field)
    if isinstance(settings, str) and settings in OWN_SETS and not view.is_plain:
        raise SpecError(
            f"the set {settings!r} is asked for of the view {shown(channel + view.suffix)}; it has "
            "views of its own, and is expected for channels alone.",
            mend="Write 'efficient'.",
            field=field,
        )
    if not (timed and view.is_plain):
        settings = without_dates(settings, field=field)
    if not settings:
        return []
    return features_of(channel, settings, views=(view,), timed=timed, field=field)


def fc_parameters_of_plan(plan: FeaturePlan) -> dict[str, FCParameters]:
    """Return the `kind_to_fc_parameters` dictionary with which tsfresh computes a plan.

    Returns
    -------
    dict of kind to dict of calculator to list of dict, or to None where it takes no parameter
        The kind of a feature on a view is the name of the view, `x|difference`: tsfresh has to be
        given that series as a kind of its own.

    Raises
    ------
    SpecError
        When the plan holds a calculator that tsfresh does not have.
    """
    if own := sorted({f.calculator for f in plan.features} & set(CONVOLUTIONS)):
        raise SpecError(
            f"the plan holds features of {' and '.join(own)}, which tsfresh does not have; only "
            "tsfresh's calculators are expected.",
            mend="Take the other features of the plan, by FeaturePlan.take.",
            field=KIND_FIELD,
        )
    kinds: dict[str, FCParameters] = {}
    for feature in plan.features:
        calculators = kinds.setdefault(feature.channel + feature.view.suffix, {})
        listed = calculators.setdefault(feature.calculator, [] if feature.parameters else None)
        if listed is not None:
            listed.append(feature.arguments)
    return kinds


def plan_of_names(names: Iterable[str], channels: Collection[str] = ()) -> FeaturePlan:
    """Return the plan of the features that have some names, in their order.

    The names are those of tsfresh's columns, read as `from_columns` of tsfresh reads them, or
    those of a plan with views. A channel must hold no `__`; one that ends in what a view's name
    ends in has to be among `channels`, for a name alone does not tell. A name given twice counts
    once.

    Parameters
    ----------
    names
        Such as `x__autocorrelation__lag_2`, or `x|difference|1:2/4__mean`.
    channels
        Channels of the data, which are no views whatever their names end in.

    Raises
    ------
    SpecError
        When a name is not that of a feature; where the calculator or a parameter is not known,
        the nearest is named.
    """
    features = tuple(_feature(name, channels) for name in dict.fromkeys(names))
    if not features:
        raise SpecError(
            "no name of a feature was given; at least one is expected.",
            mend="Give the columns of a feature matrix.",
            field=NAME_FIELD,
        )
    return FeaturePlan(features)


def plain_settings(settings: object, *, field: str) -> PlainSettings:
    """Return calculators and parameters in JSON's kinds, as `FeaturePlan` takes them.

    Parameters
    ----------
    settings
        The name of a set, a settings object of tsfresh, or a mapping as tsfresh's users write it:
        numpy's numbers, and tuples where JSON has lists. Parameters given twice count once.
    field
        What a refusal names.

    Raises
    ------
    SpecError
        When it is none of these, or a calculator is a function.
    """
    if isinstance(settings, str):
        return canonical_name(settings, field=field)
    if not isinstance(settings, Mapping):
        raise SpecError(
            f"{shown(settings)} was found; a mapping of calculators to their parameters, or the "
            "name of a set, is expected.",
            mend="Write ComprehensiveFCParameters(), or 'efficient'.",
            field=field,
        )
    for calculator in settings:
        if callable(calculator):
            raise _own_function(calculator, field)
    return {str(name): _distinct(_plain(listed)) for name, listed in settings.items()}


def without_dates(settings: PlainSettings, *, field: str) -> PlainSettings:
    """Return settings without what needs dates, which tsfresh leaves out where there are none.

    Raises
    ------
    SpecError
        When nothing else was asked for.
    """
    if settings == "time_based" or (isinstance(settings, dict) and list(settings) == [TIMEWISE]):
        raise SpecError(
            f"{TIMEWISE} alone is asked for, and the rows have no dates.",
            mend="Give the frame a DatetimeIndex, or ask for linear_trend, which goes by position.",
            field=field,
        )
    if isinstance(settings, str):
        # A named set is left without it by the plan.
        return settings
    return {name: listed for name, listed in settings.items() if name != TIMEWISE}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a user wrote; it is checked afterwards
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(held) for key, held in value.items()}
    return [_plain(held) for held in value] if isinstance(value, list | tuple) else value


def _distinct(listed: object) -> object:
    if not isinstance(listed, list):
        return listed
    told = {repr(sorted(p.items()) if isinstance(p, dict) else p): p for p in reversed(listed)}
    return list(reversed(told.values()))


def _own_function(function: object, field: str) -> SpecError:
    name = getattr(function, "__name__", shown(function))
    return SpecError(
        f"the function {name} is given as a calculator; names of tsfresh's calculators are "
        "expected, for only those are computed here.",
        mend="Compute your own functions by tsfresh, with them alone as its parameters, and join "
        "the two frames.",
        field=field,
    )


def _feature(name: object, channels: Collection[str]) -> Feature:
    # tsfresh takes seconds to import, and nothing else here needs it.
    from tsfresh.utilities.string_manipulation import get_config_from_string  # noqa: PLC0415

    parts = name.split("__") if isinstance(name, str) else []
    if len(parts) < 2 or not parts[0]:
        raise _unreadable(name)
    try:
        parameters = get_config_from_string(parts) or {}
    except (ValueError, SyntaxError, IndexError, TypeError) as error:
        raise _unreadable(name) from error
    calculator = parts[1]
    accepted = checked({calculator: [_plain(parameters)]}, field=f"{NAME_FIELD}.{shown(name)}")
    kept = accepted[calculator]
    channel, view = series_of_kind(parts[0], channels)
    return Feature.of(channel, calculator, kept[0] if kept else None, view)


def series_of_kind(kind: str, channels: Collection[str] = ()) -> tuple[str, View]:
    """Return the channel and the view that a kind, the first part of a name, stands for.

    It is a view's when it ends in what `View.suffix` writes, unless it is among `channels`; of
    two readings the one with the longer channel of these holds.
    """
    if kind in channels:
        return kind, PLAIN
    match = _VIEW.fullmatch(kind)
    if match is None or (match["form"] is None and match["start"] is None):
        return kind, PLAIN
    form: Form = match["form"] or "series"  # type: ignore[assignment]  # the pattern has no other
    numbers = (0, 1, 1) if match["start"] is None else tuple(map(int, match.group(3, 4, 5)))
    try:
        view = View(form, *numbers)
    except ValueError:
        return kind, PLAIN
    channel = match["channel"]
    if channel + view.suffix != kind:
        # `x|difference|0:2/2` is a view's as well, but under another name.
        return kind, PLAIN
    longer = f"{channel}|{form}"
    return (longer, View("series", *numbers)) if longer in channels else (channel, view)


def _unreadable(name: object) -> SpecError:
    return SpecError(
        f"{shown(name)} is not the name of a feature: channel, calculator and parameters, with "
        "'__' between them, are expected.",
        mend="Leave columns that no feature extraction made out.",
        field=NAME_FIELD,
    )

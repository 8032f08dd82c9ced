"""pandas in, pandas out: `extract_features` as tsfresh has it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tideline.cores import available_cores
from tideline.errors import InputMismatch, SpecError
from tideline.features.catalogue import TIMEWISE
from tideline.features.containers import Columns, cases_of
from tideline.features.exchange import features_of_kind, series_of_kind
from tideline.features.extraction import compute, extract
from tideline.features.feature import Feature
from tideline.features.plan import DEFAULT_FIELD, KIND_FIELD, FeaturePlan
from tideline.features.reference import quiet
from tideline.features.threads import thread_count
from tideline.features.views import FORMS, PLAIN, View
from tideline.panel import Channel, FloatArray, Panel, named
from tideline.wording import shown


def extract_features(  # noqa: PLR0917 - the arguments of tsfresh's, in its order
    timeseries_container: pd.DataFrame | Mapping[Any, pd.DataFrame],
    default_fc_parameters: str | Mapping[Any, Any] | FeaturePlan | None = None,
    kind_to_fc_parameters: Mapping[Any, str | Mapping[Any, Any]] | None = None,
    column_id: Hashable | None = None,
    column_sort: Hashable | None = None,
    column_kind: Hashable | None = None,
    column_value: Hashable | None = None,
    chunksize: int | None = None,  # noqa: ARG001 - here and below: tsfresh's, without a use here
    n_jobs: int | None = None,
    show_warnings: bool = False,
    disable_progressbar: bool = False,  # noqa: ARG001
    impute_function: Callable[[pd.DataFrame], object] | None = None,
    profile: bool = False,
    profiling_filename: str = "profile.txt",  # noqa: ARG001
    profiling_sorting: str = "cumulative",  # noqa: ARG001
    distributor: object = None,
    pivot: bool = True,
) -> pd.DataFrame:
    """Extract the features that `tsfresh.extract_features` extracts, under the same names.

    Parameters
    ----------
    timeseries_container
        A flat frame with a column for each kind; a stacked frame, with `column_kind`; or a dict of
        kind to frame, with `column_value`. Rows of the same time stay in their order.
    default_fc_parameters
        Calculators with their parameters, as tsfresh takes them (its settings objects, or plain
        mappings), or a set's name: `minimal`, `efficient`, `comprehensive`, or `tideline`, which
        tsfresh has not. When this and `kind_to_fc_parameters` are left out: `comprehensive`.
        A `FeaturePlan` says all: its features are computed, in its order.
    kind_to_fc_parameters
        The same for single kinds. Without `default_fc_parameters`, other kinds are left out. A
        kind of the data, or one followed by the name of a view: `x|difference`.
    column_id, column_sort, column_kind, column_value
        The columns that have a role. Only `column_id` is always needed.
    n_jobs
        How many threads share the cases: half of the processors when left out, as in tsfresh; one
        with 0 or 1, so many with more; -1 for one a processor.
    impute_function
        Called with the frame, which it changes in place. What it returns is not looked at.
    show_warnings
        Whether those of `impute_function` are shown; calculators give none here.
    chunksize, disable_progressbar, profiling_filename, profiling_sorting
        Without effect: chunks are cut to fit the processor's caches, and no bar is drawn.
    profile, distributor, pivot
        Refused when set: features are computed in threads of this process, into a frame.

    Returns
    -------
    pandas.DataFrame of float64, of shape (n_cases, n_features)
        One row a case, ids sorted; columns named and ordered as tsfresh's. NaN where a case has no
        row of a kind.

    Raises
    ------
    DataError
        When the container is another, a column is missing or repeated, a value is missing or no
        number; or when a calculator without a kernel fails on a series.
    SpecError
        When a calculator, a parameter, a kind or another argument is not one that is known here.
    InputMismatch
        When a plan is given for kinds, or dates, that the data lacks.

    Examples
    --------
    >>> import pandas as pd
    >>> from tideline import extract_features
    >>> frame = pd.DataFrame({"id": ["a", "a", "b", "b"], "x": [1.0, 3.0, 2.0, 2.0]})
    >>> extract_features(frame, {"mean": None, "maximum": None}, column_id="id")
       x__mean  x__maximum
    a      2.0         3.0
    b      2.0         2.0
    """
    _require_own_way(profile=profile, distributor=distributor, pivot=pivot)
    _require_callable(impute_function)
    columns = Columns(column_id, column_sort, column_kind, column_value)
    cases = cases_of(timeseries_container, columns)
    plan = _plan(cases.panel, default_fc_parameters, kind_to_fc_parameters)
    matrix = _matrix(cases.panel, plan, _workers(n_jobs))
    frame = pd.DataFrame(matrix, cases.index, list(plan.names))
    if impute_function is not None:
        _impute(frame, impute_function, show_warnings=show_warnings)
    return frame


def _require_own_way(*, profile: bool, distributor: object, pivot: bool) -> None:
    """Refuse what steers tsfresh's own running, and would be missed if it were passed over."""
    refusals = (
        ("profile", profile, "Profile the call from outside, as with cProfile."),
        ("distributor", distributor is not None, "Leave it out: n_jobs threads share the cases."),
        ("pivot", not pivot, "Leave it out, and .stack() the frame where a long one is needed."),
    )
    for argument, is_set, mend in refusals:
        if is_set:
            raise SpecError(
                f"{argument} is set, which steers tsfresh's own running; its default is expected.",
                mend=mend,
                field=argument,
            )


def _require_callable(impute_function: object) -> None:
    if impute_function is not None and not callable(impute_function):
        raise SpecError(
            f"impute_function is {shown(impute_function)}; a function of the frame is expected.",
            mend="Give tsfresh.utilities.dataframe_functions.impute, or leave it out.",
            field="impute_function",
        )


def _plan(panel: Panel, default: object, kind_to: Mapping[Any, object] | None) -> FeaturePlan:
    """Return the plan of what tsfresh would compute, or the one that is given."""
    if isinstance(default, FeaturePlan):
        return _given_plan(panel, default, kind_to)
    if default is None:
        default = "comprehensive" if kind_to is None else {}
    chosen = {str(kind): settings for kind, settings in (kind_to or {}).items()}
    own = _own_settings(chosen, panel)
    features: list[Feature] = []
    for kind, channel in panel.channels.items():
        of_views = own.get(kind, {})
        settings, field = (chosen[kind], None) if kind in chosen else (default, DEFAULT_FIELD)
        timed = channel.index is not None
        whole = features_of_kind(kind, PLAIN, settings, timed=timed, field=field)
        # What a set has of a view gives way to what is asked for of it.
        features += [feature for feature in whole if feature.view not in of_views]
        for view, listed in of_views.items():
            features += features_of_kind(kind, view, listed, timed=timed)
    if not features:
        raise _nothing(panel)
    plan = FeaturePlan(tuple(features))
    plan.require_distinct()
    return plan


def _own_settings(chosen: Mapping[str, object], panel: Panel) -> dict[str, dict[View, object]]:
    """Return the settings of views, by their channels; each kind is the data's or a view's."""
    own: dict[str, dict[View, object]] = {}
    for kind, settings in chosen.items():
        channel, view = series_of_kind(kind, panel.channels)
        if channel not in panel.channels:
            raise _no_kind(kind, panel)
        if not view.is_plain:
            own.setdefault(channel, {})[view] = settings
    return own


def _no_kind(kind: str, panel: Panel) -> SpecError:
    known = [name + View(form).suffix for form in FORMS for name in panel.channels]
    near = get_close_matches(kind, known, 1)
    return SpecError(
        f"kind {shown(kind)} is not in the data: found {named(panel.channels)}.",
        mend=f"Did you mean {near[0]!r}?" if near else "Leave it out.",
        field=KIND_FIELD,
    )


def _nothing(panel: Panel) -> SpecError:
    return SpecError(
        f"the parameters name no calculator for any kind; the data has {named(panel.channels)}.",
        mend="Name calculators, or a set such as 'efficient', or leave the parameters out.",
        field=DEFAULT_FIELD,
    )


def _given_plan(panel: Panel, plan: FeaturePlan, kind_to: object) -> FeaturePlan:
    """Return a plan as it is, when the data has what it needs."""
    if kind_to is not None:
        raise SpecError(
            "kind_to_fc_parameters is set beside a FeaturePlan, which names the features of each "
            "kind.",
            mend="Leave kind_to_fc_parameters out.",
            field=KIND_FIELD,
        )
    if not plan.features:
        raise _nothing(panel)
    lacking = [name for name in plan.channels if name not in panel.channels]
    if lacking:
        raise InputMismatch(
            f"the plan is for kinds {named(lacking)} too, and the data has "
            f"{named(panel.channels)}.",
            mend="Name the columns as they were when the plan was made.",
            field=DEFAULT_FIELD,
        )
    for feature in plan.features:
        if feature.calculator == TIMEWISE and panel.channels[feature.channel].index is None:
            raise InputMismatch(
                f"the plan has {shown(feature.name)}, and the rows have no dates.",
                mend="Give the frame a DatetimeIndex, or leave the feature out of the plan.",
                field=DEFAULT_FIELD,
            )
    return plan


def _workers(n_jobs: object) -> int:
    if n_jobs is None:
        return max(1, available_cores() // 2)
    # tsfresh computes in its own process when told 0.
    if isinstance(n_jobs, int | np.integer) and not isinstance(n_jobs, bool) and n_jobs == 0:
        return 1
    return thread_count(n_jobs, field="n_jobs")


@dataclass(frozen=True, eq=False)
class _Part:
    """Some series that are computed together.

    Attributes
    ----------
    names
        The channels.
    cases : intp array
        The positions of the cases, the same for each channel.
    usual
        Whether `extract` takes them: it refuses what no pipeline can learn from, a series of one
        value and infinities, of which tsfresh computes what there is to compute.
    """

    names: tuple[str, ...]
    cases: NDArray[np.intp]
    usual: bool

    def of(self, panel: Panel) -> Panel:
        """Return the part of a panel."""
        channels = {name: panel.channels[name] for name in self.names}
        whole = Panel(panel.ids, channels)
        return whole if self.cases.size == panel.n_cases else whole.take(self.cases)


def _parts(panel: Panel, channels: Iterable[str]) -> list[_Part]:
    """Return the parts of a panel, without the series of length zero."""
    whole: list[str] = []
    parts: list[_Part] = []
    for name in channels:
        channel = panel.channels[name]
        usual = (channel.lengths > 1) & _is_finite(channel)
        if usual.all():
            whole.append(name)
            continue
        parts.append(_Part((name,), np.flatnonzero(usual), usual=True))
        unusual = np.flatnonzero(~usual & (channel.lengths > 0))
        parts.append(_Part((name,), unusual, usual=False))
    parts.append(_Part(tuple(whole), np.arange(panel.n_cases if whole else 0), usual=True))
    return [part for part in parts if part.cases.size]


def _is_finite(channel: Channel) -> NDArray[np.bool_]:
    infinite = np.concatenate([[0], np.cumsum(~np.isfinite(channel.values))])
    return np.equal(np.diff(infinite[channel.offsets]), 0)


def _matrix(panel: Panel, plan: FeaturePlan, workers: int) -> FloatArray:
    """Return the features of each case, NaN where it has no series."""
    matrix = np.full((panel.n_cases, len(plan.features)), np.nan)
    for part in _parts(panel, plan.channels):
        columns = np.flatnonzero([feature.channel in part.names for feature in plan.features])
        of = extract if part.usual else compute
        computed = of(part.of(panel), plan.take(columns), workers=workers)
        if computed.shape == matrix.shape:
            return computed
        matrix[np.ix_(part.cases, columns)] = computed
    return matrix


def _impute(
    frame: pd.DataFrame, function: Callable[[pd.DataFrame], object], *, show_warnings: bool
) -> None:
    if show_warnings:
        function(frame)
        return
    with quiet():
        function(frame)

"""Tests of computing features: of cases together, by threads, of views, into a given matrix."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.features.panels import ragged
from tideline.errors import DataError, InputMismatch, ModelRefused, SpecError
from tideline.features.extraction import CHUNK_CELLS, CHUNK_VALUES, chunks_of, extract
from tideline.features.feature import Feature
from tideline.features.plan import FeaturePlan
from tideline.features.views import View, dyadic
from tideline.panel import Channel, Panel, case_key
from tideline.readers import read_panel
from tideline.roles import ColumnRoles


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_part_of_a_plan_has_the_values_of_the_whole(data: st.DataObject) -> None:
    panel = ragged([40, 4], channels=1)
    calculators = [
        "agg_autocorrelation", "agg_linear_trend", "ar_coefficient", "augmented_dickey_fuller",
        "cwt_coefficients", "energy_ratio_by_chunks", "fft_aggregated", "fft_coefficient",
        "friedrich_coefficients", "index_mass_quantile", "linear_trend", "partial_autocorrelation",
        "spkt_welch_density", "symmetry_looking", "quantile", "skewness",
    ]  # fmt: skip
    plan = FeaturePlan.from_parameters(["c0"], "efficient")
    plan = plan.take([i for i, f in enumerate(plan.features) if f.calculator in calculators])
    columns = data.draw(
        st.lists(st.integers(0, len(plan.features) - 1), min_size=1, max_size=9, unique=True)
    )

    part = extract(panel, plan.take(columns))

    np.testing.assert_array_equal(part, extract(panel, plan)[:, columns])


def test_each_coefficient_of_the_spectrum_lands_in_its_column_in_any_order() -> None:
    panel = ragged([8], channels=1)
    asked = [Feature.of("c0", "spkt_welch_density", {"coeff": c}) for c in (8, 2)]

    high, low = extract(panel, FeaturePlan(tuple(asked)))[0]

    assert np.isnan(high)
    assert np.isfinite(low)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12),
        min_size=1,
        max_size=5,
    )
)
def test_a_case_has_the_same_features_alone_and_among_others(series: list[list[float]]) -> None:
    panel = Panel(tuple(range(len(series))), {"x": Channel.from_series(series)})
    plan = FeaturePlan.for_panel(panel, "minimal")

    together = extract(panel, plan)

    alone = [extract(panel.take([i]), plan)[0] for i in range(panel.n_cases)]
    np.testing.assert_array_equal(together, np.array(alone))


def test_missing_values_are_drawn_between_their_neighbours() -> None:
    nan = np.nan
    gaps = Panel((0, 1), {"x": Channel.from_series([[nan, 1, nan, nan, 4, nan], [5, 6, nan, 8]])})
    whole = Panel((0, 1), {"x": Channel.from_series([[1, 1, 2, 3, 4, 4], [5, 6, 7, 8]])})
    plan = FeaturePlan.for_panel(gaps, "efficient")

    np.testing.assert_array_equal(extract(gaps, plan), extract(whole, plan))
    assert np.isnan(gaps.channels["x"].values).sum() == 5  # the data itself is left alone


def test_threads_compute_what_one_computes() -> None:
    panel = ragged([20, 30, 40, 25, 21, 22, 23])
    plan = FeaturePlan.for_panel(panel, "efficient")
    seen: list[tuple[int, int]] = []

    shared = extract(panel, plan, workers=2, progress=lambda done, of: seen.append((done, of)))

    np.testing.assert_array_equal(shared, extract(panel, plan))
    assert shared.flags.c_contiguous
    assert seen[-1] == (7, 7)
    assert seen == sorted(seen)


def test_progress_counts_the_cases() -> None:
    panel = ragged([CHUNK_VALUES // 2] * 5)
    seen: list[tuple[int, int]] = []

    extract(panel, FeaturePlan.for_panel(panel, "minimal"), progress=lambda *p: seen.append(p))

    assert seen == [(2, 5), (4, 5), (5, 5)]


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(
        st.integers(1, 9) | st.sampled_from([CHUNK_VALUES - 1, CHUNK_VALUES, CHUNK_VALUES + 1]),
        min_size=1,
        max_size=40,
    ),
    workers=st.integers(1, 3),
)
def test_no_chunk_holds_more_values_than_it_may_but_of_one_case(lengths, workers) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    beside = np.arange(len(lengths) + 1)
    channels = {
        "x": Channel(np.zeros(offsets[-1]), offsets),
        "y": Channel(np.ones(beside[-1]), beside),
    }
    chunks = chunks_of(Panel(tuple(range(len(lengths))), channels), workers)

    assert [case for chunk in chunks for case in chunk] == list(range(len(lengths)))
    for chunk in chunks:
        assert len(chunk) == 1 or sum(lengths[chunk.start : chunk.stop]) <= CHUNK_VALUES
    if workers == 1:
        joined = [sum(lengths[a.start : b.start + 1]) for a, b in pairwise(chunks)]
        assert all(total > CHUNK_VALUES for total in joined)


def test_an_error_in_the_progress_stops_the_work() -> None:
    panel = ragged([30] * 400)
    plan = FeaturePlan.for_panel(panel, "efficient")

    def refuse(done: int, of: int) -> None:
        raise KeyboardInterrupt(f"{done} of {of}")

    with pytest.raises(KeyboardInterrupt):
        extract(panel, plan, workers=2, progress=refuse)
    assert not [t for t in threading.enumerate() if t.name.startswith("extract")]


def test_computes_only_the_channels_of_the_plan() -> None:
    panel = ragged([5, 5])
    plan = FeaturePlan.from_parameters(["c1"], "minimal")

    assert extract(panel, plan).shape == (2, 10)


def test_refuses_a_panel_that_lacks_a_channel() -> None:
    plan = FeaturePlan.from_parameters(["c0", "gyro"], "minimal")

    with pytest.raises(InputMismatch, match="lacks channels 'gyro'; found 'c0', 'c1'") as caught:
        extract(ragged([5]), plan)
    assert caught.value.field == "raw_data"


def test_refuses_a_panel_without_the_dates_that_a_feature_needs() -> None:
    plan = FeaturePlan.from_parameters(["c0"], "time_based", timed={"c0"})

    with pytest.raises(InputMismatch, match="no dates"):
        extract(ragged([5], channels=1), plan)


@pytest.mark.parametrize("values", [[1.0], [np.inf, 1.0, 2.0], [np.nan, np.nan, 1.0]])
def test_refuses_a_series_that_says_nothing(values: list[float]) -> None:
    panel = Panel(("a",), {"x": Channel.from_series([values])})

    with pytest.raises(DataError, match="'a'"):
        extract(panel, FeaturePlan.from_parameters(["x"], "minimal"))


@pytest.mark.parametrize("name", ["os", "np", "set_property", "no_such_calculator", ""])
def test_refuses_a_plan_that_asks_for_anything_but_a_calculator(name: str) -> None:
    with pytest.raises(ModelRefused, match="does not have"):
        extract(ragged([5], channels=1), FeaturePlan((Feature.of("c0", name, {}),)))


@pytest.mark.parametrize("series", [[1.0, 1.0], [1.0, 2.0], [0.0] * 30, [1e300, -1e300, 0.0] * 9])
def test_every_set_takes_short_constant_and_extreme_series(series: list[float]) -> None:
    panel = Panel((0,), {"x": Channel.from_series([series])})

    assert extract(panel, FeaturePlan.for_panel(panel, "comprehensive")).shape[0] == 1


def test_real_series_with_gaps_and_of_many_lengths(shared_data) -> None:
    for name, file in (("DodgerLoopDay", "DodgerLoopDay_TEST.ts"), ("PLAID", "PLAID_TEST.ts")):
        path = next(shared_data(name).glob(f"*{file}*"), None)
        if path is None:
            pytest.skip(f"{file} is not here")
        panel = read_panel(path, ColumnRoles(column_id=None)).panel.take(range(20))
        features = extract(panel, FeaturePlan.for_panel(panel, "minimal"))
        assert np.isfinite(features).all()
        assert len({case_key(i) for i in panel.ids}) == len(features)


def test_a_view_is_computed_from_what_it_leaves_of_the_series() -> None:
    series = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    panel = Panel((0,), {"x": Channel.from_series([series])})
    views = (View("difference"), View("spectrum"), View("series", 1, 3, 4))
    plan = FeaturePlan.for_panel(panel, {"maximum": None, "length": None}, views=views)

    expected = [np.diff(series), np.abs(np.fft.rfft(series)), series[2:6]]
    assert plan.names[:2] == ("x|difference__maximum", "x|difference__length")
    np.testing.assert_array_equal(
        extract(panel, plan)[0], [v for part in expected for v in (part.max(), part.size)]
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(2, 40), min_size=1, max_size=6), st.integers(0, 3))
def test_a_view_of_many_lengths_is_that_of_each_alone(lengths: list[int], depth: int) -> None:
    panel = ragged(lengths, channels=1)
    plan = FeaturePlan.for_panel(panel, "minimal", views=tuple(dyadic(depth=depth)))

    together = extract(panel, plan)

    alone = [extract(panel.take([i]), plan)[0] for i in range(panel.n_cases)]
    np.testing.assert_array_equal(together, np.array(alone))


def test_a_feature_of_nothing_is_not_a_number() -> None:
    panel = ragged([3, 40], channels=1)
    plan = FeaturePlan.for_panel(panel, "efficient", views=(View("series", 0, 1, 8),))

    short, long = extract(panel, plan)

    assert np.isnan(short).all()
    assert np.isfinite(long).any()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_fills_the_matrix_that_it_is_given(tmp_path, dtype) -> None:
    panel = ragged([20, 30, 25])
    plan = FeaturePlan.for_panel(panel, "efficient")
    held = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", dtype, (3, len(plan.features)))

    filled = extract(panel, plan, workers=2, out=held)

    assert filled is held
    np.testing.assert_array_equal(np.load(tmp_path / "X.npy"), extract(panel, plan).astype(dtype))


def test_numbers_beyond_single_precision_are_drawn_in_to_it() -> None:
    panel = Panel((0, 1), {"x": Channel.from_series([[1e60, -1e60, 0.0], [1.0, 2.0, 4.0]])})
    calculators = {"maximum": None, "minimum": None, "abs_energy": None, "skewness": None}
    plan = FeaturePlan.for_panel(panel, {**calculators, "ar_coefficient": [{"coeff": 9, "k": 2}]})
    held = np.empty((2, len(plan.features)), dtype=np.float32)

    extract(panel, plan, out=held)

    largest = np.finfo(np.float32).max
    assert list(held[0, :3]) == [largest, -largest, largest]
    assert list(held[1, :3]) == [4.0, 1.0, 21.0]
    np.testing.assert_array_equal(np.isnan(held), np.isnan(extract(panel, plan)))
    assert np.isnan(held).any()


@pytest.mark.parametrize(
    "out", [np.empty((1, 10)), np.empty((2, 9)), np.empty((2, 10), dtype=np.int64)]
)
def test_refuses_a_matrix_of_another_form(out: np.ndarray) -> None:
    panel = ragged([5, 5], channels=1)

    with pytest.raises(ValueError, match=r"of shape \(2, 10\) expected"):
        extract(panel, FeaturePlan.for_panel(panel, "minimal"), out=out)


@pytest.mark.parametrize("workers", [0, -2, 1.5, True, "2"])
def test_refuses_what_is_no_number_of_threads(workers) -> None:
    panel = ragged([5, 5], channels=1)

    with pytest.raises(SpecError, match="workers is"):
        extract(panel, FeaturePlan.for_panel(panel, "minimal"), workers=workers)


def test_a_chunk_of_a_wide_plan_holds_fewer_cases() -> None:
    panel = ragged([5] * 10, channels=1)

    assert [len(chunk) for chunk in chunks_of(panel, 1, CHUNK_CELLS // 4)] == [4, 4, 2]
    assert [len(chunk) for chunk in chunks_of(panel, 1, 2 * CHUNK_CELLS)] == [1] * 10

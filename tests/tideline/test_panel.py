"""The panel: one buffer a channel, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tideline.errors import DataError
from tideline.panel import Channel, Panel, case_key, named, require_case_id, shown


def ragged(*series: list[float]) -> Panel:
    return Panel(tuple(range(len(series))), {"x": Channel.from_series(series)})


@pytest.mark.parametrize(
    ("case_id", "key"),
    [(7, "7"), (7.0, "7"), ("7", "7"), ("007", "007"), (True, "true"), (1.5, "1.5"), (-0.0, "0")],
)
def test_ids_are_matched_as_text(case_id: object, key: str) -> None:
    assert case_key(case_id) == key


def test_a_channel_holds_its_series_in_one_buffer() -> None:
    channel = Channel.from_series([[1.0, 2.0], [], [3.0]])
    assert channel.offsets.tolist() == [0, 2, 2, 3]
    assert channel.lengths.tolist() == [2, 0, 1]
    assert channel.series(0).base is channel.values
    assert channel.offsets.dtype == np.int64


@pytest.mark.parametrize(
    ("values", "offsets", "index"),
    [
        (np.zeros(2, np.float32), [0, 2], None),
        (np.zeros((1, 2)), [0, 2], None),
        (np.zeros(2), [], None),
        (np.zeros(2), [1, 2], None),
        (np.zeros(2), [0, 1], None),
        (np.zeros(2), [0, 2, 1, 2], None),
        (np.zeros(2), [0, 2], np.zeros(3)),
    ],
)
def test_a_channel_refuses_buffers_that_do_not_fit(
    values: np.ndarray, offsets: list[int], index: np.ndarray | None
) -> None:
    with pytest.raises(ValueError, match=r"values|offsets|index"):
        Channel(values, np.array(offsets, np.int64), index)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.floats(allow_nan=False), max_size=4), min_size=1, max_size=6), st.data()
)
def test_taking_cases_takes_their_series(series: list[list[float]], data: st.DataObject) -> None:
    panel = ragged(*series)
    at = data.draw(st.lists(st.sampled_from(range(len(series))), unique=True))
    taken = panel.take(at)
    assert taken.ids == tuple(at)
    assert [taken.channels["x"].series(i).tolist() for i in range(len(at))] == [
        series[p] for p in at
    ]


def test_taking_cases_takes_their_times() -> None:
    channel = Channel(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 3]), np.array([5.0, 6.0, 7.0]))
    taken = channel.take(np.array([1]))
    assert taken.index is not None
    assert taken.index.tolist() == [6.0, 7.0]


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, st.tuples(*[st.integers(1, 4)] * 3)))
def test_is_built_from_an_array_of_cases_channels_and_times(values: np.ndarray) -> None:
    panel = Panel.from_arrays(values)
    assert panel.ids == tuple(range(len(values)))
    assert list(panel.channels) == [str(c) for c in range(values.shape[1])]
    for case, channels in enumerate(values):
        for channel, series in zip(panel.channels.values(), channels, strict=True):
            np.testing.assert_array_equal(channel.series(case), series)


def test_is_built_from_an_array_of_cases_and_times() -> None:
    panel = Panel.from_arrays(np.array([[1.0, 2.0]]), ids=["a"], channel_names=["x"])
    assert panel.ids == ("a",)
    assert panel.channels["x"].series(0).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("shape", "ids", "names"),
    [((2,), None, None), ((2, 1, 3), ["a"], None), ((2, 2, 3), None, ["x", "x"])],
)
def test_refuses_arrays_that_do_not_fit(
    shape: tuple[int, ...], ids: list[str] | None, names: list[str] | None
) -> None:
    with pytest.raises(DataError, match=r"were found|was found"):
        Panel.from_arrays(np.zeros(shape), ids, names)


def test_refuses_a_text_for_the_names() -> None:
    with pytest.raises(DataError, match=r"channel_names is the text 'ab'; .* Write \['ab'\]"):
        Panel.from_arrays(np.zeros((2, 2, 3)), channel_names="ab")


def test_refuses_two_cases_of_one_id() -> None:
    with pytest.raises(DataError, match="more than one case has the same id: '7'"):
        Panel.from_arrays(np.zeros((3, 1, 2)), ids=[7, "7", 8])


def test_refuses_a_panel_without_a_channel() -> None:
    with pytest.raises(DataError, match="no channel"):
        Panel((1,), {})


def test_refuses_channels_of_different_cases() -> None:
    with pytest.raises(ValueError, match="channel 'x': 2 cases expected"):
        Panel((1, 2), {"x": Channel.from_series([[1.0]])})


@pytest.mark.parametrize(
    ("series", "told"),
    [
        ([[1.0, np.inf], [1.0, 2.0], [-np.inf, np.inf]], "3 infinite values, in cases 0, 2;"),
        ([[1.0, 2.0], []], "1 of 2 series hold fewer than 2 values: cases 1, the first with 0"),
        ([[1.0], [1.0, 2.0]], "1 of 2 series hold fewer than 2 values: cases 0, the first with 1"),
        ([[1.0, np.nan]], "1 of 1 series hold fewer than 2 values"),
        ([[], [np.nan]], "holds no value in any of 2 series"),
        ([[]], "1 of 1 series hold fewer than 2 values: cases 0"),
        ([[1.0]] * 10_000, "10000 of 10000 series hold fewer than 2 values"),
    ],
)
def test_refuses_series_that_no_pipeline_can_use(series: list[list[float]], told: str) -> None:
    with pytest.raises(DataError) as refusal:
        ragged(*series).require_usable()
    assert told in refusal.value.message
    assert "channel 'x'" in refusal.value.message
    assert refusal.value.field == "raw_data"
    assert refusal.value.mend


def test_refuses_a_panel_without_a_case() -> None:
    with pytest.raises(DataError, match="no case"):
        Panel((), {"x": Channel.from_series([])}).require_usable()


def test_accepts_missing_values_beside_two_that_are_there() -> None:
    ragged([1.0, np.nan, 2.0]).require_usable()


def test_its_fingerprint_changes_with_ids_names_lengths_values_and_times() -> None:
    panel = ragged([1.0, 2.0], [3.0])

    def timed(index: np.ndarray) -> Panel:
        channel = panel.channels["x"]
        return Panel(panel.ids, {"x": Channel(channel.values, channel.offsets, index)})

    others = [
        ragged([1.0], [2.0, 3.0]),
        ragged([1.0, 2.0], [4.0]),
        Panel((0, 2), panel.channels),
        Panel(panel.ids, {"y": panel.channels["x"]}),
        timed(np.array([0.0, 1.0, 0.0])),
        timed(np.array([0.0, 2.0, 0.0])),
        timed(np.array([0, 1, 0], dtype="datetime64[ns]")),
    ]
    prints = {p.fingerprint() for p in [panel, *others]}
    assert len(prints) == 8
    assert panel.fingerprint() == ragged([1.0, 2.0], [3.0]).fingerprint()
    assert panel.fingerprint().startswith("sha256:")


@pytest.mark.parametrize("case_id", ["a", "", 7, 1.5, True])
def test_accepts_ids_of_any_json_scalar_kind(case_id: object) -> None:
    assert require_case_id(case_id, "id", 1) is case_id


@pytest.mark.parametrize("case_id", [None, float("nan"), float("inf"), [1], {"a": 1}, b"x"])
def test_refuses_what_is_no_id(case_id: object) -> None:
    with pytest.raises(DataError, match=r"column 'id' has .* at row 3; an id") as refusal:
        require_case_id(case_id, "id", 3, field="labels")
    assert refusal.value.field == "labels"


def test_messages_name_ten_and_cut_what_is_long() -> None:
    assert named(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert len(shown("x" * 10_000)) == 100

"""The `.ts` format, feature by feature."""

from __future__ import annotations

import numpy as np
import pytest

from tideline.errors import DataError
from tideline.readers import ColumnRoles, Reading, read_panel


def read(text: str) -> Reading:
    return read_panel(text.encode(), ColumnRoles())


def test_reads_dimensions_of_unequal_lengths_with_class_labels() -> None:
    reading = read(
        "\ufeff# About\n#\n%more\n\n@problemName p\n@TIMESTAMPS false\n@univariate false\n"
        "@dimensions 2\n@equalLength false\n@CLASSLABEL true walk run\n@DATA\n"
        "1.0,2.0:3,4,5:walk\n# between\n-1e3, ? ,NaN:.5: run \r\n"
    )
    panel = reading.panel
    assert panel.ids == (0, 1)
    assert panel.channels["0"].lengths.tolist() == [2, 3]
    assert panel.channels["1"].values.tolist() == [3.0, 4.0, 5.0, 0.5]
    np.testing.assert_array_equal(panel.channels["0"].values, [1, 2, -1000, np.nan, np.nan])
    assert reading.labels is not None
    assert reading.labels.values == ("walk", "run")


def test_reads_regression_targets_as_floats() -> None:
    labels = read("@univariate true\n@targetlabel true\n@data\n1,2:7\n1,2:-0.5").labels
    assert labels is not None
    assert labels.values == (7.0, -0.5)


@pytest.mark.parametrize("directive", ["", "@classLabel false\n"])
def test_reads_a_file_without_labels(directive: str) -> None:
    reading = read(f"@problemName p\n{directive}@data\n1,2\n3\n")
    assert reading.labels is None
    assert reading.panel.channels["0"].lengths.tolist() == [2, 1]


def test_builds_a_series_of_length_zero_which_the_panel_then_refuses() -> None:
    panel = read("@classLabel true\n@data\n1,2:3,4:a\n:5,6:b\n").panel
    assert panel.channels["0"].lengths.tolist() == [2, 0]
    with pytest.raises(DataError, match="channel '0': 1 of 2 series"):
        panel.require_usable()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("@problemName p\n1,2:a\n", "line 2 holds '1,2:a' before @data"),
        ("@problemName p\n", "it has no @data line"),
        ("@data\n", "no case follows its @data line"),
        ("@timeStamps true\n@data\n(0,1):a\n", "has time stamps"),
        ("@classLabel perhaps\n@data\n1:a\n", "@classLabel".lower() + " is 'perhaps'"),
        ("@dimensions two\n@data\n1:a\n", "@dimensions is 'two'"),
        ("@dimensions 2\n@classLabel true\n@data\n1:a\n", "line 4 has 2 parts"),
        ("@univariate true\n@classLabel true\n@data\n1:2:a\n", "2 are expected (1 series and a"),
        ("@classLabel true\n@data\n1,2:a\n1,2\n", "line 4 has 1 parts between colons"),
        ("@classLabel true\n@data\na\nb\n", "a label and no series"),
        ("@classLabel true a b\n@data\n1,2:a\n1,2:c\n", "line 4 ends in 'c'; a class: one of"),
        ("@classLabel true\n@data\n1,2:?\n", "line 3 ends in '?'; a class is expected"),
        ("@classLabel true\n@data\n1,2:\n", "line 3 ends in ''; a class is expected"),
        ("@targetLabel true\n@data\n1,2:a\n", "line 3 ends in 'a'; a number is expected"),
        ("@targetLabel true\n@data\n1,2:?\n", "line 3 ends in '?'; a number is expected"),
        ("@data\n1,2\n\n3,x\n", "line 4, channel '0', case 1 holds 'x'; a number"),
    ],
)
def test_refuses_an_unsound_file(text: str, told: str) -> None:
    with pytest.raises(DataError) as refusal:
        read(text)
    assert told in refusal.value.message
    assert refusal.value.field == "raw_data"
    assert refusal.value.mend


@pytest.mark.parametrize(
    ("directive", "task"),
    [
        ("@targetLabel true", "regression"),
        ("@classLabel true 1 2", "classification"),
        ("@classLabel false", None),
    ],
)
def test_tells_what_the_header_says_of_its_labels(directive: str, task: str | None) -> None:
    assert (
        read(
            f"@univariate true\n{directive}\n@data\n1,2:1\n1,2:2".replace(":", ":" if task else ",")
        ).task
        == task
    )

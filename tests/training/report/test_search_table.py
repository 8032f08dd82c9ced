"""`search.parquet`: every evaluated pipeline."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.training.report.made_up import trials_of
from training.report import search_parquet, search_table
from training.trial import Trial


def test_every_trial_is_a_row() -> None:
    trials = trials_of(30)
    table = search_table(trials)
    assert table.num_rows == 30
    assert table["key"].to_pylist() == [t.key for t in trials]
    assert table["fold_scores"].to_pylist() == [list(t.fold_scores) for t in trials]
    assert table["failure"].to_pylist() == [t.failure for t in trials]
    assert dict(table["parameters"].to_pylist()[0]) == trials[0].parameters
    assert table["selects"].to_pylist() == [False] * 30
    np.testing.assert_array_equal(table["fit_seconds"], [t.fit_seconds for t in trials])


def test_the_file_is_read_as_it_was_written() -> None:
    table = search_table(trials_of(30))
    read = pq.read_table(io.BytesIO(search_parquet(trials_of(30))))
    assert read.schema == table.schema
    assert read.column("name").to_pylist() == table.column("name").to_pylist()


def test_half_a_character_is_written_as_a_question_mark() -> None:
    half = Trial(
        "\ud800", "a", "a", "a", "a", 1.0, parameters={"\ud800": "\ud800"}, failure="\ud800"
    )
    [row] = pq.read_table(io.BytesIO(search_parquet([half]))).to_pylist()
    assert (row["key"], row["failure"], row["parameters"]) == ("?", "?", [("?", "?")])


def test_a_run_that_tried_nothing_has_the_same_columns() -> None:
    assert search_table(()).schema == search_table(trials_of(3)).schema
    assert pa.types.is_list(search_table(()).schema.field("fold_scores").type)


def test_tells_of_steps_that_are_the_same_whether_features_were_selected_first() -> None:
    plain = trials_of(1)[0]
    table = search_table([plain, replace(plain, key="other", selects=True)])
    assert table["selects"].to_pylist() == [False, True]

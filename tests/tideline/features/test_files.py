"""From a file of series to a file of features: the same values, and whole or not at all."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tideline.errors import DataError, InputMismatch, InputNotFound, Interrupted, SpecError
from tideline.features import files
from tideline.features.extraction import extract
from tideline.features.files import extract_to_parquet, main, plan_of_file
from tideline.features.plan import FeaturePlan
from tideline.features.views import PLAIN, View
from tideline.panel import Panel
from tideline.readers import chunks, read_panel
from tideline.roles import ColumnRoles

ROLES = ColumnRoles(column_id="id", column_sort="t")
LENGTHS = (7, 2, 30, 11, 4, 19, 8)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few cases make several parts, matrices and row groups."""
    monkeypatch.setattr(chunks, "PART_CELLS", 100)
    monkeypatch.setattr(files, "MATRIX_CELLS", 40)
    monkeypatch.setattr(files, "GROUP_CELLS", 60)


def long_table(lengths: tuple[int, ...] = LENGTHS, channels: str = "xy") -> dict[str, Any]:
    rng = np.random.default_rng(0)
    rows = sum(lengths)
    return {
        "id": np.repeat([f"case {n}" for n in range(len(lengths))], lengths),
        "t": np.concatenate([np.arange(length) for length in lengths]),
        **{name: rng.normal(size=rows) for name in channels},
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return written(tmp_path, long_table())


def written(folder: Path, table: dict[str, Any]) -> Path:
    path = folder / "series.parquet"
    pq.write_table(pa.table(table), path)
    return path


def assert_holds(target: Path, panel: Panel, plan: FeaturePlan) -> None:
    """Expect the features of a panel in a file, to the bit."""
    found = pq.read_table(target)
    assert found.column_names == ["id", *plan.names]
    assert set(found.schema.types[1:]) == {pa.float64()}
    assert tuple(found["id"].to_pylist()) == panel.ids
    matrix = np.column_stack([found[name].to_numpy() for name in plan.names])
    np.testing.assert_array_equal(matrix, extract(panel, plan))
    assert not any(column.null_count for column in found.columns)


def test_writes_what_extract_computes(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "features.parquet"
    plan = extract_to_parquet(source, target, ROLES, "minimal")
    assert_holds(target, read_panel(source, ROLES).panel, plan)
    assert pq.read_metadata(target).num_row_groups > 1


def test_the_file_says_what_its_columns_are(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "features.parquet"
    views = (PLAIN, View("difference"))
    kind_to = {"y": {"quantile": [{"q": 0.9}], "mean": None}}
    plan = extract_to_parquet(source, target, ROLES, "minimal", kind_to, views=views)
    panel = read_panel(source, ROLES).panel
    assert plan == FeaturePlan.for_panel(panel, "minimal", kind_to, views=views)
    assert plan_of_file(target) == plan


def test_refuses_to_find_a_plan_where_none_is(source: Path) -> None:
    with pytest.raises(DataError, match=r"holds no plan: no 'tideline\.plan' in its metadata"):
        plan_of_file(source)
    with pytest.raises(DataError, match="holds no plan"):
        plan_of_file(Path(__file__))
    with pytest.raises(InputNotFound, match="there is no file"):
        plan_of_file(source.with_name("none.parquet"))


def test_computes_a_plan_that_is_given(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "features.parquet"
    panel = read_panel(source, ROLES).panel
    plan = FeaturePlan.for_panel(panel, "minimal").take([3, 1])
    assert extract_to_parquet(source, target, ROLES, plan) is plan
    assert_holds(target, panel, plan)
    with pytest.raises(ValueError, match="a plan has its own"):
        extract_to_parquet(source, target, ROLES, plan, views=(View("spectrum"),))


def test_dates_are_asked_of_the_source(tmp_path: Path) -> None:
    table = long_table(channels="x")
    table["t"] = np.datetime64("2026-01-01", "s") + table["t"] * np.timedelta64(60, "s")
    data = chunks.LongParquet(written(tmp_path, table), ROLES)
    # Planned and not computed: that would take tsfresh, and seconds to import it.
    plan = files._planned(data, {"linear_trend_timewise": [{"attr": "slope"}]}, None, (PLAIN,))
    assert plan.names == ('x__linear_trend_timewise__attr_"slope"',)


def test_the_channels_of_a_stacked_file_are_those_of_all_its_parts(tmp_path: Path) -> None:
    kinds = {"case": np.repeat([1, 1, 2, 2], 40), "kind": np.repeat(["a", "b", "b", "a"], 40)}
    values = {"value": np.random.default_rng(0).normal(size=160)}
    source, target = written(tmp_path, kinds | values), tmp_path / "features.parquet"
    roles = ColumnRoles(column_id="case", column_kind="kind")
    plan = extract_to_parquet(source, target, roles, {"mean": None})
    assert plan.names == ("a__mean", "b__mean")
    assert pq.read_table(target)["case"].to_pylist() == [1, 2]


def test_tells_the_rows_that_are_done(source: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    extract_to_parquet(
        source,
        tmp_path / "features.parquet",
        ROLES,
        "minimal",
        workers=2,
        progress=lambda done, of: told.append((done, of)),
    )
    rows = sum(LENGTHS)
    assert {of for _, of in told} == {rows}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (rows, rows)
    assert len(told) > 2


def test_replaces_a_file_only_when_the_new_one_is_complete(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "features.parquet"
    target.write_bytes(b"the old one")
    seen = []

    def watch(done: int, of: int) -> None:
        seen.append(target.read_bytes())

    extract_to_parquet(source, target, ROLES, "minimal", progress=watch)
    assert set(seen) == {b"the old one"}
    assert plan_of_file(target).channels == ("x", "y")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["features.parquet", "series.parquet"]


@pytest.mark.parametrize("when", ["a series is refused", "it is interrupted"])
def test_leaves_nothing_behind_when_it_fails(tmp_path: Path, when: str) -> None:
    table = long_table()
    if when == "a series is refused":
        table["x"][-1] = np.inf
    source = written(tmp_path, table)

    def stop(done: int, of: int) -> None:
        if when == "it is interrupted" and done > of / 2:
            raise Interrupted("told to stop.")

    with pytest.raises((DataError, Interrupted)):
        extract_to_parquet(source, tmp_path / "f.parquet", ROLES, "minimal", progress=stop)
    assert list(tmp_path.iterdir()) == [source]


def test_refuses_a_channel_that_a_plan_needs_and_the_source_lacks(
    source: Path, tmp_path: Path
) -> None:
    plan = FeaturePlan.from_parameters(["z"], "minimal")
    with pytest.raises(InputMismatch, match="lacks channels 'z'; found 'x', 'y'"):
        extract_to_parquet(source, tmp_path / "features.parquet", ROLES, plan)


def test_refuses_a_source_without_a_case(tmp_path: Path) -> None:
    empty = {name: np.array(column)[:0] for name, column in long_table().items()}
    with pytest.raises(DataError, match="holds no case"):
        extract_to_parquet(written(tmp_path, empty), tmp_path / "f.parquet", ROLES, "minimal")


def test_refuses_a_target_that_cannot_be(source: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is the source itself"):
        extract_to_parquet(source, tmp_path / "." / source.name, ROLES, "minimal")
    with pytest.raises(SpecError, match="is a folder"):
        extract_to_parquet(source, tmp_path, ROLES, "minimal")
    with pytest.raises(InputNotFound, match="no folder"):
        extract_to_parquet(source, tmp_path / "none" / "f.parquet", ROLES, "minimal")


def test_refuses_a_feature_with_the_name_of_the_ids(tmp_path: Path) -> None:
    table = long_table(channels="x")
    source = written(
        tmp_path, {"x__mean" if name == "id" else name: c for name, c in table.items()}
    )
    roles = ColumnRoles(column_id="x__mean", column_sort="t")
    with pytest.raises(SpecError, match="more than one column would be named 'x__mean'"):
        extract_to_parquet(source, tmp_path / "f.parquet", roles, "minimal")


def test_the_command_does_the_same(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "features.parquet"
    roles = ["--column-id", "id", "--column-sort", "t"]
    assert main([str(source), str(target), *roles, "--set", "minimal", "--workers", "2"]) == 0
    panel = read_panel(source, ROLES).panel
    assert_holds(target, panel, FeaturePlan.for_panel(panel, "minimal"))
    out, err = capsys.readouterr()
    assert not out
    assert "81 rows in 0 s" in err
    assert f"20 features a case, {target.stat().st_size:,} bytes" in err


def test_the_command_exits_with_the_code_of_the_error(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "features.parquet")
    assert main([str(source), target, "--column-id", "machine"]) == DataError.exit_code
    told = capsys.readouterr().err
    assert "--column-id 'machine' is not in source: found 'id', 't'" in told
    assert told.endswith("Set --column-id to one of them.\n")
    assert main([str(source), target, "--column-id", "idd"]) == DataError.exit_code
    assert "Did you mean 'id'? Set --column-id to one of them." in capsys.readouterr().err
    assert main([str(source), target, "--column-id", "id", "--set", "time_based"]) == 64
    assert "Set --set to minimal" in capsys.readouterr().err
    assert main([str(source), target, "--column-id", "id", "--set", "minimum"]) == 64
    assert "minimal" in capsys.readouterr().err


def test_the_command_leaves_a_column_its_name_in_a_refusal() -> None:
    told = files._in_options("column_id 'column_id' is not here. Set extract_features.column_id.")
    assert told == "--column-id 'column_id' is not here. Set --column-id."


@pytest.mark.parametrize("workers", ["0", "-2", "1.5", "two"])
def test_the_command_refuses_a_number_of_workers_in_words(
    workers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["a", "b", "--column-id", "id", f"--workers={workers}"])
    assert f"{workers!r} was found; a number of threads from 1, or -1" in capsys.readouterr().err


def test_refuses_a_number_of_workers_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="workers is 0; a number of threads from 1"):
        extract_to_parquet(tmp_path / "none", tmp_path / "f.parquet", ROLES, workers=0)


def test_takes_paths_as_text_and_all_processors(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "features.parquet"
    plan = extract_to_parquet(str(source), str(target), ROLES, "minimal", workers=-1)
    assert plan_of_file(str(target)) == plan


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_says_in_which_rows_a_case_is_that_cannot_be_computed(tmp_path: Path, value: float) -> None:
    table = long_table()
    table["y"][sum(LENGTHS[:5]) + 3] = value
    target = tmp_path / "f.parquet"
    with pytest.raises(DataError, match=r"'y' holds 1 inf.* Case 'case 5' is in rows 55 to 73\."):
        extract_to_parquet(written(tmp_path, table), target, ROLES, "minimal")


def test_says_in_which_rows_a_case_of_one_value_is(tmp_path: Path) -> None:
    table = long_table(lengths=(7, 30, 1, 9), channels="x")
    stacked = {name: np.repeat(column, 2) for name, column in table.items()}
    stacked["kind"] = np.tile(["a", "b"], 47)
    roles = ColumnRoles("id", "t", "kind", "x")
    with pytest.raises(DataError, match=r"fewer than 2 .* Case 'case 2' is in rows 38 to 38\."):
        extract_to_parquet(written(tmp_path, table), tmp_path / "f", ROLES, "minimal")
    with pytest.raises(DataError, match=r"fewer than 2 .* Case 'case 2' is in rows 75 to 76\."):
        extract_to_parquet(written(tmp_path, stacked), tmp_path / "f", roles, "minimal")


def test_draws_over_missing_values(tmp_path: Path) -> None:
    table = long_table()
    table["x"][3] = np.nan
    source = written(tmp_path, table)
    target = tmp_path / "features.parquet"
    plan = extract_to_parquet(source, target, ROLES, "minimal")
    assert_holds(target, read_panel(source, ROLES).panel, plan)


def test_the_command_leaves_nothing_behind_when_it_is_ended(tmp_path: Path) -> None:
    source = written(tmp_path, long_table(lengths=(5,) * 200_000, channels="x"))
    target = tmp_path / "features.parquet"
    command = [sys.executable, "-m", "tideline.features.files", str(source), str(target)]
    with subprocess.Popen(
        [*command, "--column-id", "id", "--set", "minimal"], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 180
        while len(list(tmp_path.iterdir())) == 1 and time.monotonic() < deadline:
            assert process.poll() is None, "it ended before there was a draft"
            time.sleep(0.01)
        assert len(list(tmp_path.iterdir())) == 2, "the draft"
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == Interrupted.exit_code, told
    assert "told to stop before the features were complete" in told
    assert list(tmp_path.iterdir()) == [source]

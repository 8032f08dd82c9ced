"""Tests of reading files and URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tideline.errors import DataError, InputNotFound, SpecError, StoreUnavailable
from training.inputs import read_input


def test_a_path_counts_from_the_folder_of_the_spec(tmp_path: Path) -> None:
    (tmp_path / "series.csv").write_bytes(b"id,x\n")
    assert read_input("series.csv", tmp_path, "raw_data") == b"id,x\n"
    assert read_input("./series.csv", tmp_path, "raw_data") == b"id,x\n"


def test_an_absolute_path_and_a_file_url_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a b.csv"
    path.write_bytes(b"id,x\n")
    assert read_input(str(path), Path("/nowhere"), "raw_data") == b"id,x\n"
    assert read_input(path.as_uri(), Path("/nowhere"), "raw_data") == b"id,x\n"


def test_a_url_is_read(server: str, tmp_path: Path) -> None:
    assert read_input(f"{server}/series.csv", tmp_path, "raw_data").startswith(b"id,x")
    assert read_input(f"{server}/series.csv?signature=a/b", tmp_path, "raw_data")


@pytest.mark.parametrize("location", ["missing.csv", ".", "file:///missing.csv"])
def test_a_missing_file_is_not_found(location: str, tmp_path: Path) -> None:
    with pytest.raises(InputNotFound) as caught:
        read_input(location, tmp_path, "labels")
    assert caught.value.field == "labels"


@pytest.mark.parametrize("path", ["missing.csv", "status/403", "status/400", "status/405"])
def test_a_missing_url_is_not_found(path: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(InputNotFound):
        read_input(f"{server}/{path}", tmp_path, "raw_data")


@pytest.mark.parametrize("status", [500, 503, 408, 425, 429])
def test_a_broken_or_busy_server_is_worth_another_try(
    server: str, tmp_path: Path, status: int
) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        read_input(f"{server}/status/{status}", tmp_path, "raw_data")
    assert caught.value.retryable


def test_what_is_too_large_is_not_read_to_its_end(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.inputs.MAX_BYTES", 8)
    with pytest.raises(DataError, match="over 8 bytes") as caught:
        read_input(f"{server}/series.csv", tmp_path, "labels")
    assert caught.value.field == "labels"


@pytest.mark.parametrize(
    "location",
    [
        "http://[bad/x",
        "http://a b\x7f/x",
        "http:///x",
        "http://host:99999/x",
        "http://me:secret#1@host/x",
        "s3://bucket",
        "s3://bucket/",
        "s3:/x",
    ],
)
def test_what_is_no_url_is_refused(location: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is no URL") as caught:
        read_input(location, tmp_path, "raw_data")
    assert caught.value.field == "raw_data"
    assert "secret" not in str(caught.value)


def test_no_server_is_worth_another_try(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1/x"):
        read_input("http://me:secret@127.0.0.1:9/x", tmp_path, "raw_data")


def test_a_message_shows_no_secret(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        read_input("http://me:secret@127.0.0.1:9/x?token=hidden", tmp_path, "raw_data")
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("location", ["ftp://host/x.csv", "gopher://host/x", "data:text/csv,id"])
def test_other_schemes_are_refused(location: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="scheme"):
        read_input(location, tmp_path, "raw_data")

from __future__ import annotations

from pathlib import Path

import pytest

from tideline.errors import SpecError
from tideline.store import open_store
from tideline.store.bento import BentoStore


def home_of(address: str | Path) -> Path:
    store = open_store(address)
    assert isinstance(store, BentoStore)
    return store.home


def test_opens_folders_and_file_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    for address in (tmp_path / "a b", str(tmp_path / "a b"), "a b", "~/a b"):
        assert home_of(address) == tmp_path / "a b"
    assert home_of(f"file://{tmp_path}/a%20b") == tmp_path / "a b"
    assert home_of(f"file://localhost{tmp_path}") == tmp_path


def test_opening_makes_nothing(tmp_path: Path) -> None:
    open_store(tmp_path / "home").list()

    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("address", ["", "s3://bucket/models", "http://host", "file://host/share"])
def test_refuses_an_address_that_is_no_stores(address: str) -> None:
    with pytest.raises(SpecError, match="not the address of a model store") as caught:
        open_store(address)
    assert caught.value.field == "store"

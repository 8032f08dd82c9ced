from __future__ import annotations

from pathlib import Path

import pytest

from tideline.errors import SpecError
from tideline.store import is_shared, open_outbox, open_store
from tideline.store.bento import BentoStore
from tideline.store.objects import ObjectStore


def home_of(address: str | Path) -> Path:
    store = open_store(address)
    assert isinstance(store, BentoStore)
    return store.home


def test_a_path_is_a_bentoml_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    for address in (tmp_path / "a b", str(tmp_path / "a b"), "a b", "~/a b"):
        assert home_of(address) == tmp_path / "a b"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("file:///models/", "file:///models"),
        ("file://localhost/a%20b", "file:///a%20b"),
        ("s3://bucket/models/", "s3://bucket/models"),
        ("gs://bucket", "gs://bucket"),
    ],
)
def test_a_url_is_a_shared_store(address: str, url: str) -> None:
    store = open_store(address)

    assert isinstance(store, ObjectStore)
    assert store.bucket.url == url
    assert is_shared(address)


def test_opening_makes_nothing(tmp_path: Path) -> None:
    open_store(tmp_path / "home").list()

    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("address", ["", "ftp://host/models", "http://host", "file://host/share"])
def test_refuses_an_address_that_is_no_stores(address: str) -> None:
    with pytest.raises(SpecError, match="not the address of a model store") as caught:
        open_store(address)
    assert caught.value.field == "store"


@pytest.mark.parametrize("below", ["a-file", "a-file/store"])
def test_a_folder_that_cannot_be_published_to_is_refused_at_once(
    tmp_path: Path, below: str
) -> None:
    (tmp_path / "a-file").write_text("no folder")
    with pytest.raises(SpecError, match="cannot be made") as caught:
        open_outbox(tmp_path / below, tmp_path / "home")
    assert caught.value.field == "store"


@pytest.mark.parametrize("shared", [True, False])
def test_a_home_that_cannot_be_written_to_is_told_with_its_own_mend(
    tmp_path: Path, shared: bool
) -> None:
    (tmp_path / "a-file").write_text("no folder")
    home = tmp_path / "a-file" / "bentoml"
    with pytest.raises(SpecError, match="cannot be made") as caught:
        open_outbox((tmp_path / "store").as_uri() if shared else home, home)
    assert caught.value.field == "home"
    assert "TIDELINE_HOME" in caught.value.mend


def test_a_folder_that_can_be_published_to_is_not_made_before(tmp_path: Path) -> None:
    open_outbox(tmp_path / "new" / "store", tmp_path / "home")
    assert list(tmp_path.iterdir()) == []

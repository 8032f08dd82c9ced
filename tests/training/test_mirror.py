"""Tests of the copy of a run's folder in a store, which is a folder here."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.training.test_ledger import ANSWERS, BAD, GOOD
from tideline.errors import StoreUnavailable
from training import mirror as module
from training.checkpoint import Checkpoint
from training.ledger import MAIN, Ledger
from training.mirror import DamagedCopyError, Mirror


@pytest.fixture
def url(tmp_path: Path) -> str:
    (tmp_path / "store").mkdir()
    return f"{(tmp_path / 'store').as_uri()}/checkpoint.zip"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    ledger = Ledger(folder / "trials")
    ledger.record(MAIN, GOOD, ANSWERS)
    ledger.record(MAIN, BAD, None)
    (folder / "plans.json").write_text("{}")
    (folder / ".state.json.17").write_text("half")
    np.save(folder / "features.npy", ANSWERS)
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_copy_holds_what_cannot_be_computed_again_in_seconds(
    url: str, kept: Path, tmp_path: Path
) -> None:
    Mirror(url, kept).send()
    assert Mirror(url, tmp_path / "again").fetch()
    assert names(tmp_path / "again") == names(kept) - {"features.npy", ".state.json.17"}
    ledger = Ledger(tmp_path / "again" / "trials")
    assert [trial.key for trial in ledger.trials] == [GOOD.key, BAD.key]
    # Nothing else is left beside it.
    assert {path.name for path in tmp_path.iterdir()} == {"store", "kept", "again"}


def test_without_a_copy_nothing_is_made(url: str, tmp_path: Path) -> None:
    assert not Mirror(url, tmp_path / "again").fetch()
    assert not (tmp_path / "again").exists()


def test_what_a_fetch_that_was_killed_has_left_is_not_mixed_in(
    url: str, kept: Path, tmp_path: Path
) -> None:
    Mirror(url, kept).send()
    (tmp_path / ".again").mkdir()
    (tmp_path / ".again" / "half").write_text("")
    assert Mirror(url, tmp_path / "again").fetch()
    assert "half" not in names(tmp_path / "again")


def test_answers_that_are_too_much_are_left_out_and_no_other_thing(
    url: str, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ledger(kept / "trials").record(MAIN, GOOD, np.zeros((1000, 3), dtype=np.float32))
    monkeypatch.setattr(module, "MOST_BYTES", 8000)
    Mirror(url, kept).send()
    assert Mirror(url, tmp_path / "again").fetch()
    assert {"plans.json", "trials.jsonl"} == names(tmp_path / "again")
    # The trial whose answers are lacking is evaluated again.
    assert [trial.key for trial in Ledger(tmp_path / "again" / "trials").trials] == [BAD.key]


def test_a_later_copy_replaces_the_earlier(url: str, kept: Path, tmp_path: Path) -> None:
    mirror = Mirror(url, kept)
    mirror.send()
    (kept / "plans.json").write_text("later")
    mirror.send()
    assert Mirror(url, tmp_path / "again").fetch()
    assert (tmp_path / "again" / "plans.json").read_text() == "later"


def test_a_copy_that_is_removed_is_not_there(url: str, kept: Path, tmp_path: Path) -> None:
    mirror = Mirror(url, kept)
    mirror.send()
    mirror.remove()
    mirror.remove()
    assert not Mirror(url, tmp_path / "again").fetch()


def test_a_store_that_is_away_is_an_error(kept: Path, tmp_path: Path) -> None:
    away = Mirror(f"{(tmp_path / 'nowhere').as_uri()}/checkpoint.zip", kept)
    for act in (away.send, away.fetch):
        with pytest.raises(StoreUnavailable):
            act()


def archive(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", kind) as copy:
        for name, text in files.items():
            copy.writestr(name, text)
    return content.getvalue()


BAD_SUM = archive({"plans.json": b"some text"}, zipfile.ZIP_STORED).replace(
    b"some text", b"same text"
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a zip file"),
        (b"no archive", "not a zip file"),
        (archive({"plans.json": b"{}"})[:-9], "not a zip file"),
        (BAD_SUM, "Bad CRC-32"),
        (archive({"plans.json": b"{}"}, zipfile.ZIP_LZMA), "not used here"),
        (archive({"a": b"", "a/b": b""}), "a/b|exists|directory"),
        (archive({"zeros": bytes(20_000)}), "20000 bytes, over 16000"),
        (bytes(20_000), "is over 16000 bytes"),
    ],
    ids=range(8),
)
def test_a_damaged_copy_costs_itself_only(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, told: str
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 8000)
    (tmp_path / "store" / "checkpoint.zip").write_bytes(content)
    mirror, said = Mirror(url, tmp_path / "again"), list[str]()
    with pytest.raises(DamagedCopyError, match=told):
        mirror.fetch()
    assert {path.name for path in tmp_path.iterdir()} == {"store"}

    with Checkpoint(tmp_path / "again", {"run_id": "a"}, mirror, said.append) as checkpoint:
        assert checkpoint.spent_before == 0.0
    assert len(said) == 1
    assert "is damaged, and the run begins anew" in said[0]
    # The next copy takes its place.
    assert Mirror(url, tmp_path / "later").fetch()

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tideline.store.conformance import Folder
from tideline.errors import ModelNotFound, ModelRefused
from tideline.store import ModelVersion
from tideline.store.bento import BentoStore
from tideline.store.copies import Copies
from tideline.store.objects import ObjectStore

SEVENTH = ModelVersion("waves", 7)


@pytest.fixture
def own(tmp_path: Path) -> BentoStore:
    return BentoStore(tmp_path / "home")


def test_a_folder_is_adopted_under_its_number(own: BentoStore, folder: Folder) -> None:
    place = own.adopt(folder(run_id="a"), SEVENTH)

    assert place == own.pull(SEVENTH)
    assert own.list() == (SEVENTH,)
    assert own.load(SEVENTH).document.run_id == "a"
    assert own.publish(folder(run_id="b"), "waves", run_id="b").number == 8


def test_what_is_there_stays_when_its_number_is_adopted(own: BentoStore, folder: Folder) -> None:
    own.adopt(folder(run_id="a"), SEVENTH)
    own.adopt(folder(run_id="b"), SEVENTH)

    assert own.describe(SEVENTH).run_id == "a"


def test_a_discarded_version_may_be_adopted_again(own: BentoStore, folder: Folder) -> None:
    own.adopt(folder(run_id="a"), SEVENTH)
    own.discard(SEVENTH)
    own.discard(SEVENTH)

    with pytest.raises(ModelNotFound):
        own.pull(SEVENTH)
    own.adopt(folder(run_id="b"), SEVENTH)
    assert own.describe(SEVENTH).run_id == "b"


def test_refuses_to_adopt_a_folder_without_a_manifest(own: BentoStore, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()

    with pytest.raises(ModelRefused):
        own.adopt(tmp_path / "nothing", SEVENTH)
    assert own.list() == ()


def test_what_a_killed_process_was_pulling_is_cleared_away(
    own: BentoStore, shared_folder: str, folder: Folder
) -> None:
    left = own.home / ".tideline" / "pulling" / "left"
    left.mkdir(parents=True)
    shared = ObjectStore(shared_folder)
    version = shared.publish(folder(run_id="a"), "waves", run_id="a")

    Copies(shared, own).make(version)

    assert list(left.parent.iterdir()) == []
    assert own.list() == (version,)

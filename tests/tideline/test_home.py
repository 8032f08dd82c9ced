from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from platformdirs import user_data_path

from tideline.errors import SpecError
from tideline.home import default_home, require_home, store_folder


def test_the_environment_names_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIDELINE_HOME", str(tmp_path))

    assert default_home() == tmp_path
    assert store_folder() == tmp_path / "bentoml"


@pytest.mark.parametrize("value", [None, ""])
def test_without_it_the_users_data_folder_does(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("TIDELINE_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("TIDELINE_HOME", value)

    assert default_home() == user_data_path("tideline")


def test_the_store_is_at_an_absolute_path() -> None:
    assert store_folder(Path("here")) == Path.cwd() / "here" / "bentoml"
    assert store_folder(Path("~")) == Path.home() / "bentoml"


def test_a_home_that_can_be_made_is_not_made_before(tmp_path: Path) -> None:
    require_home(tmp_path / "new" / "runs")
    assert list(tmp_path.iterdir()) == []


def test_starts_at_the_same_time_do_not_take_the_home_from_each_other(tmp_path: Path) -> None:
    def start(folder: Path) -> None:
        barrier.wait()
        require_home(folder)
        folder.mkdir(parents=True, exist_ok=True)

    n_starts = 4
    barrier = threading.Barrier(n_starts)
    with ThreadPoolExecutor(n_starts) as starts:
        for fresh in range(100):
            home = tmp_path / str(fresh) / "runs"
            list(starts.map(start, [home] * n_starts))
            assert home.is_dir()


def test_a_link_that_leads_nowhere_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for folder in (tmp_path / "link", tmp_path / "link" / "runs"):
        with pytest.raises(SpecError, match="cannot be made: No such file"):
            require_home(folder)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that this process may not write to; root steps down for it."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(before)


def test_a_home_that_cannot_be_written_to_is_refused_with_a_mend(locked: Path) -> None:
    for folder in (locked, locked / "runs"):
        with pytest.raises(SpecError, match="Permission denied") as caught:
            require_home(folder)
        assert str(folder) in caught.value.message
        assert "TIDELINE_HOME" in caught.value.mend
        assert caught.value.field == "home"


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match="cannot be made: Not a directory"):
        require_home(tmp_path / "file" / "runs")

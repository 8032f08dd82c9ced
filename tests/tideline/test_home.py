from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import user_data_path

from tideline.home import default_home, store_folder


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

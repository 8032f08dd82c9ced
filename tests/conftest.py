"""Fixtures for every room."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return the folder of a real data set, or skip where the data is not on this machine."""
    named = os.environ.get("TIDELINE_SHARED")
    root = Path(named or REPOSITORY.parent / "shared") / "data"

    def folder(name: str) -> Path:
        if not (root / name).is_dir() and named:
            pytest.fail(f"TIDELINE_SHARED names a folder without the real series of {name}: {root}")
        if not (root / name).is_dir():
            pytest.skip(f"no series of {name} on this machine; TIDELINE_SHARED names their folder")
        return root / name

    return folder

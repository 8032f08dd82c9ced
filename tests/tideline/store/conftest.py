from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.tideline.fitted import fitted, write
from tideline.pipeline import Pipeline


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    """A small fitted pipeline for two classes."""
    return fitted().narrowed()


@pytest.fixture
def folder(tmp_path: Path, pipeline: Pipeline) -> Callable[..., Path]:
    """Write a new model folder at each call."""
    numbers = count()

    def written(name: str = "waves", run_id: str = "run") -> Path:
        return write(tmp_path / "written" / str(next(numbers)), pipeline, name, run_id)

    return written

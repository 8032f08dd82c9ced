"""Recipes: the steps that TPOT proposed, not fitted, kept so that another start can fit them."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED

import skops.io

from tideline.errors import ModelRefused
from tideline.store.trust import built
from training.candidate import Candidate, Step, proposed
from training.outcome import write_whole

RECIPE = ".skops"


class Recipes:
    """The steps of candidates by their keys, in the form of published pipelines: without pickle.

    Parameters
    ----------
    folder
        Gets a file a candidate, whichever parts of the cases it is evaluated on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, key: str, steps: tuple[Step, ...]) -> None:
        """Write the steps of a candidate, unless they are there."""
        path = self._path(key)
        if not path.exists():
            content = skops.io.dumps(list(steps), compression=ZIP_DEFLATED)
            write_whole(path, content)

    def find(self, key: str) -> Candidate | None:
        """Return a candidate; None where its file is not there, is damaged, or holds another."""
        try:
            steps = built(self._path(key).read_bytes())
            candidate = proposed(steps)  # type: ignore[arg-type]  # what is no steps has no key
            is_the_one = candidate.key == key
        except (OSError, ModelRefused, AttributeError, TypeError, ValueError):
            return None
        return candidate if is_the_one else None

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{RECIPE}"

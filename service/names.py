"""The names in paths."""

from __future__ import annotations

from tideline.errors import ModelNotFound, SpecError
from tideline.spec import pipeline_name


def model_name(name: str) -> str:
    """Return the name of a model that a path names.

    Raises
    ------
    ModelNotFound
        When no model can have it.
    """
    try:
        return pipeline_name(name)
    except SpecError as error:
        raise ModelNotFound(
            f"there is no model {name[:80]!r}.", mend="GET /models names them.", field="name"
        ) from error

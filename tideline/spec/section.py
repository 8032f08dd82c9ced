"""What the sections of a training spec have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints


class Section(BaseModel):
    """Keys and values that are checked as they were written: no key beside them, no conversion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _column_name(value: object) -> object:
    """Return a column's name as text: a whole number in YAML may be one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


ColumnName = Annotated[
    str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_column_name)
]

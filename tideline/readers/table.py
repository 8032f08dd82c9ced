"""A table: named columns of one length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tideline.errors import DataError
from tideline.panel import named
from tideline.readers.column import Column


@dataclass(frozen=True)
class Table:
    """What every tabular format comes to.

    Attributes
    ----------
    columns : mapping of name to Column
        In the order of the file.
    field
        The part of the input that the table is, for messages.
    """

    columns: Mapping[str, Column]
    field: str

    def column(self, role: str, name: str) -> Column:
        """Return the column that has a role.

        Raises
        ------
        DataError
            When there is none of that name; the names that were found are told.
        """
        if name not in self.columns:
            setting = role if role == "column_label" else f"extract_features.{role}"
            near = get_close_matches(name, self.columns, 1)
            guess = f"Did you mean {near[0]!r}? " if near else ""
            raise DataError(
                f"{role} {name!r} is not in {self.field}: {self.found}.",
                mend=f"{guess}Set {setting} to one of them, or send the column.",
                field=self.field,
            )
        return self.columns[name]

    @property
    def found(self) -> str:
        """The names of the columns, for a message."""
        return f"found {named(self.columns)}" if self.columns else "found no column"

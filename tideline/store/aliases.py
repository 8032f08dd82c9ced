"""Alias records: numbered files, each written once; the highest says where the alias stands.

Moving an alias is creating its next record, because a write that fails when the name is taken is
what a disk and every object store have in common. Of two movers one creates it, the other learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tideline.errors import ModelRefused, VersionConflict
from tideline.store.base import LATEST, ModelVersion
from tideline.store.disk import write_new


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)


class AliasRecords:
    """The aliases of one model, under a folder with one folder an alias."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def standing(self) -> dict[str, int]:
        """Return the version that each alias stands for."""
        if not self.folder.is_dir():
            return {}
        found = {path.name: self._newest(path)[1] for path in self.folder.iterdir()}
        return {alias: version for alias, version in found.items() if version}

    def move(self, alias: str, version: int, expected: int | None) -> None:
        """Let an alias stand for a version.

        Raises
        ------
        VersionConflict
            When it stands for another than `expected` (0: none), or was moved meanwhile.
        """
        folder = self.folder / alias
        record, now = self._newest(folder)
        require_expected(alias, now, expected)
        folder.mkdir(parents=True, exist_ok=True)
        content = _Record(version=version).model_dump_json().encode()
        if not write_new(folder / f"{record + 1:012d}.json", content):
            raise moved(alias, "was moved by somebody else at the same moment")

    def _newest(self, folder: Path) -> tuple[int, int]:
        """Return the number of the newest record and its version; zeros when there is none."""
        if not folder.is_dir():
            return 0, 0
        records = sorted(path for path in folder.iterdir() if path.stem.isdigit())
        if not records:
            return 0, 0
        try:
            record = _Record.model_validate_json(records[-1].read_bytes())
        except ValidationError as error:
            raise ModelRefused(
                f"the record of alias {folder.name!r} is damaged: {records[-1].name}.",
                mend="Remove the record; the one before it holds again.",
                field="alias",
            ) from error
        return int(records[-1].stem), record.version


def require_expected(alias: str, now: int, expected: int | None) -> None:
    """Refuse to move an alias that stands for another version than its mover believed.

    Parameters
    ----------
    now
        The number that it stands for; 0 for none.
    expected
        The number that the mover expected, 0 for none; None takes any.

    Raises
    ------
    VersionConflict
        When the two differ.
    """
    if expected is not None and now != expected:
        raise moved(
            alias, f"stands for {now or 'nothing'}, and {expected or 'nothing'} was expected"
        )


def require_free(version: ModelVersion, standing: Mapping[str, int]) -> None:
    """Refuse to delete a version that an alias other than `latest` stands for.

    Parameters
    ----------
    standing
        The number that each alias of the model stands for.

    Raises
    ------
    VersionConflict
        With the first such alias.
    """
    for alias, number in sorted(standing.items()):
        if alias != LATEST and number == version.number:
            raise VersionConflict(
                f"alias {alias!r} stands for {version}.",
                mend="Move the alias to another version first.",
                field="alias",
            )


def moved(alias: str, what: str) -> VersionConflict:
    """Return the error for an alias that is not where its mover believed it to be."""
    return VersionConflict(
        f"alias {alias!r} {what}.",
        mend="Look where it stands now, and decide again.",
        field="alias",
    )

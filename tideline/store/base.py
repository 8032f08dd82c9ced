"""What every model store does, whatever it is kept in."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tideline.errors import ModelNotFound, SpecError
from tideline.model import ModelDocument
from tideline.names import NAME_RULE, is_name
from tideline.pipeline import Pipeline
from tideline.wording import shown

LATEST = "latest"
_NUMBER = re.compile("[1-9][0-9]{0,17}")


@dataclass(frozen=True, order=True)
class ModelVersion:
    """One immutable publication.

    Attributes
    ----------
    name
        The model's name.
    number
        1, 2, 3, ... in the order of publication; a number is never given twice.
    """

    name: str
    number: int

    @property
    def version(self) -> str:
        """The number as text, as BentoML tags have it."""
        return str(self.number)

    def __str__(self) -> str:
        return f"{self.name}:{self.number}"


class Loaded(NamedTuple):
    """A published model, built."""

    pipeline: Pipeline
    document: ModelDocument


class ModelStore(ABC):
    """Published models, by name, version and alias.

    A model has versions 1, 2, 3, ...; each is a folder that `write_model` wrote and never changes
    again. An alias is a movable name for a version. `latest` is the newest version always, and
    moved by nobody.

    Ownership. The store owns what it holds: `publish` copies, so the caller keeps its folder and
    may delete it; `pull` lends a folder, which is to be read only, and stays until the
    version is deleted.

    Visibility. A version is there whole or not at all, for every reader, at every moment; a
    publisher that is killed leaves nothing that a reader sees. Whatever `publish` has returned,
    `resolve` finds from then on.

    Threads and processes. All methods may be called from any thread and any process at once.
    Publishers of one name get different numbers. Of two that move one alias at once, one learns
    that it lost.

    Errors. Besides those that a method names, each raises `StoreUnavailable` when what the
    store is kept in cannot be reached, and `SpecError` for a name that cannot be one: lower-case
    letters, digits, and `-`, `.` or `_` between them, at most 63.
    """

    @abstractmethod
    def publish(self, folder: Path, name: str, *, run_id: str) -> ModelVersion:
        """Make a folder the next version of a model.

        Parameters
        ----------
        folder
            As `write_model` wrote it. Its manifest is verified before anything is published.
        name
            The model's name, as model.json has it.
        run_id
            The run that trained it, as model.json has it. A run publishes once: when a version
            of this name has this run, that version is returned and nothing is published.

        Raises
        ------
        ModelRefused
            When the folder is not what its manifest says, or model.json names another model or
            run.
        """

    @abstractmethod
    def version_of_run(self, name: str, run_id: str) -> ModelVersion | None:
        """Return the version that a run has published; None when there is none.

        A version that was deleted, or is not yet complete, is none. Asked before a run is
        repeated, so it looks at the store itself, not at what was seen of it before.
        """

    @abstractmethod
    def resolve(self, name: str, version_or_alias: str | int = LATEST) -> ModelVersion:
        """Return the version that a number or an alias stands for.

        A number matches that version and no other: `1` is never `10`.

        Raises
        ------
        ModelNotFound
            When there is no such model, version or alias, with those that there are.
        """

    @abstractmethod
    def pull(self, version: ModelVersion) -> Path:
        """Return a folder on this machine that holds a version, to be read only.

        Raises
        ------
        ModelNotFound
            When there is no such version.
        """

    @abstractmethod
    def list(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """Return the versions of a model, or of all, by name and number.

        Empty when there is none; this is no error.
        """

    @abstractmethod
    def set_alias(
        self,
        name: str,
        alias: str,
        version: ModelVersion | int | str,
        *,
        expected: int | str | None = None,
    ) -> ModelVersion:
        """Let an alias stand for a version, and return the version.

        Parameters
        ----------
        alias
            Formed like a name, but neither a number nor `latest`.
        version
            A version of the model.
        expected
            The number that the caller believes the alias to stand for, or 0 for a new alias;
            None moves it from wherever it is.

        Raises
        ------
        ModelNotFound
            When there is no such version.
        VersionConflict
            When the alias stands for another than `expected`, or somebody moved it just now.
        """

    @abstractmethod
    def aliases(self, name: str) -> dict[str, ModelVersion]:
        """Return what each alias of a model stands for, `latest` among them.

        Empty when there is no such model.
        """

    @abstractmethod
    def delete(self, version: ModelVersion) -> None:
        """Delete a version for ever. Its number is not given again.

        A reader that has opened it may fail with `ModelNotFound` or `ModelRefused`.

        Raises
        ------
        ModelNotFound
            When there is no such version.
        VersionConflict
            When an alias other than `latest` stands for it.
        """

    def newest(self) -> dict[str, ModelVersion]:
        """Return the newest version of each model, by its name."""
        # By name and number, so that the newest of a name comes last and stays.
        return {version.name: version for version in self.list()}

    def describe(self, version: ModelVersion) -> ModelDocument:
        """Return model.json of a version.

        Raises
        ------
        ModelNotFound
            When there is no such version.
        ModelRefused
            When model.json is damaged.
        """
        from tideline.store.folder import read_document  # noqa: PLC0415 - it imports this module

        return read_document(self.pull(version))

    def read(self, version: ModelVersion, name: str) -> bytes:
        """Return a file that was kept beside the pipeline of a version, such as `report.html`.

        Parameters
        ----------
        name
            One of `tideline.store.folder.EXTRAS`.

        Raises
        ------
        ModelNotFound
            When there is no such version.
        ModelFileNotFound
            When the version was published without this file.
        ModelRefused
            When the file is damaged.
        """
        from tideline.store.folder import read_extra  # noqa: PLC0415 - it imports this module

        return read_extra(self.pull(version), name)

    def load(self, version: ModelVersion) -> Loaded:
        """Build a version's pipeline.

        Raises
        ------
        ModelNotFound
            When there is no such version.
        ModelRefused
            When it is damaged, or holds types that this server does not allow.
        """
        from tideline.store.folder import load_model  # noqa: PLC0415 - it imports this module

        return load_model(self.pull(version))


def require_name(name: str, field: str = "pipeline_id") -> str:
    """Return a name that can be a model's or an alias's, or refuse it.

    Raises
    ------
    SpecError
        When it is too long, or holds other characters than those allowed.
    """
    if is_name(name):
        return name
    raise SpecError(
        f"{shown(name)} cannot be a name in the store: {NAME_RULE}.",
        mend="Choose another name.",
        field=field,
    )


def version_number(text: str | int) -> int | None:
    """Return the number that a version's text holds, or None for an alias."""
    return int(text) if _NUMBER.fullmatch(str(text)) else None


def not_found(name: str, wanted: str, found: str) -> ModelNotFound:
    """Return the error for a version or an alias that is not there."""
    return ModelNotFound(
        f"the store has no {wanted} of model {name!r}; found {found}.",
        mend="Train it, or ask for one of those that there are.",
        field="pipeline_id",
    )

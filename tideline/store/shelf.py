"""What a store holds of one model, as it was seen at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tideline.store.base import LATEST, ModelVersion, not_found, require_name, version_number


@dataclass(frozen=True)
class Shelf:
    """The versions and aliases of one model.

    Attributes
    ----------
    name
        The model's name.
    numbers
        Of the complete versions, ascending.
    standing
        The number that each alias stands for, `latest` among them.
    """

    name: str
    numbers: tuple[int, ...]
    standing: Mapping[str, int]

    @classmethod
    def of(cls, name: str, numbers: tuple[int, ...], standing: Mapping[str, int]) -> Shelf:
        """Return a shelf on which `latest` stands for the newest version."""
        newest = {LATEST: numbers[-1]} if numbers else {}
        return cls(name, numbers, {**standing, **newest})

    @property
    def versions(self) -> tuple[ModelVersion, ...]:
        """The versions, by number."""
        return tuple(ModelVersion(self.name, number) for number in self.numbers)

    @property
    def aliases(self) -> dict[str, ModelVersion]:
        """The version that each alias stands for."""
        return {a: ModelVersion(self.name, n) for a, n in sorted(self.standing.items())}

    def resolve(self, version_or_alias: str | int) -> ModelVersion:
        """Return the version that a number or an alias stands for.

        Raises
        ------
        ModelNotFound
            When there is no such version or alias, with the versions that there are.
        """
        number = version_number(version_or_alias)
        if number is None:
            alias = str(version_or_alias)
            if alias not in self.standing:
                raise not_found(self.name, f"alias {alias[:80]!r}", self._found())
            number = self.standing[alias]
        if number not in self.numbers:
            raise not_found(self.name, f"version {number}", self._found())
        return ModelVersion(self.name, number)

    def _found(self) -> str:
        return f"versions {', '.join(map(str, self.numbers[-10:])) or 'none'}"


def numbered(name: str, version: ModelVersion | int | str) -> ModelVersion:
    """Return the version of a model that is named by its number, and by nothing else.

    Raises
    ------
    ModelNotFound
        When it is named by an alias.
    ValueError
        When it is another model's.
    """
    require_name(name)
    if isinstance(version, ModelVersion):
        if version.name != name:
            raise ValueError(f"version: one of {name!r} expected, {version} found")
        return version
    number = version_number(version)
    if number is None:
        raise not_found(name, f"version {version!r}", "a name where a number is expected")
    return ModelVersion(name, number)

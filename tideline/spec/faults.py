"""From pydantic's account of what is wrong to one `SpecError`."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tideline.errors import SpecError
from tideline.spec.names import nearest, step
from tideline.wording import shown


def spec_error(error: ValidationError, model: type[BaseModel], prefix: str = "") -> SpecError:
    """Return the first fault as an error that names its field, and counts the others.

    Parameters
    ----------
    error
        What pydantic raised.
    model
        The model that was read, for the keys that it knows.
    prefix
        The dotted path of the model within the spec.
    """
    faults = error.errors(include_url=False)
    places = {_place(fault["loc"], model, prefix) for fault in faults}
    fault = faults[0]
    place = _place(fault["loc"], model, prefix)
    message, mend = _told(fault, place, model, prefix)
    others = sorted(places - {place})
    if others:
        message += f" Also at fault: {', '.join(others[:10])}."
    return SpecError(message, mend=mend, field=place)


def _place(loc: tuple[int | str, ...], model: type[BaseModel], prefix: str) -> str:
    """Return the dotted path, without what pydantic adds for the members of a union."""
    parts = [prefix] if prefix else []
    current: type[BaseModel] | None = model
    for part in loc:
        parts.append(step(part))
        known = current.model_fields.get(str(part)) if current else None
        current = section_of(known.annotation) if known else None
        if current is None:
            break
    return ".".join(parts)


def _told(fault: ErrorDetails, place: str, model: type[BaseModel], prefix: str) -> tuple[str, str]:
    if fault["type"] == "missing":
        return f"{place} is missing.", "Add it to the spec."
    if fault["type"] == "extra_forbidden":
        return f"{place} is not a key of the spec.", _mend_unknown(place, model, prefix)
    return (
        f"{place} is {shown(fault['input'])}; it should {_in_yaml(fault['msg'])}.",
        "Correct the value, or leave it out for the default.",
    )


def _in_yaml(message: str) -> str:
    """Return what pydantic says after `should`, in the words of who writes YAML."""
    expected = re.sub(r"^(Value error, |\w+ should )", "", message)
    if expected.startswith("be a valid dictionary"):
        return "be a mapping"
    words = {"be a valid string": "be text", "be a valid integer": "be a whole number"}
    words |= {"be a valid number": "be a number", "be a valid boolean": "be true or false"}
    return words.get(expected, expected)


def _mend_unknown(place: str, model: type[BaseModel], prefix: str) -> str:
    section, _, key = place.rpartition(".")
    paths = list(known_paths(model, prefix))
    elsewhere = [path for path in paths if path.rpartition(".")[2] == key]
    if elsewhere:
        return f"Did you mean {elsewhere[0]!r}?"
    here = [p.rpartition(".")[2] for p in paths if p.rpartition(".")[0] == section]
    if near := nearest(key, here):
        return f"Did you mean {near!r}?"
    if near := nearest(key, by_name := {p.rpartition(".")[2]: p for p in paths}):
        return f"Did you mean {by_name[near]!r}?"
    return f"Known here: {', '.join(here)}."


def known_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every field, sections before their fields."""
    for name, known in model.model_fields.items():
        path = f"{prefix}.{name}" if prefix else name
        yield path
        if section := section_of(known.annotation):
            yield from known_paths(section, path)


def section_of(annotation: object) -> type[BaseModel] | None:
    """Return the model that a field holds, if it holds one."""
    members = get_args(annotation) if isinstance(annotation, types.UnionType) else [annotation]
    found = [m for m in members if isinstance(m, type) and issubclass(m, BaseModel)]
    return found[0] if found else None

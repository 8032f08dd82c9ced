"""The page docs/settings.md, rendered from the settings' own fields so that the two agree.

`python -m service.documentation > docs/settings.md` writes it; a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from service import settings

_OPENING = """# The settings

The services read these environment variables once, when they start. A variable that is empty is not
set, and one that cannot be is refused before anything starts. The address is not among them:
`python -m service [laptop|trainer|predictor] --host ADDRESS --port PORT`, or `make serve PORT=...`.
`python -m training` reads `TIDELINE_HOME` and `TIDELINE_STORE` too: it publishes to the same store.

## The token

Without `TIDELINE_TOKEN`, anybody who reaches the port may call; by default only this machine does.
With it, every call but `/livez`, `/readyz` and `/healthz` carries it as a bearer token:

```sh
curl -H "Authorization: Bearer $TIDELINE_TOKEN" http://127.0.0.1:3000/jobs
```

From Python it is `Client(url, token=...)`. A browser asks for a user name and a password: any name
will do, and the token is the password. That way pages can be read and nothing is changed: training,
predicting, stopping a job and moving an alias take the bearer token alone.
"""

_MACHINE = {
    "home": "the user's data folder",
    "max_model_bytes": "a 64th of the memory that the service may use",
    "predictions_at_once": "the number of processors",
}
"""Defaults that each machine has its own of."""

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "whole number"),
    (float, "number"),
    (Path, "path"),
    (tuple, "names"),
)
_BOUNDS = (("ge", "from {}"), ("gt", "above {}"), ("le", "to {}"), ("lt", "below {}"))
_MEBIBYTE = settings.MEBIBYTE


def sections() -> tuple[type[BaseSettings], ...]:
    """Return the classes that hold settings of their own, as they stand in `service.settings`."""
    return tuple(
        model
        for model in vars(settings).values()
        if isinstance(model, type)
        and issubclass(model, BaseSettings)
        and model.__module__ == settings.__name__
        and own_fields(model)
    )


def own_fields(model: type[BaseSettings]) -> dict[str, FieldInfo]:
    """Return the fields that a class adds to those that it inherits, by environment variable."""
    prefix = model.model_config.get("env_prefix", "")
    return {
        f"{prefix}{name}".upper(): field
        for name, field in model.model_fields.items()
        if name in vars(model).get("__annotations__", {})
    }


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join((_OPENING, *map(_section, sections())))


def _section(model: type[BaseSettings]) -> str:
    title = (model.__doc__ or model.__name__).splitlines()[0].rstrip(".")
    rows = [
        f"| `{name}` | {_takes(field)} | {_default(name, field)} | {field.description} |"
        for name, field in own_fields(model).items()
    ]
    heading = ("| variable | takes | default | meaning |", "|---|---|---|---|")
    return "\n".join((f"## {title}", "", *heading, *rows, ""))


def _takes(field: FieldInfo) -> str:
    bounds = [
        words.format(f"{getattr(rule, name):g}")
        for name, words in _BOUNDS
        for rule in field.metadata
        if getattr(rule, name, None) is not None
    ]
    return " ".join((_kind(field.annotation), *bounds))


def _kind(annotation: object) -> str:
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in members)
    if NoneType in members:
        return ", ".join(_kind(member) for member in members if member is not NoneType)
    kind = origin or annotation
    told = (words for known, words in _KINDS if isinstance(kind, type) and issubclass(kind, known))
    return next(told, "text")


def _default(variable: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        name = variable.lower().removeprefix("tideline_")
        return _MACHINE.get(name, "depends on the machine")
    if field.default in (None, (), ""):
        return "not set"
    if isinstance(field.default, bool):
        return f"`{field.default}`".lower()
    if isinstance(field.default, float):
        return f"`{field.default:.15g}`"
    mebibytes, rest = divmod(field.default, _MEBIBYTE) if type(field.default) is int else (0, 1)
    return f"`{field.default}`" + (f" ({mebibytes} MiB)" if mebibytes and not rest else "")


if __name__ == "__main__":
    sys.stdout.write(page())

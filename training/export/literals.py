"""Python text of values: everything that comes from a spec or from data goes through here."""

from __future__ import annotations

import inspect
import math
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline as Steps

WIDTH = 100
"""Columns of a line, as in the sources that are quoted."""
INDENT = " " * 4


@dataclass(frozen=True)
class Group:
    """Some text in brackets, that is broken into lines where it is too long for one.

    Attributes
    ----------
    opening
        Up to and with the bracket, such as `PCA(`.
    items : tuple of (prefix, str or Group)
        The prefix is such as `n_components=`, or empty.
    closing
    """

    opening: str
    items: tuple[tuple[str, str | Group], ...]
    closing: str

    @property
    def flat(self) -> str:
        """The text in one line."""
        inner = ", ".join(prefix + flat(item) for prefix, item in self.items)
        alone = "," if self.opening == "(" and len(self.items) == 1 else ""
        return f"{self.opening}{inner}{alone}{self.closing}"


Node = str | Group


def flat(node: Node) -> str:
    """Return a node in one line."""
    return node if isinstance(node, str) else node.flat


def laid_out(prefix: str, node: Node, depth: int = 0, suffix: str = "") -> str:
    """Return a node in as many lines as it needs.

    Parameters
    ----------
    prefix
        What it stands behind in its first line, such as `CLASSES = `.
    depth
        How often the lines are indented; the first is not, by this function.
    suffix
        What follows it in its last line.
    """
    line = prefix + flat(node) + suffix
    fits = len(INDENT) * depth + len(line) <= WIDTH
    if isinstance(node, str) or not node.items or fits:
        return line
    inner = INDENT * (depth + 1)
    lines = [inner + laid_out(own, item, depth + 1, ",") for own, item in node.items]
    return "\n".join([prefix + node.opening, *lines, INDENT * depth + node.closing + suffix])


def quoted(text: str) -> str:
    """Return a text as a literal, in double quotes where that needs no more escapes."""
    written = repr(text)
    if written[0] == "'" and '"' not in written:
        return f'"{written[1:-1]}"'
    return written


class Writer:
    """Writes values as Python, and gathers the imports that they need.

    Parameters
    ----------
    own
        Names of classes that the script defines itself.
    """

    def __init__(self, own: Collection[str] = ()) -> None:
        self._own = frozenset(own)
        self._imports: dict[str, set[str]] = defaultdict(set)

    def add_import(self, module: str, name: str) -> None:
        """Import a name beside those that values need."""
        self._imports[module].add(name)

    def imports(self) -> Iterator[str]:
        """Yield the lines of the imports, by module."""
        for module, names in sorted(self._imports.items()):
            plain = sorted(name for name in names if " as " not in name)
            line = f"from {module} import {', '.join(plain)}"
            if len(line) > WIDTH:
                items = tuple(("", name) for name in plain)
                line = laid_out(f"from {module} import ", Group("(", items, ")"))
            if plain:
                yield line
            yield from (f"from {module} import {name}" for name in sorted(names - set(plain)))

    def node(self, value: object) -> Node:
        """Return the text of a value.

        Parameters
        ----------
        value
            What JSON knows, tuples, numpy's scalars, functions and classes of modules, and
            estimators, which are written as the call that makes them.

        Raises
        ------
        ValueError
            When it is nothing of the kind.
        """
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, list | tuple):
            brackets = "[]" if isinstance(value, list) else "()"
            items = tuple(("", self.node(item)) for item in value)
            return Group(brackets[0], items, brackets[1])
        if isinstance(value, Mapping):
            pairs = ((flat(self.node(k)) + ": ", self.node(v)) for k, v in value.items())
            return Group("{", tuple(pairs), "}")
        if isinstance(value, Steps):
            return self._steps(value)
        if isinstance(value, BaseEstimator) and not isinstance(value, type):
            return self._call(value)
        if isinstance(value, type) or inspect.isfunction(value):
            return self._name(value)
        return _scalar(value)

    def _steps(self, steps: Steps) -> Group:
        self.add_import("sklearn.pipeline", "Pipeline as Steps")
        return Group("Steps(", (("", self.node(list(steps.steps))),), ")")

    def _call(self, estimator: BaseEstimator) -> Group:
        arguments = tuple((f"{key}=", self.node(value)) for key, value in settings(estimator))
        return Group(f"{self._name(type(estimator))}(", arguments, ")")

    def _name(self, thing: Any) -> str:  # noqa: ANN401 - a class or a function
        name = str(thing.__qualname__)
        if not name.isidentifier():
            raise ValueError(f"{thing!r} cannot be imported by its name")
        if name not in self._own:
            self.add_import(_module_of(thing), name)
        return name


def settings(estimator: BaseEstimator) -> Iterator[tuple[str, object]]:
    """Yield the parameters of an estimator that are not what its class has by default."""
    signature = inspect.signature(type(estimator)).parameters
    usual = {key: repr(parameter.default) for key, parameter in signature.items()}
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.values()):
        # XGBoost's constructors name few of their parameters.
        defaults = type(estimator)().get_params(deep=False)
        usual = {key: repr(default) for key, default in defaults.items()} | usual
    for key, value in sorted(estimator.get_params(deep=False).items()):
        if repr(value) != usual.get(key):
            yield key, value


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return quoted(str(value))
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{float(value)!r}")'
    if value is None or type(value) in (bool, int, float):
        return repr(value)
    raise ValueError(f"a {type(value).__name__} cannot be written as Python")


def _module_of(thing: Any) -> str:  # noqa: ANN401 - a class or a function
    """Return the module that is nearest to the top of those that have a thing under its name."""
    parts = str(thing.__module__).split(".")
    for depth in range(1, len(parts) + 1):
        module = ".".join(parts[:depth])
        if getattr(sys.modules.get(module), thing.__qualname__, None) is thing:
            return module
    raise ValueError(f"{thing!r} cannot be imported by its name")

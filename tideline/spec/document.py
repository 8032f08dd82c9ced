"""From the bytes of a parameter file to a mapping of JSON's kinds, bounded on the way.

YAML can say more than a spec needs, and some of it is an attack: aliases that multiply, tags that
build Python objects, nesting without end. Each is refused before it costs anything.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from tideline.errors import SpecError
from tideline.spec.names import step
from tideline.wording import shown

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_VALUES = 100_000
"""The most values that a spec may hold, each alias counted as often as it is used."""

_PARSER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(
    _PREFIX + kind for kind in ("null", "bool", "int", "float", "str", "seq", "map", "merge")
)


def read_document(source: bytes | str) -> dict[str, JSON]:
    """Return the mapping that a YAML (or JSON) text holds.

    Raises
    ------
    SpecError
        When the text is not UTF-8, not YAML, not one mapping, has a key twice or a tag, or is
        larger, deeper or more repetitive than a spec has reason to be.
    """
    text = _decoded(source)
    loaded = _loaded_json(text) if text.lstrip().startswith("{") else None
    if loaded is None:
        loaded = _loaded_yaml(text)
    if not isinstance(loaded, dict):
        found = "nothing" if loaded is None else shown(loaded)
        raise _refused(f"the spec holds {found}; a mapping of keys to values is expected.")
    return plain_mapping(loaded)


def _loaded_json(text: str) -> object:
    """Return what a JSON text holds, or None for what is not JSON and may yet be YAML.

    JSON is YAML but for one thing: it writes a character beyond U+FFFF as two escapes, which the
    YAML parser refuses.
    """
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except json.JSONDecodeError:
        return None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # Python's own, for an integer of five thousand digits
        raise _refused(f"the spec holds a value that cannot be read: {error}.") from error


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    for key, count in Counter(key for key, _ in pairs).items():
        if count > 1:
            raise _refused(f"the key {shown(key)} is there {count} times in one mapping.")
    return dict(pairs)


def _loaded_yaml(text: str) -> object:
    try:
        _require_bounded(text)
        return _loaded(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _refused(f"the spec is not plain YAML{where}: {str(error.problem)[:200]}.") from error
    except yaml.reader.ReaderError as error:
        raise _refused(
            f"the spec holds a character that YAML does not allow, at position {error.position}."
        ) from error


def plain_mapping(mapping: Mapping[Any, object]) -> dict[str, JSON]:
    """Return a copy of a mapping with values of JSON's kinds only, and keys as text.

    Raises
    ------
    SpecError
        When a value is of another kind, not finite, or nested too deep, or there are too many.
    """
    return _Copy().mapping(mapping, "", 0)


def _decoded(source: bytes | str) -> str:
    if len(source) > MAX_BYTES:
        raise _refused(f"the spec is {len(source)} long; at most {MAX_BYTES} bytes are read.")
    try:
        # Text is encoded too, because the parser does so, and not all text can be.
        encoded = source.encode() if isinstance(source, str) else source
        return encoded.decode("utf-8-sig")
    except UnicodeEncodeError as error:
        raise _refused(
            f"the spec holds half of a surrogate pair, at position {error.start}."
        ) from error
    except UnicodeDecodeError as error:
        raise SpecError(
            f"the spec is not UTF-8: byte {error.start} is 0x{source[error.start]:02x}.",
            mend="Save the file as UTF-8; an editor that wrote it as Latin-1 can convert it.",
        ) from error


def _require_bounded(text: str) -> None:
    """Refuse a text by its events, which are read one by one, before any object is built."""
    depth = 0
    sizes: dict[str, int] = {}
    # For each open collection: its anchor, and the values counted before it began.
    opened: list[tuple[str | None, int]] = []
    count = 0
    for event in yaml.parse(text, Loader=_PARSER):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise _refused(f"the spec uses &{step(event.anchor)} inside or before itself.")
            count += sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, count))
            count += 1
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            depth -= 1
            if anchor:
                sizes[anchor] = count - before
        _require_within(depth, count)


def _require_within(depth: int, count: int) -> None:
    if depth > MAX_DEPTH:
        raise _too_deep()
    if count > MAX_VALUES:
        raise _refused(f"the spec holds more than {MAX_VALUES} values, aliases expanded.")


class _PlainLoader(_PARSER):  # type: ignore[misc]  # the C parser's class, where there is one
    """YAML's scalars as JSON knows them."""


# A date is text here: nothing in a spec is one, and a column or a path may look like one.
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN_TAGS]
    for first, resolvers in _PARSER.yaml_implicit_resolvers.items()
}


def _loaded(text: str) -> object:
    loader = _PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _require_plain(node)
        try:
            return loader.construct_document(node)
        except (ValueError, IndexError, KeyError) as error:
            # PyYAML lets Python's own errors through, as for an integer of five thousand digits.
            raise _refused(f"the spec holds a value that cannot be read: {error}.") from error
    finally:
        loader.dispose()


def _require_plain(root: yaml.Node) -> None:
    """Refuse tags of other kinds than JSON's, and a key that is twice in one mapping."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.tag not in _PLAIN_TAGS:
            raise _marked(f"the tag {shown(node.tag)} is not read", node)
        if isinstance(node, yaml.MappingNode):
            keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            for key, count in Counter(key.value for key in keys).items():
                if count > 1:
                    raise _marked(f"the key {shown(key)} is there {count} times", node)
            waiting += [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _marked(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


class _Copy:
    """A copy in the making, which counts what it has copied."""

    def __init__(self) -> None:
        self.count = 0

    def mapping(self, mapping: Mapping[Any, object], path: str, depth: int) -> dict[str, JSON]:
        _require_within(depth + 1, self.count)
        copied: dict[str, JSON] = {}
        for key, value in mapping.items():
            name = self._key(key, path)
            place = f"{path}.{step(name)}" if path else step(name)
            if name in copied:
                raise _refused(f"the key {shown(name)} is there twice.", place)
            copied[name] = self.value(value, place, depth + 1)
        return copied

    def value(self, value: object, path: str, depth: int) -> JSON:
        self.count += 1
        _require_within(depth, self.count)
        if isinstance(value, Mapping):
            return self.mapping(value, path, depth)
        if isinstance(value, list | tuple):
            _require_within(depth + 1, self.count)
            return [self.value(v, f"{path}.{i}", depth + 1) for i, v in enumerate(value)]
        if isinstance(value, str):
            return self._text(value, path)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and abs(value) < 1 << 63:
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        found = type(value).__name__ if isinstance(value, int) else shown(value)
        raise _refused(
            f"{found} was found; text, true, false, null or a finite number of at most 64 bits "
            "is expected.",
            path,
        )

    def _key(self, key: object, path: str) -> str:
        if isinstance(key, str):
            return self._text(key, path)
        if isinstance(key, int) and not isinstance(key, bool) and abs(key) < 1 << 63:
            return str(key)
        raise _refused(
            f"a key of kind {type(key).__name__} was found; text is expected. "
            "YAML reads on, off, yes, no and null as values.",
            path,
        )

    def _text(self, text: str, path: str) -> str:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _refused("a text holds half of a surrogate pair.", path) from error
        if "\0" in text:
            raise _refused("a text holds the character U+0000.", path)
        return text


def _too_deep() -> SpecError:
    return _refused(f"the spec is nested deeper than {MAX_DEPTH} levels.")


def _refused(message: str, field: str | None = None) -> SpecError:
    mend = (
        "Correct the value; quote what is meant as text."
        if field
        else "Write the spec as a plain YAML mapping, such as those in docs/training-spec.md."
    )
    return SpecError(message, mend=mend, field=field or None)

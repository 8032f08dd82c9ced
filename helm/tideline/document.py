"""Writes the table of values into README.md, from the comments in values.yaml.

Run it after a change of values.yaml: `python helm/tideline/document.py`. A test says when it was
forgotten. A value is documented by the comment above it; a mapping whose own keys have comments is
a section, and everything else is a value.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).resolve().parent
BEGIN, END = "<!-- values -->", "<!-- end of values -->"


def rows(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, default as JSON, and comment of each value, in the order of the file.

    Raises
    ------
    ValueError
        When a value has no comment.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    values = yaml.safe_load(text)
    if not isinstance(root, yaml.MappingNode):
        raise TypeError("values.yaml holds no mapping.")
    yield from _rows(root, values, text.splitlines(), "")


def table(text: str) -> str:
    """Return the table of values as Markdown."""
    lines = ["| value | default | what it says |", "|---|---|---|"]
    for path, default, comment in rows(text):
        cells = (f"`{path}`", f"`{default}`" if default else "", comment)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def documented(readme: str, text: str) -> str:
    """Return the README with the table in its place."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(text)}\n{END}{after}"


def _rows(
    node: yaml.MappingNode, values: dict[str, object], lines: list[str], above: str
) -> Iterator[tuple[str, str, str]]:
    for key, child in node.value:
        path, value = f"{above}{key.value}", values[key.value]
        comment = _comment(lines, key.start_mark.line)
        if not comment:
            raise ValueError(f"values.yaml, line {key.start_mark.line + 1}: {path} has no comment.")
        if _is_section(child, lines):
            yield path, "", f"**{comment}**"
            yield from _rows(child, value, lines, f"{path}.")  # type: ignore[arg-type]  # a mapping node's value
        else:
            yield path, json.dumps(value, ensure_ascii=False), comment


def _is_section(node: yaml.Node, lines: list[str]) -> bool:
    return (
        isinstance(node, yaml.MappingNode)
        and not node.flow_style
        and any(_comment(lines, key.start_mark.line) for key, _ in node.value)
    )


def _comment(lines: list[str], line: int) -> str:
    """Return the comment that ends on the line above, as one sentence after the other."""
    found: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("# "):
        line -= 1
        found.insert(0, lines[line].strip().removeprefix("# "))
    return " ".join(found)


def main() -> int:
    """Write README.md."""
    readme = CHART / "README.md"
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    readme.write_text(documented(readme.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

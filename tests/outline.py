"""The tags and texts of a page of HTML, as a browser makes them."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "rect", "line", "path"}


class Outline(HTMLParser):
    """The tags of a page, which must close in the order in which they open, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str, css_class: str | None = None) -> list[dict[str, str | None]]:
        """Return the attributes of each such tag; of those of a class, where one is given."""
        return [
            attrs
            for name, attrs in self.tags
            if name == tag and (css_class is None or attrs.get("class") == css_class)
        ]

"""The page's text: `draw(HomePage) -> HTML`.

The page needs no script and nothing from outside. Its bars are SVG, whose lengths are attributes
and not styles, so that the content security policy can allow one style sheet, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

import jinja2

from service.pages.view import HomePage

REFRESH_SECONDS = 3
BAR_WIDTH = 200

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("service.pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# The page includes the sheet as it is, so that its hash is known before any page is drawn.
_STYLE = _TEMPLATES.get_template("home.css").render()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The header that the page is sent with."""


def draw(page: HomePage) -> str:
    """Return the page as an HTML document; every text of the data is escaped."""
    template = _TEMPLATES.get_template("home.html")
    return template.render(page=page, refresh_seconds=REFRESH_SECONDS, bar_width=BAR_WIDTH)


def length(value: float) -> str:
    """Return where a score or a share stands on a bar: 0 at its start, 1 at its end."""
    return f"{min(max(value, 0.0), 1.0) * BAR_WIDTH:.1f}"


def score(value: float) -> str:
    """Return a score with three decimals, and a minus sign that lines up."""
    return f"{value:.3f}".replace("-", "−")  # noqa: RUF001 - the typographic minus is meant


def span(seconds: float) -> str:
    """Return a length of time in its two largest units: `41 s`, `2 min 05 s`, `3 h 20 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def age(then: datetime, now: datetime) -> str:
    """Return how long ago something was, in its largest unit, or its date after a month."""
    seconds = (now - then).total_seconds()
    for unit, size, limit in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400)):
        if seconds < limit:
            return f"{max(0, int(seconds // size))} {unit} ago"
    days = int(seconds // 86400)
    if days > 30:
        return then.date().isoformat()
    return "1 day ago" if days == 1 else f"{days} days ago"


_TEMPLATES.filters.update(length=length, score=score, span=span, age=age)

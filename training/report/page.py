"""The page `report.html`: one file, without scripts and with nothing from outside."""

from __future__ import annotations

import jinja2

from training.findings import Findings
from training.report.view import Page

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("training.report"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def report(findings: Findings) -> str:
    """Return the report on a run as an HTML document; every text of the data is escaped.

    It stays under 2 MB, however many cases, classes, channels, steps or pipelines there were:
    what is too much to be read is cut, and the page says so.

    Parameters
    ----------
    findings
        What the run has found.
    """
    return _TEMPLATES.get_template("report.html").render(page=Page.of(findings))

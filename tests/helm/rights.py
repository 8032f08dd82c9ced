"""What the trainer asks of a cluster, read from the one module that asks."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "service" / "jobs" / "cluster.py"
CALL = re.compile(r"self\._(batch|core)\.([a-z]+)_namespaced_(\w+)")
VERBS = {"read": "get"}
"""What the client calls otherwise than the API."""


def asked_for() -> dict[tuple[str, str], set[str]]:
    """Return the verbs that are made use of, by API group and resource."""
    asked: dict[tuple[str, str], set[str]] = {}
    for api, verb, kind in CALL.findall(SOURCE.read_text(encoding="utf-8")):
        resource = "pods/log" if kind == "pod_log" else f"{kind.replace('_', '')}s"
        group = "batch" if api == "batch" else ""
        asked.setdefault((group, resource), set()).add(VERBS.get(verb, verb))
    return asked

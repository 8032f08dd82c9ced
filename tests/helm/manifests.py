"""What the tests ask of rendered objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

Manifest = dict[str, Any]


def named(objects: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """Return the one object of a kind and a name."""
    found = [o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1, f"{len(found)} objects are {kind} {name}"
    return found[0]


def of_kind(objects: Iterable[Manifest], kind: str) -> list[Manifest]:
    """Return the objects of a kind."""
    return [o for o in objects if o["kind"] == kind]


def with_job(objects: Iterable[Manifest]) -> Iterator[Manifest]:
    """Yield each object, and the Job that a ConfigMap holds for the trainer to fill in."""
    for found in objects:
        yield found
        if found["kind"] == "ConfigMap" and "job.yaml" in found.get("data", {}):
            yield yaml.safe_load(found["data"]["job.yaml"])


def pods(objects: Iterable[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield the name and the spec of each pod that the objects make, the Jobs' too."""
    for found in with_job(objects):
        name = f"{found['kind']}/{found['metadata']['name']}"
        if found["kind"] == "Pod":
            yield name, found["spec"]
        elif "template" in found.get("spec", {}):
            yield name, found["spec"]["template"]["spec"]


def environment(container: Manifest) -> dict[str, Any]:
    """Return a container's variables by name, each as its value or where that comes from."""
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}


_ONLY_HELM = ("helm.sh/chart", "app.kubernetes.io/managed-by")
_HASHED = re.compile(r"^(tideline-job)-[0-9a-z]{10}$")


def normal_form(objects: Iterable[Manifest]) -> dict[str, Any]:
    """Return objects by kind, namespace and name, without what differs and means nothing.

    That is: who made them, the order of variables, the hash that kustomize puts into the
    ConfigMap's name and Helm into an annotation, and the namespace itself, which Helm makes not.
    """
    objects = [o for o in objects if o["kind"] != "Namespace"]
    forms = [_plain(found) for found in objects]
    return {f"{o['kind']} {o['metadata']['namespace']}/{o['metadata']['name']}": o for o in forms}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        plain = {k: _plain(v) for k, v in value.items() if k not in _DROPPED}
        if isinstance(plain.get("env"), list):
            plain["env"] = sorted(plain["env"], key=lambda one: one["name"])
        if "job.yaml" in plain:
            plain["job.yaml"] = _plain(yaml.safe_load(plain["job.yaml"]))
        return {k: v for k, v in plain.items() if not (k == "annotations" and v == {})}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return _HASHED.sub(r"\1", value) if isinstance(value, str) else value


_DROPPED = frozenset({*_ONLY_HELM, "checksum/jobs", "helm.sh/resource-policy"})

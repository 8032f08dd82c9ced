"""helm and kubectl, and what they make of the chart and of the plain manifests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.helm.manifests import Manifest

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "helm" / "tideline"
MANIFESTS = REPOSITORY / "k8s"
NAMESPACE = "tideline"

Render = Callable[..., list[Manifest]]


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Return the path of a program, or skip where it is not on this machine."""
    cluster = Path(os.environ.get("TIDELINE_CLUSTER", Path.home() / ".cache/tideline-cluster"))
    # The cluster's own first: what else is called kubectl may be years old.
    path = os.pathsep.join([str(cluster / "bin"), os.environ.get("PATH", "")])

    def find(name: str) -> str:
        found = shutil.which(name, path=path)
        if found is None:
            pytest.skip(f"no {name} on PATH, nor in {cluster / 'bin'}; TIDELINE_CLUSTER names it")
        return found

    return find


@pytest.fixture(scope="session")
def helm(program: Callable[[str], str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a way to run helm; what it says is in the answer, also when it fails."""
    return _runner(program("helm"))


@pytest.fixture(scope="session")
def template(helm: Callable[..., subprocess.CompletedProcess[str]]) -> Render:
    """Return a way to render the chart: `template("--set", "a=b", values="laptop")`."""

    @cache
    def render(*options: str, values: str | None = None) -> list[Manifest]:
        files = ("--values", str(CHART / "ci" / f"{values}-values.yaml")) if values else ()
        answer = helm(
            "template", "tideline", str(CHART), "--namespace", NAMESPACE, *files, *options
        )
        assert answer.returncode == 0, answer.stderr
        return _objects(answer.stdout)

    return render


@pytest.fixture(scope="session")
def kustomize(program: Callable[[str], str]) -> Render:
    """Return a way to render the plain manifests: `kustomize("overlays/laptop")`."""
    kubectl = _runner(program("kubectl"))

    @cache
    def render(folder: str) -> list[Manifest]:
        answer = kubectl("kustomize", str(MANIFESTS / folder))
        assert answer.returncode == 0, answer.stderr
        return _objects(answer.stdout)

    return render


def _runner(binary: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [binary, *arguments], capture_output=True, text=True, check=False, timeout=60
        )

    return run


def _objects(text: str) -> list[Manifest]:
    return [found for found in yaml.safe_load_all(text) if found]

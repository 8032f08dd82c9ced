"""The cluster, the image, and the one installation that most tests share."""

from __future__ import annotations

import hashlib
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster import Namespace, program, run
from tests.e2e.installation import Installation, merged
from tests.e2e.series import Halves, human_activity
from tests.e2e.story import tell

REPOSITORY = Path(__file__).resolve().parents[2]
INGRESS = os.environ.get("TIDELINE_E2E_INGRESS", "http://127.0.0.1:8090")
# A namespace that an earlier run has left, with TIDELINE_E2E_KEEP=1: to look into one test again.
KEPT = os.environ.get("TIDELINE_E2E_NAMESPACE", "")

ORDER = (
    "test_manifests",
    "test_first_request",
    "test_networks",
    "test_rights",
    "test_training_job",
    "test_second_version",
    "test_kills",
    "test_upgrade",
    "test_autoscaling",
    "test_uninstall",
    "test_failures_in_words",
    "test_object_store",
    "test_readme",
)
"""The cheap first; one installation serves all until it is uninstalled."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if Path(item.fspath).parent == Path(__file__).parent]
    for item in ours:
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(900))
    ranks = {name: rank for rank, name in enumerate(ORDER)}
    places = [place for place, item in enumerate(items) if item in ours]
    ours.sort(key=lambda item: ranks.get(Path(item.fspath).stem, len(ORDER)))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    tell("")
    tell(f"== {item.name.removeprefix('test_').replace('_', ' ')}")
    return (yield)


@pytest.fixture(scope="session")
def cluster() -> None:
    """Be sure that there is a cluster; all that needs one asks for this."""
    missing = [name for name in ("kubectl", "helm") if program(name) is None]
    if missing:
        pytest.exit(f"no {' and no '.join(missing)} on PATH", returncode=2)
    said = run("kubectl", "version", "-o", "json", check=False, seconds=30)
    if '"serverVersion"' not in said:
        why = said.strip().splitlines()[-1:]
        pytest.exit(f"no cluster answers where KUBECONFIG points: {why}", returncode=2)


@pytest.fixture(scope="session")
def image(cluster: None) -> str:
    """Return the image: TIDELINE_E2E_IMAGE, or the one that is built now."""
    if named := os.environ.get("TIDELINE_E2E_IMAGE"):
        return named
    tell("make image push: the image is built and put where the cluster's pods find it")
    # A tag of its own: nodes do not pull a tag again that they know.
    tag = f"tideline:e2e-{uuid.uuid4().hex[:6]}"
    subprocess.run(
        ["make", "--no-print-directory", "image", "push", f"IMAGE={tag}"],
        cwd=REPOSITORY,
        check=True,
        timeout=1500,
    )
    return f"{os.environ.get('REGISTRY', 'localhost:5000')}/{tag}"


@pytest.fixture(scope="session")
def other_image(image: str) -> str:
    """Return the image under another tag: TIDELINE_E2E_NEXT_IMAGE, or one made in its registry."""
    if named := os.environ.get("TIDELINE_E2E_NEXT_IMAGE"):
        return named
    manifest = _manifest(image)
    kind = {"Content-Type": manifest.headers["Content-Type"]}
    with httpx.Client(trust_env=False, timeout=30) as client:
        again = client.put(f"{manifest.url}-next", content=manifest.content, headers=kind)
    again.raise_for_status()
    return f"{image}-next"


def digest_of(image: str) -> str:
    """Return the digest by which a registry knows an image: `sha256:...`."""
    return f"sha256:{hashlib.sha256(_manifest(image).content).hexdigest()}"


def _manifest(image: str) -> httpx.Response:
    where, _, tag = image.rpartition(":")
    registry, _, name = where.partition("/")
    kinds = "application/vnd.oci.image.manifest.v1+json"
    kinds += ", application/vnd.docker.distribution.manifest.v2+json"
    with httpx.Client(trust_env=False, timeout=30) as client:
        address = f"http://{registry}/v2/{name}/manifests/{tag}"
        return client.get(address, headers={"Accept": kinds}).raise_for_status()


@contextmanager
def new_namespace(purpose: str) -> Iterator[Namespace]:
    """Make a namespace, which is deleted at the end."""
    made = Namespace(f"tideline-{purpose}-{uuid.uuid4().hex[:6]}")
    made.make()
    try:
        yield made
    finally:
        if os.environ.get("TIDELINE_E2E_KEEP"):
            tell(f"{made.name} is kept, as TIDELINE_E2E_KEEP asks")
        else:
            made.delete()


@pytest.fixture(scope="session")
def namespace(cluster: None) -> Iterator[Namespace]:
    """Return the namespace of the installation that most tests share."""
    if KEPT:
        yield Namespace(KEPT)
        return
    with new_namespace("e2e") as made:
        yield made


@pytest.fixture(scope="session")
def installation(namespace: Namespace, image: str) -> Installation:
    """Return a fresh installation with three predictors."""
    installed = Installation(namespace, image, INGRESS)
    values = {"predictor": {"replicas": 3}}
    if KEPT:
        installed.values = merged(installed.values, values)
    else:
        installed.install(**values)
    return installed


@pytest.fixture(scope="session")
def activity(shared_data: Callable[[str], Path]) -> Halves:
    """Return HAR_automl_service, cut in two."""
    return human_activity(shared_data("HAR_automl_service"))

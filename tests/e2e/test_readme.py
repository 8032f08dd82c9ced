"""The README's section on Kubernetes, typed as it is written, in a namespace of another name."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster import PROGRAMS, Namespace
from tests.e2e.conftest import INGRESS, REPOSITORY, digest_of, new_namespace
from tests.e2e.story import tell, until

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("\n## On Kubernetes\n")[2].partition("\n## ")[0]
INSTALL, FIRST_REQUEST, JOB = re.findall(r"^```sh\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
[TAG] = re.findall(r"^make image push .*IMAGE=tideline:(\S+)$", INSTALL, re.MULTILINE)


WRITTEN = "localhost:5000"
"""The registry that the README and k8s/training-job.yaml name."""
BUILDER = os.environ.get("BUILDER", "buildah")


@pytest.fixture
def registry() -> str:
    """Return the registry; or skip where the section cannot be typed."""
    missing = [name for name in ("curl", "make", BUILDER) if shutil.which(name) is None]
    if missing:
        pytest.skip(f"the README's section needs {' and '.join(missing)}")
    return os.environ.get("REGISTRY", WRITTEN)


def test_the_readme_can_be_typed(cluster: None, registry: str, tmp_path: Path) -> None:
    example = [sys.executable, "-m", "demo", "--files", str(tmp_path / "example")]
    subprocess.run(example, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    with new_namespace("readme") as namespace:
        replaced = {
            # The namespace is there, and nodes may know an older image by the same tag.
            "--create-namespace": "--set image.pullPolicy=Always",
            "--namespace tideline": f"--namespace {namespace.name}",
            "-n tideline": f"-n {namespace.name}",
            "http://127.0.0.1:8090": INGRESS,
            f"REGISTRY={WRITTEN}": f"REGISTRY={registry}",
            "=@example/": f"=@{tmp_path}/example/",
        }
        if registry != WRITTEN:
            replaced["k8s/training-job.yaml"] = _manifest_of(registry, tmp_path)

        def typed(block: str) -> str:
            for written, here in replaced.items():
                block = block.replace(written, here)
            return _shell(block)

        typed(INSTALL)
        # Whoever types takes longer than the ingress takes to learn of pods that are ready.
        until("the ingress knows the trainer", 60, _is_known)
        answers = typed(FIRST_REQUEST)
        trained, end = json.JSONDecoder().raw_decode(answers)
        predictions = json.loads(answers[end:])
        assert trained["state"] == "succeeded"
        assert set(predictions) == {f"case-{n}" for n in range(1, 6)}
        assert "condition met" in typed(JOB)
        _require_image_that_was_pushed(namespace, f"{registry}/tideline:{TAG}")


def _manifest_of(registry: str, folder: Path) -> str:
    """Change the one line of the file that everybody is told to change; return its path."""
    text = (REPOSITORY / "k8s" / "training-job.yaml").read_text(encoding="utf-8")
    changed = folder / "training-job.yaml"
    changed.write_text(text.replace(WRITTEN, registry), encoding="utf-8")
    return str(changed)


def _require_image_that_was_pushed(namespace: Namespace, image: str) -> None:
    """Be sure that every pod, the Jobs' too, ran what has just been built, and nothing older."""
    digest = digest_of(image)
    ran = {
        pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["imageID"].rpartition("@")[2]
        for pod in namespace.objects("pods")
    }
    tell(f"  {len(ran)} pods ran {digest[:19]}")
    assert len(ran) >= 4
    assert set(ran.values()) == {digest}, ran


def _is_known() -> bool:
    paths = ("/train_pipeline", "/serve_prediction")
    return all(httpx.get(INGRESS + path, trust_env=False).status_code < 404 for path in paths)


def _shell(script: str) -> str:
    for line in script.splitlines():
        tell(f"  $ {line}")
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
        env={**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "NO_PROXY": "*"},
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout

"""The README's section on Kubernetes, typed as it is written, in a namespace of another name."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cluster import PROGRAMS
from tests.e2e.conftest import INGRESS, REPOSITORY, new_namespace
from tests.e2e.story import tell

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("\n## On Kubernetes\n")[2].partition("\n## ")[0]
INSTALL, FIRST_REQUEST, JOB = re.findall(r"^```sh\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_readme_can_be_typed(image: str, tmp_path: Path) -> None:
    repository, _, tag = image.rpartition(":")
    for folder in ("helm", "k8s"):
        (tmp_path / folder).symlink_to(REPOSITORY / folder)
    example = [sys.executable, "-m", "demo", "--files", str(tmp_path / "example")]
    subprocess.run(example, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)

    with new_namespace("readme") as namespace:

        def typed(block: str) -> str:
            # The image has another tag, the namespace another name, the ingress its own address.
            replaced = {
                "--create-namespace": f"--set image.tag={tag}",
                "--namespace tideline": f"--namespace {namespace.name}",
                "-n tideline": f"-n {namespace.name}",
                "http://127.0.0.1:8090": INGRESS,
                "REGISTRY=localhost:5000": f"REGISTRY={repository.rpartition('/')[0]}",
            }
            for written, here in replaced.items():
                block = block.replace(written, here)
            script = re.sub(r"^make image push .*\n", "", block, flags=re.MULTILINE)
            return _shell(script, tmp_path)

        typed(INSTALL)
        answers = typed(FIRST_REQUEST)
        trained, end = json.JSONDecoder().raw_decode(answers)
        predictions = json.loads(answers[end:])
        assert trained["state"] == "succeeded"
        assert set(predictions) == {f"case-{n}" for n in range(1, 6)}
        assert "condition met" in typed(JOB)


def _shell(script: str, folder: Path) -> str:
    for line in script.splitlines():
        tell(f"  $ {line}")
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "NO_PROXY": "*"},
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout

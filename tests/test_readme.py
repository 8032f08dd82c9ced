"""The README's first requests, run as they are written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.services import Services

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
LAPTOP = README.partition("\n## On Kubernetes\n")[0]
"""What needs no cluster; the rest is typed by `make e2e`."""
CASES = {f"case-{n}" for n in range(1, 6)}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", LAPTOP, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands in for the repository, with nothing written in it yet."""
    root = tmp_path_factory.mktemp("clone")
    (root / "demo").symlink_to(REPOSITORY / "demo")
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (root / ".venv" / "bin" / "python").chmod(0o755)
    return root


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Services() as services:
        services.await_ready()
        yield services.url


def run(folder: Path, command: list[str]) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shell(folder: Path, url: str, containing: str) -> str:
    (command,) = [block for block in blocks("sh") if containing in block]
    return run(folder, ["sh", "-ec", command.replace("http://127.0.0.1:3000", url)])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_first_requests_answer_as_the_readme_says(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TIDELINE_HOME", str(folder / "home"))

    shell(folder, url, "--files example")
    job = json.loads(shell(folder, url, "/train_pipeline?wait=300"))
    assert job["state"] == "succeeded"
    assert {"modelType", "mean_cv_accuracy", "mean_cv_roc_auc"} <= set(job)
    assert (job["modelId"], job["trainShape"][0]) == ("gun-point", 50)
    assert job["scores"]["held_out"]["roc_auc"] > 0.5

    answers = json.loads(shell(folder, url, "/serve_prediction"))
    assert set(answers) == CASES
    assert all(0 <= score <= 1 for score in answers.values())

    (program,) = blocks("python")
    said = run(folder, [sys.executable, "-c", program.replace("http://127.0.0.1:3000", url)])
    assert json.loads(said.replace("'", '"')) == answers

    shell(folder, url, "-m training")
    assert (folder / "home" / "bentoml" / "models" / "gun-point" / "1" / "model.json").exists()


def test_every_file_that_the_pages_point_to_is_there() -> None:
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)

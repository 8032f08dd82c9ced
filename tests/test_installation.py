"""The pinned set of packages is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
NOT_IN_THE_IMAGE = {"hypothesis", "import-linter", "mypy", "pytest", "pyts", "ruff", "uv"}


def pins(file: str) -> set[str]:
    return set((REPOSITORY / file).read_text().splitlines())


def test_every_requirement_is_met_but_the_gpu_library_of_xgboost():
    found = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    unmet = [line for line in found.stdout.splitlines() if "requires" in line]
    assert [line for line in unmet if "nvidia-nccl" not in line] == []


def test_the_image_gets_the_same_versions_without_the_tools():
    everything, in_the_image = pins("constraints.txt"), pins("constraints-runtime.txt")
    assert in_the_image < everything
    assert not {pin.partition("==")[0] for pin in in_the_image} & NOT_IN_THE_IMAGE

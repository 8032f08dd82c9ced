from __future__ import annotations

import subprocess
import sys

import pytest

import tideline

HEAVY = ("pandas", "sklearn", "tsfresh", "bentoml", "tpot", "fastapi", "starlette", "kubernetes")


def modules_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after a statement."""
    program = f"import sys\n{statement}\nprint(*{{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_library_imports_nothing_heavy() -> None:
    assert modules_after("import tideline").isdisjoint(HEAVY)


def test_opening_a_store_takes_no_bentoml_tsfresh_or_tpot() -> None:
    loaded = modules_after("import tideline; tideline.open_store('x').list(); tideline.Pipeline")

    assert loaded.isdisjoint({"bentoml", "tsfresh", "tpot", "fastapi", "starlette"})


@pytest.mark.parametrize("name", tideline.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(tideline, name).__name__ == name
    assert name in dir(tideline)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Panels'"):
        tideline.Panels  # noqa: B018

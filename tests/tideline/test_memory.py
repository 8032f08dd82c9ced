from __future__ import annotations

from pathlib import Path

import pytest

from tideline.memory import largest_model, usable_memory

GIBIBYTE = 1 << 30


@pytest.mark.parametrize("text", ["max\n", "9223372036854771712\n", None])
def test_without_a_limit_the_machines_memory_is_usable(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "memory.max").write_text(text)

    assert usable_memory([tmp_path / "memory.max"]) == usable_memory([])
    assert usable_memory([]) > 1 << 26


def test_a_containers_limit_is_usable_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1048576\n")

    assert usable_memory([tmp_path / "none", tmp_path / "memory.max"]) == 1 << 20


def test_two_of_the_largest_models_leave_room_for_the_program() -> None:
    in_memory = 16 * largest_model(GIBIBYTE)

    assert largest_model(GIBIBYTE) == 1 << 24
    assert GIBIBYTE - 2 * in_memory == GIBIBYTE // 2

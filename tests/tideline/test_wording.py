from __future__ import annotations

import pytest

from tideline.wording import shown


@pytest.mark.parametrize("value", ["x" * 1000, 10**1000, b"x" * 1000])
def test_a_long_value_is_shown_in_part(value: object) -> None:
    assert len(shown(value)) == 100


def test_a_short_value_is_shown_as_python_writes_it() -> None:
    assert [shown(v) for v in ("a", 1.5, None, [1, 2])] == ["'a'", "1.5", "None", "[1, 2]"]

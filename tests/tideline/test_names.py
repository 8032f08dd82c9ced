from __future__ import annotations

from pathlib import Path

import pytest

from tideline.errors import SpecError
from tideline.spec import pipeline_name
from tideline.store import open_store


@pytest.mark.parametrize("name", ["", "A", "-a", "a.", "a b", "a/b", "a" * 64])
def test_spec_and_store_refuse_the_same_names_by_the_same_rule(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as by_spec:
        pipeline_name(name)
    with pytest.raises(SpecError) as by_store:
        open_store(tmp_path).list(name)
    assert "at most 63" in by_spec.value.message
    assert by_spec.value.message.partition(": ")[2] == by_store.value.message.partition(": ")[2]

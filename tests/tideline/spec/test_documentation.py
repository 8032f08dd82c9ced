"""The page on the training spec agrees with the spec."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tideline.spec import TrainingSpec
from tideline.spec.documentation import SECTIONS, page
from tideline.spec.estimators import choices
from tideline.spec.search_arguments import KNOWN
from tideline.spec.translation import RUN_TIME_ARGUMENTS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "training-spec.md"


def test_the_page_is_the_rendering():
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run python -m tideline.spec.documentation > docs/training-spec.md"
    )


def told_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its defaults"
    words = value if isinstance(value, str) else json.dumps(value).removesuffix(".0")
    return f"`{words}`"


@pytest.mark.parametrize(("title", "model"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_the_page_tells_every_field_with_its_default_and_its_meaning(title, model):
    section = page().split(f"## {title}\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", section, re.MULTILINE))
    assert list(rows) == list(model.model_fields)
    for name, field in model.model_fields.items():
        assert field.description
        assert field.description in section
        assert rows[name].strip() == told_default(field)


def test_the_page_lists_every_model_and_every_older_key():
    text = page()
    for choice in choices().values():
        assert f"`{choice.path}`" in text
    for name in (*KNOWN, *RUN_TIME_ARGUMENTS):
        assert name in text


def test_the_specs_on_the_page_are_read_without_a_notice():
    blocks = re.findall(r"```yaml\n(.*?)```", page(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert TrainingSpec.from_yaml(block).notices == ()

"""The page on the settings agrees with the settings."""

from __future__ import annotations

from pathlib import Path

from service.documentation import own_fields, page, sections
from service.settings import LaptopSettings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_page_is_the_rendering():
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run .venv/bin/python -m service.documentation > docs/settings.md"
    )


def test_the_page_tells_every_setting_and_its_meaning():
    told = page()
    for name, field in LaptopSettings.model_fields.items():
        assert told.count(f"| `TIDELINE_{name.upper()}` |") == 1
        assert field.description is not None
        assert field.description in told


def test_each_setting_stands_where_it_is_introduced():
    names = [name for model in sections() for name in own_fields(model)]
    assert len(names) == len(set(names))


def test_the_page_is_the_same_on_every_machine(monkeypatch, tmp_path):
    before = page()
    monkeypatch.setenv("TIDELINE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDELINE_TOKEN", "secret")
    monkeypatch.setattr("os.cpu_count", lambda: 77)
    assert page() == before

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.__main__ import command, environment
from service.settings import LaptopSettings, PredictorSettings, TrainerSettings


def test_settings_are_read_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TIDELINE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDELINE_JOBS_AT_ONCE", "7")
    monkeypatch.setenv("TIDELINE_TOKEN", "secret")
    settings = LaptopSettings()
    assert (settings.jobs_home, settings.store_home) == (tmp_path / "jobs", tmp_path / "bentoml")
    assert settings.jobs_at_once == 7
    assert settings.token.get_secret_value() == "secret"
    assert "secret" not in repr(settings)


def test_what_is_set_to_nothing_is_not_set(monkeypatch):
    monkeypatch.setenv("TIDELINE_TOKEN", "")
    monkeypatch.setenv("TIDELINE_HOME", "")
    assert PredictorSettings().token is None
    assert PredictorSettings().home.name == "tideline"


def test_the_limit_on_bodies_is_256_mebibytes():
    assert TrainerSettings().max_body_bytes == 268_435_456


@pytest.mark.parametrize("name", ["max_body_bytes", "jobs_at_once", "stop_seconds"])
def test_refuses_a_number_that_cannot_be(name):
    with pytest.raises(ValidationError, match=name):
        LaptopSettings(**{name: 0})


def test_every_setting_is_documented():
    assert all(field.description for field in LaptopSettings.model_fields.values())


def test_bentoml_is_told_where_its_home_is_and_to_tell_nobody(tmp_path):
    told = environment(LaptopSettings(home=tmp_path))
    assert told["BENTOML_HOME"] == str(tmp_path / "bentoml")
    assert told["TIDELINE_HOME"] == str(tmp_path)
    assert told["BENTOML_DO_NOT_TRACK"] == "True"


def test_the_laptop_serves_on_this_machine_alone():
    told = command("laptop", "127.0.0.1", 3000)
    assert "service.bento:Laptop" in told
    assert told[told.index("--host") + 1] == "127.0.0.1"
    assert Path(told[told.index("--working-dir") + 1], "service", "bento.py").exists()


def test_a_wrong_setting_is_told_before_anything_starts():
    answer = subprocess.run(
        [sys.executable, "-m", "service"],
        env={"TIDELINE_JOBS_AT_ONCE": "many"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 64
    assert "jobs_at_once" in answer.stderr

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.__main__ import _told, command, environment, exposure, main
from service.settings import LaptopSettings, PredictorSettings, TrainerSettings


def test_settings_are_read_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TIDELINE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDELINE_JOBS_AT_ONCE", "7")
    monkeypatch.setenv("TIDELINE_TOKEN", "hidden")
    settings = LaptopSettings()
    assert (settings.jobs_home, settings.store_home) == (tmp_path / "jobs", tmp_path / "bentoml")
    assert settings.jobs_at_once == 7
    assert settings.token.get_secret_value() == "hidden"
    assert "hidden" not in repr(settings)


def test_what_is_set_to_nothing_is_not_set(monkeypatch):
    monkeypatch.setenv("TIDELINE_TOKEN", "")
    monkeypatch.setenv("TIDELINE_HOME", "")
    assert PredictorSettings().token is None
    assert PredictorSettings().home.name == "tideline"


def test_names_of_hosts_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("TIDELINE_ALLOWED_HOSTS", "tide.example, ebb.example,")
    assert PredictorSettings().allowed_hosts == ("tide.example", "ebb.example")


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("tide.example", False),
    ],
)
def test_who_lets_everybody_in_is_warned(host, is_own):
    is_warned = "WARNING: everybody" in exposure(host, 3000, LaptopSettings(token=None))
    assert is_warned == (not is_own)
    assert exposure(host, 3000, LaptopSettings(token="secret")) == ""


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
    told = command("laptop", "127.0.0.1", 3000, 10)
    assert "service.bento:Laptop" in told
    assert told[told.index("--host") + 1] == "127.0.0.1"
    assert Path(told[told.index("--working-dir") + 1], "service", "bento.py").exists()


def refused(*arguments: str, **settings: str) -> tuple[int, str]:
    answer = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in answer.stderr
    return answer.returncode, answer.stderr


def test_wrong_settings_are_told_before_anything_starts():
    code, said = refused(TIDELINE_JOBS_AT_ONCE="many", TIDELINE_MAX_BODY_BYTES="0")
    assert code == 64
    assert "TIDELINE_JOBS_AT_ONCE is 'many'" in said
    assert "TIDELINE_MAX_BODY_BYTES is '0'" in said


SECRETS = {"TIDELINE_TOKEN": "SEKRET", "TIDELINE_JOB_SECRET": "HUSH"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"TIDELINE_JOBS": "kubernetes"}, "TIDELINE_JOBS=kubernetes needs TIDELINE_STORE"),
        ({"TIDELINE_DRAIN_SECONDS": "soon"}, "TIDELINE_DRAIN_SECONDS is 'soon'"),
    ],
)
def test_what_is_wrong_is_told_without_the_secrets(wrong, words):
    code, said = refused(**SECRETS, **wrong)
    assert (code, words in said) == (64, True)
    assert not any(secret in said for secret in SECRETS.values())


def test_the_error_of_wrong_settings_holds_no_secret(monkeypatch):
    # BentoML loads the services, and writes what it cannot load to its log.
    for name, value in (SECRETS | {"TIDELINE_JOBS": "kubernetes"}).items():
        monkeypatch.setenv(name, value)
    for settings in (TrainerSettings, LaptopSettings):
        with pytest.raises(ValidationError, match="TIDELINE_STORE") as refusal:
            settings()
        assert not any(s in str(refusal.value) for s in SECRETS.values())


def test_a_secret_that_is_wrong_is_not_repeated():
    fault = {"loc": ("token",), "msg": "is wrong", "input": "SEKRET", "type": "x"}
    assert _told(fault) == "TIDELINE_TOKEN: is wrong. docs/settings.md lists the settings."
    assert "SEKRET" not in _told(fault | {"loc": ("unknown",)})
    assert "SEKRET" not in _told(fault | {"loc": ()})


def test_a_home_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    code, said = refused(TIDELINE_HOME=str(tmp_path / "file"))
    assert code == 64
    assert f"{tmp_path / 'file' / 'bentoml'} cannot be made" in said
    assert "TIDELINE_HOME" in said


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1"])
def test_what_is_no_port_is_told_with_what_is(monkeypatch, capsys, port):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(SystemExit):
        main([])
    assert f"'{port}' is no port" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told_with_another(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = refused("--port", str(port), TIDELINE_HOME=str(tmp_path))
    assert code == 64
    assert f"Port {port} of 127.0.0.1 is taken" in said


def test_an_address_that_is_not_this_machines_is_told(tmp_path):
    code, said = refused("--host", "192.0.2.1", TIDELINE_HOME=str(tmp_path))
    assert code == 64
    assert "Cannot listen on 192.0.2.1:3000" in said

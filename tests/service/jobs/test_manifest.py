from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from service.jobs.manifest import Asked, build_job, read_template, release_of, training_container
from service.jobs.record import job_id_of
from tideline.errors import SpecError

TEMPLATE = read_template(Path(__file__).with_name("job.yaml"))
NAME = f"{job_id_of('d' * 64, None)}-0a1b2c3d"
INSTALLED = Path(__file__).parents[3] / "k8s" / "base" / "job.yaml"
ASKED = Asked(
    job_id=job_id_of("d" * 64, None),
    digest="d" * 64,
    release="0a1b2c3d",
    inputs="jobs/a/inputs/b",
    result="jobs/a/runs/1/result.json",
    store="s3://models/here",
    budget=600.0,
)


def env(job: dict[str, object]) -> dict[str, str]:
    return {v["name"]: v.get("value") for v in training_container(job)["env"]}


def arguments(job: dict[str, object]) -> list[str]:
    return training_container(job)["args"]


def given(**changes: object) -> dict[str, object]:
    return build_job(TEMPLATE, replace(ASKED, **changes))


def test_the_template_stays_as_it_is_and_the_same_request_gives_the_same_job():
    before = copy.deepcopy(TEMPLATE)
    assert given(token="t", report="http://t/p") == given(token="t", report="http://t/p")
    assert before == TEMPLATE


def test_what_the_template_says_of_security_and_failure_is_kept():
    job, spec = given(), TEMPLATE["spec"]
    assert job["spec"]["podFailurePolicy"] == spec["podFailurePolicy"]
    assert job["spec"]["backoffLimit"] == spec["backoffLimit"]
    own = ("containers", "activeDeadlineSeconds")
    pod, before = job["spec"]["template"]["spec"], spec["template"]["spec"]
    assert {k: v for k, v in pod.items() if k not in own} == {
        k: v for k, v in before.items() if k not in own
    }
    for key in ("securityContext", "resources", "volumeMounts", "command", "image"):
        assert training_container(job)[key] == training_container(TEMPLATE)[key]


@pytest.mark.parametrize(
    ("number", "name"), [(1, f"{ASKED.job_id}-0a1b2c3d-1"), (2, f"{ASKED.job_id}-0a1b2c3d-2")]
)
def test_the_name_follows_from_the_request(number, name):
    job = given(round=number)
    assert job["metadata"]["name"] == name
    assert len(name) <= 63


def test_the_job_and_its_pods_are_marked():
    job = given()
    marks = {"tideline.dev/job": ASKED.job_id, "tideline.dev/release": "0a1b2c3d"}
    labels = marks | {"app.kubernetes.io/name": "tideline"}
    assert labels.items() <= job["metadata"]["labels"].items()
    assert labels.items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert job["metadata"]["annotations"] == {
        "tideline.dev/digest": "d" * 64,
        "tideline.dev/inputs": "jobs/a/inputs/b",
    }


@pytest.mark.parametrize(
    ("budget", "margin", "seconds"),
    [(600, 600, 1230), (5, 0, 6), (0.5, 600, 601), (3600, 60, 3840)],
)
@pytest.mark.parametrize(("backoff", "runs"), [({"backoffLimit": 3}, 4), ({}, 7)])
def test_each_run_has_its_deadline_and_the_job_that_of_all_its_runs(
    budget, margin, seconds, backoff, runs
):
    template = copy.deepcopy(TEMPLATE)
    del template["spec"]["backoffLimit"], template["spec"]["activeDeadlineSeconds"]
    template["spec"] |= backoff
    spec = build_job(template, replace(ASKED, budget=budget, margin=margin))["spec"]
    assert spec["template"]["spec"]["activeDeadlineSeconds"] == seconds
    assert spec["activeDeadlineSeconds"] == runs * seconds + margin


def test_the_release_follows_from_the_instance_and_the_store():
    other = copy.deepcopy(TEMPLATE)
    other["metadata"]["labels"]["app.kubernetes.io/instance"] = "other"
    marks = {release_of(t, s) for t in (TEMPLATE, other) for s in ("file:///a", "file:///b")}
    assert len(marks) == 4
    assert release_of(TEMPLATE, "file:///a") == release_of(copy.deepcopy(TEMPLATE), "file:///a")
    assert release_of({}, "file:///a")


def test_the_program_is_told_where_everything_is():
    assert arguments(given()) == [
        "$(TIDELINE_STORE)/jobs/a/inputs/b/spec.yaml",
        *("--run-id", ASKED.job_id),
        *("--result", "$(TIDELINE_STORE)/jobs/a/runs/1/result.json"),
        *("--termination-message", "/dev/termination-log"),
    ]
    assert env(given())["TIDELINE_STORE"] == "s3://models/here"


def test_the_template_knows_best_where_a_pod_finds_the_store():
    template = copy.deepcopy(TEMPLATE)
    training_container(template)["env"].append({"name": "TIDELINE_STORE", "value": "file:///store"})
    variables = training_container(build_job(template, ASKED))["env"]
    assert [v["value"] for v in variables if v["name"] == "TIDELINE_STORE"] == ["file:///store"]


def test_the_template_of_an_installation_gives_a_job():
    job = build_job(read_template(INSTALLED), replace(ASKED, token="t", report="http://t/p"))
    container = training_container(job)
    assert container["command"][-2:] == ["-m", "training"]
    assert container["args"][0] == "$(TIDELINE_STORE)/jobs/a/inputs/b/spec.yaml"
    assert env(job)["TIDELINE_STORE"] == "file:///store"
    assert job["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    rules = job["spec"]["podFailurePolicy"]["rules"]
    assert [rule["action"] for rule in rules] == ["FailJob", "Ignore"]
    assert rules[0]["onExitCodes"]["values"] == [64, 65, 66]


def test_progress_is_told_with_the_token_of_the_job_alone():
    job = given(token="secret", report="http://trainer/jobs/a/progress")
    assert env(job)["TIDELINE_JOB_TOKEN"] == "secret"
    assert arguments(job)[-2:] == ["--report", "http://trainer/jobs/a/progress"]
    assert "secret" not in " ".join(arguments(job))
    assert "TIDELINE_JOB_TOKEN" not in env(given())


@pytest.mark.parametrize("image", ["", "registry/tideline@sha256:00"])
def test_a_named_image_takes_the_place_of_the_templates(image):
    expected = image or training_container(TEMPLATE)["image"]
    assert training_container(given(image=image))["image"] == expected


def test_the_job_goes_away_with_its_owner():
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": "a", "uid": "u"}
    assert given(owner=owner)["metadata"]["ownerReferences"] == [owner]
    assert "ownerReferences" not in given()["metadata"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind: Pod", "not an object of apiVersion batch/v1"),
        ("- a list", "not an object of apiVersion batch/v1"),
        ("{", "cannot be used"),
        ("{apiVersion: batch/v1, kind: Job}", "no container 'training'"),
        (
            (
                "{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: "
                "[{name: main}]}}}}"
            ),
            "no container 'training'",
        ),
    ],
)
def test_a_template_that_is_none_is_refused(tmp_path, text, why):
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=why) as refusal:
        read_template(path)
    assert refusal.value.field == "TIDELINE_JOB_TEMPLATE"


def test_a_template_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SpecError, match="No such file"):
        read_template(tmp_path / "none.yaml")

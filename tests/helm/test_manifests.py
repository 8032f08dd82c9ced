"""The plain manifests: they say what the chart says, and each object fits Kubernetes' schemas."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.helm.conftest import CHART, MANIFESTS, Render
from tests.helm.manifests import Manifest, environment, normal_form, of_kind, pods, with_job
from tideline import TrainingSpec, read_labels, read_panel
from tideline.readers import ColumnRoles

pytestmark = pytest.mark.slow

VALUES = sorted(path.name.removesuffix("-values.yaml") for path in CHART.glob("ci/*-values.yaml"))
PAIRS = {"base": "default", "overlays/laptop": "laptop", "overlays/production": "production"}
VERSIONS = ("1.33", "1.37")
CUSTOM = {"HTTPRoute", "ScaledObject", "ServiceMonitor", "PrometheusRule"}


@pytest.mark.parametrize("folder", PAIRS)
def test_chart_and_manifests_say_the_same(template: Render, kustomize: Render, folder: str) -> None:
    chart = normal_form(template("--set", "tests.enabled=false", values=PAIRS[folder]))
    plain = normal_form(kustomize(folder))
    assert chart.keys() == plain.keys()
    for name, found in plain.items():
        assert chart[name] == found, name


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", VALUES)
def test_the_chart_fits_the_schemas(template: Render, values: str, version: str) -> None:
    assert_valid(template(values=values), version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", PAIRS)
def test_the_manifests_fit_the_schemas(kustomize: Render, folder: str, version: str) -> None:
    assert_valid(kustomize(folder), version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_training_job_fits_the_schemas(version: str) -> None:
    assert_valid(training_job(), version)


def assert_valid(objects: list[Manifest], version: str) -> None:
    for found in with_job(objects):
        if found["kind"] not in CUSTOM:
            kubernetes_validate.validate(found, version, strict=True)


def test_a_wrong_field_does_not_fit_the_schemas() -> None:
    [job] = of_kind(training_job(), "Job")
    job["spec"]["template"]["spec"]["restartPolice"] = "Never"
    with pytest.raises(kubernetes_validate.ValidationError, match="restartPolice"):
        kubernetes_validate.validate(job, VERSIONS[0], strict=True)


@pytest.mark.parametrize("folder", ["overlays/laptop", "overlays/production"])
def test_jobs_run_the_image_of_the_trainer(kustomize: Render, folder: str) -> None:
    containers = {name: spec["containers"][0] for name, spec in pods(kustomize(folder))}
    trainer = containers["Deployment/tideline-trainer"]
    assert environment(trainer)["TIDELINE_JOB_IMAGE"] == trainer["image"]
    assert trainer["image"] == containers["Deployment/tideline-predictor"]["image"]


def test_the_job_of_production_is_the_base_s_with_a_bucket_in_place_of_the_volume() -> None:
    """Kustomize patches no YAML that is a ConfigMap's text, so that the file is a copy."""
    base, copy = (
        yaml.safe_load((MANIFESTS / folder / "job.yaml").read_text())
        for folder in ("base", "overlays/production")
    )
    pod = base["spec"]["template"]["spec"]
    [container] = pod["containers"]
    variables = {one["name"]: one for one in container["env"]}
    variables["TIDELINE_STORE"]["value"] = "s3://tideline-models/production"
    place = container["env"].index(variables["TIDELINE_STORE"]) + 1
    container["env"].insert(place, {"name": "AWS_REGION", "value": "eu-central-1"})
    container["envFrom"] = [{"secretRef": {"name": "tideline-store"}}]
    for holder, key in ((container, "volumeMounts"), (pod, "volumes")):
        holder[key] = [one for one in holder[key] if one["name"] != "store"]
    assert copy == base


def training_job() -> list[Manifest]:
    return list(yaml.safe_load_all((MANIFESTS / "training-job.yaml").read_text()))


def test_the_training_job_ends_as_those_of_the_trainer(template: Render) -> None:
    [alone] = of_kind(training_job(), "Job")
    [filled] = of_kind(with_job(template(values="default")), "Job")
    for key in ("backoffLimit", "podReplacementPolicy", "podFailurePolicy"):
        assert alone["spec"][key] == filled["spec"][key]
    ours, theirs = _pod(alone), _pod(filled)
    for key in ("restartPolicy", "securityContext", "terminationGracePeriodSeconds"):
        assert ours[key] == theirs[key]
    assert environment(ours["containers"][0]) == environment(theirs["containers"][0])
    assert ours["containers"][0]["image"] == theirs["containers"][0]["image"]
    for key in ("terminationMessagePath", "terminationMessagePolicy"):
        assert ours["containers"][0][key] == theirs["containers"][0][key]
    option = ["--termination-message", ours["containers"][0]["terminationMessagePath"]]
    assert ours["containers"][0]["command"][-2:] == option
    # The same labels, so that the same NetworkPolicies hold.
    labels = alone["spec"]["template"]["metadata"]["labels"]
    assert labels.items() <= filled["spec"]["template"]["metadata"]["labels"].items()


def test_the_training_job_finds_the_store_of_a_fresh_installation(template: Render) -> None:
    [claim] = of_kind(template(), "PersistentVolumeClaim")
    [job] = of_kind(training_job(), "Job")
    [store] = [volume for volume in _pod(job)["volumes"] if volume["name"] == "store"]
    assert store["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_the_training_job_s_data_can_be_read() -> None:
    data = of_kind(training_job(), "ConfigMap")[0]["data"]
    spec = TrainingSpec.from_yaml(data["spec.yaml"])
    assert spec.raw_data is not None
    assert spec.labels is not None
    panel = read_panel(data[spec.raw_data].encode(), ColumnRoles(None)).panel
    labels = read_labels(data[spec.labels].encode(), None).aligned_to(panel)
    assert sorted(set(labels)) == ["sine", "square"]
    assert len(panel.ids) == 24


def _pod(job: Manifest) -> dict[str, Any]:
    return dict(job["spec"]["template"]["spec"])

"""The chart: it lints and renders for every ci values file, and its values are all documented."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.app import predictor_app
from service.settings import PredictorSettings, TrainerSettings
from tests.helm.conftest import CHART, REPOSITORY, Render
from tests.helm.manifests import environment, named, of_kind, pods, with_job

VALUES = sorted(path.name.removesuffix("-values.yaml") for path in CHART.glob("ci/*-values.yaml"))
SERVICES = ("predictor", "trainer")

Helm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("values", VALUES)
def test_lints(helm: Helm, values: str) -> None:
    answer = helm("lint", "--strict", str(CHART), "-f", str(CHART / f"ci/{values}-values.yaml"))
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("values", VALUES)
def test_every_object_has_a_namespace_and_the_common_labels(template: Render, values: str) -> None:
    for found in template(values=values):
        labels = found["metadata"].get("labels", {})
        if "app.kubernetes.io/name" in labels or found["kind"] != "ConfigMap":  # not extraObjects
            assert found["metadata"]["namespace"], found
            assert {"instance", "part-of", "version", "managed-by"} <= {
                key.removeprefix("app.kubernetes.io/") for key in labels
            }


@pytest.mark.parametrize("values", VALUES)
def test_selectors_match_their_pods(template: Render, values: str) -> None:
    objects = template(values=values)
    for deployment in of_kind(objects, "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        component = labels["app.kubernetes.io/component"]
        selectors = [deployment["spec"]["selector"]["matchLabels"]]
        selectors += [
            service["spec"]["selector"]
            for service in of_kind(objects, "Service")
            if service["metadata"]["labels"]["app.kubernetes.io/component"] == component
        ]
        assert len(selectors) == 2
        assert all(selector.items() <= labels.items() for selector in selectors)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("predictor.replica=3", "additional properties 'replica' not allowed"),
        ("replicas=3", "additional properties 'replicas' not allowed"),
        ("predictor.replicas=0", "minimum"),
        ("predictor.resources.request.cpu=1", "additional properties 'request' not allowed"),
        ("image.pullPolicy=Sometimes", "value must be one of"),
        ("image.digest=sha256:1", "does not match pattern"),
        ("store.url=http://bucket", "does not match pattern"),
        ("store.url=s3://key:secret@bucket/models", "does not match pattern"),
        ("image.tag=not a tag", "does not match pattern"),
        ("predictor.keda.enabled=true", "minItems"),
        ("httpRoute.enabled=true", "minItems"),
    ],
)
def test_refuses_a_value_that_it_does_not_know(helm: Helm, setting: str, said: str) -> None:
    answer = helm("template", "tideline", str(CHART), "--set", setting)
    assert answer.returncode != 0, f"{setting} was taken"
    assert said in answer.stderr


def test_refuses_two_scalers(helm: Helm) -> None:
    answer = helm(
        *("template", "tideline", str(CHART), "--set", "predictor.autoscaling.enabled=true"),
        *("--set-json", 'predictor.keda={"enabled": true, "triggers": [{"type": "cpu"}]}'),
    )
    assert "two scalers would undo each other's work" in answer.stderr


@pytest.mark.parametrize(
    ("scaler", "values"), [("autoscaling", "production"), ("keda", "everything")]
)
def test_refuses_bounds_that_no_number_of_pods_fits(
    helm: Helm, template: Render, scaler: str, values: str
) -> None:
    def options(least: int, greatest: int) -> tuple[str, ...]:
        under = f"predictor.{scaler}"
        return ("--set", f"{under}.minReplicas={least},{under}.maxReplicas={greatest}")

    file = str(CHART / "ci" / f"{values}-values.yaml")
    answer = helm("template", "tideline", str(CHART), "--values", file, *options(11, 10))
    said = f"predictor.{scaler}.minReplicas is 11 and predictor.{scaler}.maxReplicas is 10"
    assert said in answer.stderr
    assert "Lower the one or raise the other." in answer.stderr
    assert template(*options(10, 10), values=values)


def test_refuses_rules_on_what_nobody_reads(helm: Helm) -> None:
    answer = helm(
        *("template", "tideline", str(CHART), "--set", "monitoring.prometheusRule.enabled=true")
    )
    assert "the rules would tell for ever that nothing answers. Set both." in answer.stderr


def test_refuses_a_claim_across_namespaces(helm: Helm) -> None:
    answer = helm("template", "tideline", str(CHART), "--set", "jobs.namespace=elsewhere")
    assert "a claim does not cross namespaces. Set store.volume.jobClaim" in answer.stderr


def test_the_schema_knows_the_values_and_no_other() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(_missing(schema, values, "")) == {"global"}


def _missing(schema: dict[str, Any], values: Any, path: str) -> Iterator[str]:
    """Yield what one of the two has alone; what the schema leaves free is not looked into."""
    if "properties" not in schema:
        return
    assert schema["additionalProperties"] is False, path
    for key in schema["properties"].keys() ^ values.keys():
        yield f"{path}{key}"
    for key in schema["properties"].keys() & values.keys():
        yield from _missing(schema["properties"][key], values[key], f"{path}{key}.")


def test_the_readme_tells_every_value() -> None:
    document = runpy.run_path(str(CHART / "document.py"))["documented"]
    readme, values = (CHART / "README.md").read_text(), (CHART / "values.yaml").read_text()
    assert document(readme, values) == readme, "run: python helm/tideline/document.py"


def test_its_version_is_the_project_s() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == project["version"]


def test_replicas_are_left_out_under_a_scaler(template: Render) -> None:
    fixed = named(template(values="default"), "Deployment", "tideline-predictor")
    assert fixed["spec"]["replicas"] == 2
    scaled = template(values="production")
    assert "replicas" not in named(scaled, "Deployment", "tideline-predictor")["spec"]
    scaler = named(scaled, "HorizontalPodAutoscaler", "tideline-predictor")["spec"]
    assert scaler["scaleTargetRef"]["name"] == "tideline-predictor"
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 20)
    keda = template(values="everything")
    assert "replicas" not in named(keda, "Deployment", "surf-predictor")["spec"]
    assert not of_kind(keda, "HorizontalPodAutoscaler")


def test_metrics_and_behavior_are_free(template: Render) -> None:
    metric = {"type": "Pods", "pods": {"metric": {"name": "inflight"}, "target": {"type": "Value"}}}
    options = ("--set", "predictor.autoscaling.enabled=true")
    options += ("--set-json", f"predictor.autoscaling.metrics=[{json.dumps(metric)}]")
    options += ("--set-json", 'predictor.autoscaling.behavior={"scaleDown": {"policies": []}}')
    [scaler] = of_kind(template(*options), "HorizontalPodAutoscaler")
    assert scaler["spec"]["metrics"] == [metric]
    assert scaler["spec"]["behavior"]["scaleDown"]["policies"] == []


@pytest.mark.parametrize(
    ("values", "budgets"),
    [
        ("default", {"tideline-predictor"}),
        ("laptop", set()),
        ("bare", set()),
        ("production", {"tideline-predictor"}),
        ("everything", {"surf-predictor", "surf-trainer"}),
    ],
)
def test_a_disruption_budget_is_for_more_than_one_pod(
    template: Render, values: str, budgets: set[str]
) -> None:
    found = of_kind(template(values=values), "PodDisruptionBudget")
    assert {budget["metadata"]["name"] for budget in found} == budgets


def test_a_change_of_the_job_template_makes_new_trainer_pods(template: Render) -> None:
    def checksum(*options: str) -> str:
        trainer = named(template(*options), "Deployment", "tideline-trainer")
        return str(trainer["spec"]["template"]["metadata"]["annotations"]["checksum/jobs"])

    assert checksum() == checksum("--set", "predictor.replicas=3")
    assert checksum() != checksum("--set", "jobs.backoffLimit=1")


def test_a_secret_is_made_unless_one_is_named(template: Render) -> None:
    [made] = of_kind(template(), "Secret")
    assert set(made["data"]) == {"token", "job-secret"}
    assert all(len(value) >= 40 for value in made["data"].values())
    assert not of_kind(template(values="default"), "Secret")


def test_grace_is_longer_than_the_drain(template: Render) -> None:
    for name in SERVICES:
        spec = named(template(), "Deployment", f"tideline-{name}")["spec"]["template"]["spec"]
        [container] = spec["containers"]
        drain = int(environment(container)["TIDELINE_DRAIN_SECONDS"])
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert spec["terminationGracePeriodSeconds"] > pause + drain


def test_prometheus_reads_every_service_with_the_token(template: Render) -> None:
    objects = template(values="everything")
    [monitor] = of_kind(objects, "ServiceMonitor")
    [endpoint] = monitor["spec"]["endpoints"]
    [secret] = of_kind(objects, "Secret")
    credentials = endpoint["authorization"]["credentials"]
    assert endpoint["authorization"]["type"] == "Bearer"
    assert credentials["name"] == secret["metadata"]["name"]
    assert credentials["key"] in secret["data"]
    selector = monitor["spec"]["selector"]["matchLabels"].items()
    services = [
        s for s in of_kind(objects, "Service") if selector <= s["metadata"]["labels"].items()
    ]
    assert {s["metadata"]["name"] for s in services} == {"surf-predictor", "surf-trainer"}
    for service in services:
        assert [port["name"] for port in service["spec"]["ports"]] == [endpoint["port"]]


def test_what_is_read_is_what_the_services_tell(template: Render, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    settings = PredictorSettings(home=tmp_path / "home", store=shared.as_uri())
    app = predictor_app(settings)
    [endpoint] = of_kind(template(values="everything"), "ServiceMonitor")[0]["spec"]["endpoints"]
    assert endpoint["path"] in app.openapi()["paths"]
    page = app.state.metrics.page().decode()
    asked = yaml.safe_dump_all(
        found
        for found in template(values="everything")
        if found["kind"] in ("PrometheusRule", "ScaledObject")
    )
    names = set(re.findall(r"\btideline_\w+", asked))
    assert names == {"tideline_http_requests_total", "tideline_store_age_seconds"}
    for name in names:
        assert f"# TYPE {name.removesuffix('_total')}" in page


def test_the_deadline_of_a_job_is_the_trainer_s_to_say(template: Render) -> None:
    objects = template("--set", "jobs.marginSeconds=90")
    [job] = of_kind(with_job(objects), "Job")
    assert "activeDeadlineSeconds" not in job["spec"]
    [container] = named(objects, "Deployment", "tideline-trainer")["spec"]["template"]["spec"][
        "containers"
    ]
    found = environment(container)
    assert found["TIDELINE_JOB_MARGIN_SECONDS"] == "90"
    assert "job_margin_seconds" in TrainerSettings.model_fields
    default = environment(
        named(template(), "Deployment", "tideline-trainer")["spec"]["template"]["spec"][
            "containers"
        ][0]
    )
    margin = TrainerSettings.model_fields["job_margin_seconds"].default
    assert float(default["TIDELINE_JOB_MARGIN_SECONDS"]) == margin


@pytest.mark.parametrize("values", ["default", "laptop", "production"])
def test_a_trainer_is_replaced_before_it_stops(template: Render, values: str) -> None:
    spec = named(template(values=values), "Deployment", "tideline-trainer")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("default", {"networkPolicy.apiServer.to"}),
        ("production", {"networkPolicy.apiServer.to", "networkPolicy.store.to"}),
        ("job-namespace", set()),
        ("bare", set()),
    ],
)
def test_the_notes_tell_who_may_call_anybody(helm: Helm, values: str, said: set[str]) -> None:
    options = ("--dry-run=client", "--values", str(CHART / f"ci/{values}-values.yaml"))
    answer = helm("install", "tideline", str(CHART), "--namespace", "tideline", *options)
    assert answer.returncode == 0, answer.stderr
    notes = answer.stdout.rpartition("NOTES:")[2]
    assert set(re.findall(r"(networkPolicy\.\w+\.to) names it", notes)) == said


def test_memory_of_a_job_is_guaranteed(template: Render) -> None:
    [job] = of_kind(with_job(template()), "Job")
    [container] = job["spec"]["template"]["spec"]["containers"]
    resources = container["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]


@pytest.mark.parametrize("values", VALUES)
def test_a_job_ends_as_the_design_says(template: Render, values: str) -> None:
    for job in of_kind(with_job(template(values=values)), "Job"):
        spec = job["spec"]
        assert spec["podReplacementPolicy"] == "Failed"
        fail, ignore = spec["podFailurePolicy"]["rules"]
        assert fail["action"] == "FailJob"
        codes = {"containerName": "training", "operator": "In", "values": [64, 65, 66]}
        assert fail["onExitCodes"] == codes
        assert ignore == {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        }
        pod = spec["template"]["spec"]
        assert pod["restartPolicy"] == "Never"
        assert pod["terminationGracePeriodSeconds"] == 120
        assert pod["containers"][0]["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_predictors_read_the_store_only(template: Render) -> None:
    mounts = {
        name: {mount["name"]: mount.get("readOnly", False) for mount in _mounts(spec)}
        for name, spec in pods(template())
    }
    assert mounts["Deployment/tideline-predictor"]["store"] is True
    assert mounts["Deployment/tideline-trainer"]["store"] is False
    assert mounts["Job/training"]["store"] is False


def test_a_store_with_a_url_mounts_nothing(template: Render) -> None:
    objects = template(values="s3")
    assert not of_kind(objects, "PersistentVolumeClaim")
    for name, spec in pods(objects):
        if name == "Pod/tideline-test":
            continue
        assert "store" not in {mount["name"] for mount in _mounts(spec)}
        assert environment(spec["containers"][0])["TIDELINE_STORE"] == "s3://models/tideline"
        assert spec["containers"][0]["envFrom"] == [{"secretRef": {"name": "s3"}}]


def _mounts(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return list(spec["containers"][0]["volumeMounts"])


def test_the_pod_of_helm_test_is_a_program_that_compiles(template: Render) -> None:
    source = named(template(), "ConfigMap", "tideline-test")["data"]["prediction.py"]
    assert compile(source, "prediction.py", "exec")

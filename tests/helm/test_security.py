"""Every pod is as restricted as it can be, and nobody may do or reach more than is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.helm.conftest import CHART, MANIFESTS, Render
from tests.helm.manifests import Manifest, named, of_kind, pods
from tests.helm.rights import asked_for

VALUES = sorted(path.name.removesuffix("-values.yaml") for path in CHART.glob("ci/*-values.yaml"))
FOLDERS = ("base", "overlays/laptop", "overlays/production")


@pytest.mark.parametrize("values", VALUES)
def test_every_pod_of_the_chart_is_restricted(template: Render, values: str) -> None:
    assert_restricted(template(values=values))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_pod_of_the_manifests_is_restricted(kustomize: Render, folder: str) -> None:
    assert_restricted(kustomize(folder))


def test_the_training_job_is_restricted() -> None:
    text = (MANIFESTS / "training-job.yaml").read_text()
    assert_restricted(list(yaml.safe_load_all(text)))


def assert_restricted(objects: list[Manifest]) -> None:
    for name, spec in pods(objects):
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] == context["fsGroup"] == 65532, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        has_token = name.startswith("Deployment/") and name.endswith("-trainer")
        assert spec["automountServiceAccountToken"] is has_token, name
        assert spec["enableServiceLinks"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & spec.keys(), name
        assert all("hostPath" not in volume for volume in spec["volumes"]), name
        [container] = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        resources = container["resources"]
        assert all(set(resources[side]) == {"cpu", "memory"} for side in ("requests", "limits"))


def test_the_trainer_may_do_what_it_must_and_no_more(template: Render) -> None:
    objects = template()
    assert not of_kind(objects, "ClusterRole")
    assert not of_kind(objects, "ClusterRoleBinding")
    [role] = of_kind(objects, "Role")
    granted = {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted == {
        ("batch", "jobs"): {"create", "get", "list", "patch", "delete"},
        ("", "pods"): {"list"},
        ("", "events"): {"list"},
        ("", "pods/log"): {"get"},
        ("", "serviceaccounts"): {"get"},
    }
    assert granted == asked_for()
    [binding] = of_kind(objects, "RoleBinding")
    assert [subject["name"] for subject in binding["subjects"]] == ["tideline-trainer"]


def test_rights_are_in_the_namespace_of_the_jobs(template: Render) -> None:
    objects = template(values="job-namespace")
    for kind in ("Role", "RoleBinding"):
        assert named(objects, kind, "tideline-trainer")["metadata"]["namespace"] == "tideline-jobs"
    [binding] = of_kind(objects, "RoleBinding")
    assert binding["subjects"][0]["namespace"] == "tideline"
    account = named(objects, "ServiceAccount", "tideline-training")
    assert account["metadata"]["namespace"] == "tideline-jobs"


def test_no_account_mounts_a_token_by_itself(template: Render) -> None:
    accounts = of_kind(template(), "ServiceAccount")
    assert {one["metadata"]["name"] for one in accounts} == {
        f"tideline-{name}" for name in ("predictor", "trainer", "training")
    }
    assert not any(account["automountServiceAccountToken"] for account in accounts)


def test_without_a_trainer_nobody_has_rights(template: Render) -> None:
    objects = template(values="predictor-only")
    assert not of_kind(objects, "Role")
    assert not of_kind(objects, "RoleBinding")
    assert [d["metadata"]["name"] for d in of_kind(objects, "Deployment")] == ["tideline-predictor"]


def flows(objects: list[Manifest]) -> set[tuple[str, str, str]]:
    """Return what the policies allow as (policy, direction, what in words)."""
    return {
        (policy["metadata"]["name"], direction, said)
        for policy in of_kind(objects, "NetworkPolicy")
        for direction, side in (("ingress", "from"), ("egress", "to"))
        for rule in policy["spec"].get(direction, [])
        for said in _words(rule, side)
    }


def _words(rule: dict[str, Any], side: str) -> Iterator[str]:
    ports = ",".join(str(port["port"]) for port in rule.get("ports", [])) or "any"
    for peer in rule.get(side) or [{}]:
        pod = peer.get("podSelector", {}).get("matchLabels", {})
        space = peer.get("namespaceSelector", {})
        who = pod.get("app.kubernetes.io/component") or pod.get("k8s-app")
        where = space.get("matchLabels", {}).get("kubernetes.io/metadata.name")
        who = who or ("controllers" if "matchExpressions" in space else where)
        block = peer.get("ipBlock", {}).get("cidr")
        yield f"{who or block or 'anywhere'}{f'@{where}' if where and who != where else ''}:{ports}"


def test_only_the_flows_of_the_design_are_allowed(template: Render) -> None:
    assert flows(template()) == {
        ("tideline-dns", "egress", "kube-dns@kube-system:53,53"),
        ("tideline-predictor", "ingress", "controllers:3000"),
        ("tideline-predictor", "ingress", "test:3000"),
        ("tideline-trainer", "ingress", "controllers:3000"),
        ("tideline-trainer", "ingress", "test:3000"),
        ("tideline-trainer", "ingress", "training:3000"),
        ("tideline-trainer", "egress", "anywhere:443,6443"),
        ("tideline-training", "ingress", "training:any"),
        ("tideline-training", "egress", "training:any"),
        ("tideline-training", "egress", "trainer:3000"),
        ("tideline-test", "egress", "predictor:3000"),
        ("tideline-test", "egress", "trainer:3000"),
    }


def test_a_store_with_a_url_adds_the_flows_to_it(template: Render) -> None:
    added = flows(template(values="s3")) - flows(template())
    assert added == {
        (f"tideline-{name}", "egress", "10.99.0.1/32:9000")
        for name in ("predictor", "trainer", "training")
    }


def test_flows_cross_to_the_namespace_of_the_jobs(template: Render) -> None:
    objects = template(values="job-namespace")
    assert {
        ("tideline-trainer", "ingress", "training@tideline-jobs:3000"),
        ("tideline-training", "egress", "trainer@tideline:3000"),
        ("tideline-training", "egress", "10.1.0.0/16:443"),
        ("tideline-trainer", "egress", "10.0.0.1/32:6443"),
    } <= flows(objects)
    denied = [
        p for p in of_kind(objects, "NetworkPolicy") if p["metadata"]["name"].endswith("deny")
    ]
    assert {p["metadata"]["namespace"] for p in denied} == {"tideline", "tideline-jobs"}


@pytest.mark.parametrize("values", sorted({*VALUES} - {"bare"}))
def test_everything_else_is_denied(template: Render, values: str) -> None:
    objects = template(values=values)
    policies = of_kind(objects, "NetworkPolicy")
    denied = [p["spec"] for p in policies if p["metadata"]["name"].endswith("-deny")]
    for spec in denied:
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        assert not {"ingress", "egress"} & spec.keys()
    labels = [d["spec"]["template"]["metadata"]["labels"] for d in of_kind(objects, "Deployment")]
    for spec in denied:
        chosen = spec["podSelector"].get("matchLabels", {})
        assert all(chosen.items() <= found.items() for found in labels)


def test_addresses_that_are_named_are_the_only_ones(template: Render) -> None:
    named_ones = '{"apiServer": {"to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}}'
    found = flows(template("--set-json", f"networkPolicy={named_ones}"))
    trainer = {what for name, way, what in found if (name, way) == ("tideline-trainer", "egress")}
    assert trainer == {"10.0.0.1/32:443,6443"}


def test_no_caller_named_means_nobody_and_not_everybody(template: Render) -> None:
    options = ("--set-json", "networkPolicy.ingressFrom=[]", "--set", "tests.enabled=false")
    objects = template(*options)
    assert "ingress" not in named(objects, "NetworkPolicy", "tideline-predictor")["spec"]
    trainer = {flow for flow in flows(objects) if flow[:2] == ("tideline-trainer", "ingress")}
    assert trainer == {("tideline-trainer", "ingress", "training:3000")}

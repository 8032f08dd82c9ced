"""The first request again, with an S3 server in place of the volume."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cluster import run
from tests.e2e.conftest import INGRESS, new_namespace
from tests.e2e.first_request import require_the_same_of_each_replica, train_and_predict
from tests.e2e.installation import Installation
from tests.e2e.series import Halves
from tests.e2e.strangers import labels_of, run_stranger, targets_of, told_reach

ENDPOINT = os.environ.get("TIDELINE_E2E_S3", "http://s3.kube-system:9000")
BUCKET = os.environ.get("TIDELINE_E2E_S3_BUCKET", "models")
KEY = os.environ.get("TIDELINE_E2E_S3_KEY", "tideline")
SECRET = os.environ.get("TIDELINE_E2E_S3_SECRET", "tideline-secret")


@pytest.fixture(scope="module")
def installation(cluster: None, image: str) -> Iterator[Installation]:
    """Return an installation whose store is a bucket."""
    if "s3.kube-system" in ENDPOINT and "NotFound" in run(
        "kubectl", "-n", "kube-system", "get", "service", "s3", check=False
    ):
        pytest.skip("no S3 server in this cluster; TIDELINE_E2E_S3 names one")
    with new_namespace("s3") as namespace:
        namespace.kubectl(
            "create", "secret", "generic", "s3",
            f"--from-literal=AWS_ACCESS_KEY_ID={KEY}",
            f"--from-literal=AWS_SECRET_ACCESS_KEY={SECRET}",
        )  # fmt: skip
        installed = Installation(namespace, image, INGRESS)
        port = int(ENDPOINT.rpartition(":")[2].strip("/"))
        installed.install(
            predictor={"replicas": 3},
            store=_bucket(namespace.name),
            networkPolicy={"store": {"ports": [port]}},
        )
        yield installed


def _bucket(prefix: str) -> dict[str, Any]:
    env = {"AWS_ENDPOINT_URL": ENDPOINT, "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}
    return {"url": f"s3://{BUCKET}/{prefix}", "existingSecret": "s3", "env": env}


def test_train_and_predict_through_the_ingress(
    installation: Installation, activity: Halves
) -> None:
    train_and_predict(installation, activity)


def test_each_replica_answers_the_same(installation: Installation, activity: Halves) -> None:
    require_the_same_of_each_replica(installation, activity)


def test_the_store_is_reached_by_those_who_need_it(installation: Installation, image: str) -> None:
    namespace, targets = installation.namespace, targets_of(installation)
    store = {"store"} & targets.keys()
    predictor, trainer = (namespace.ready_pods(name)[0] for name in ("predictor", "trainer"))
    run_stranger(namespace, image, "training", labels_of("training"), "tideline-training")
    # A pod always reaches itself, by way of its Service too.
    assert told_reach(namespace, predictor, targets) - {"predictor"} == store
    assert told_reach(namespace, trainer, targets) - {"trainer"} == {"API server"} | store
    assert told_reach(namespace, "training", targets) == {"trainer"} | store
    run_stranger(namespace, image, "stranger", {})
    assert not told_reach(namespace, "stranger", targets) & {"predictor", "trainer"}
    namespace.kubectl("delete", "pod", "training", "stranger", "--wait=false")


def test_nothing_is_on_a_volume(installation: Installation) -> None:
    assert installation.namespace.objects("persistentvolumeclaims") == []

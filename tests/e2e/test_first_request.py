"""The first request: helm install, train through the ingress, predict from every replica."""

from __future__ import annotations

from tests.e2e.first_request import MODEL, require_the_same_of_each_replica, train_and_predict
from tests.e2e.installation import Installation
from tests.e2e.series import Halves, forest
from tests.e2e.story import tell


def test_train_and_predict_through_the_ingress(
    installation: Installation, activity: Halves
) -> None:
    train_and_predict(installation, activity)


def test_each_replica_answers_the_same(installation: Installation, activity: Halves) -> None:
    require_the_same_of_each_replica(installation, activity)


def test_the_same_post_is_the_same_job(installation: Installation, activity: Halves) -> None:
    again = installation.train(activity.raw_data, activity.labels, forest(MODEL))
    assert again["state"] == "succeeded"
    assert len(installation.namespace.objects("jobs", "tideline.dev/job")) == 1


def test_without_the_token_nothing_is_told(installation: Installation) -> None:
    with installation.client() as client:
        for path in ("/models", "/jobs", "/", "/docs", "/metrics"):
            assert client.get(path, headers={"Authorization": ""}).status_code == 401, path


def test_every_pod_tells_prometheus(installation: Installation) -> None:
    [trainer] = installation.namespace.ready_pods("trainer")
    assert installation.measured(trainer, "tideline_jobs", state="succeeded") >= 1
    for pod in installation.namespace.ready_pods("predictor"):
        assert installation.measured(pod, "tideline_models_loaded") >= 1
        assert installation.measured(pod, "tideline_store_age_seconds") < 60
        asked = installation.predictions_of(pod)
        tell(f"  {pod} has answered {asked} predictions, as it tells itself")
        assert asked >= 1


def test_helm_test_asks_a_prediction(installation: Installation) -> None:
    said = installation.namespace.helm("test", installation.release, "--logs", "--timeout=5m")
    told = [line for line in said.splitlines() if "unseen series" in line]
    tell(f"  helm test: {told[0] if told else said[-300:]}")
    assert told

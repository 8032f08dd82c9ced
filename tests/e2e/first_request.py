"""The first request, as every kind of store must answer it."""

from __future__ import annotations

from tests.e2e.installation import Installation
from tests.e2e.series import Halves, forest, roc_auc
from tests.e2e.story import tell

MODEL = "activity"


def train_and_predict(installation: Installation, activity: Halves) -> None:
    """Train on one half through the ingress, and predict the other: ROC AUC over 0.9."""
    job = installation.train(activity.raw_data, activity.labels, forest(MODEL))
    done = installation.until_trained(job)
    assert (done["modelId"], done["version"]) == (MODEL, 1)
    assert done["modelType"].endswith("RandomForestClassifier")
    installation.until_served(MODEL, 1)
    scores = installation.predict(MODEL, activity.unseen)
    area = roc_auc(scores, activity.truth)
    tell(f"  {len(scores)} unseen series: ROC AUC {area:.3f}")
    assert scores.keys() == activity.truth.keys()
    assert area > 0.9


def require_the_same_of_each_replica(installation: Installation, activity: Halves) -> None:
    """Ask each of three replicas, past the ingress: the same version and the same scores."""
    pods = installation.namespace.ready_pods("predictor")
    assert len(pods) == 3
    answers = {}
    for pod in pods:
        with installation.namespace.forwarded(pod) as url:
            model = installation.model(MODEL, url)
            assert model is not None, pod
            scores = installation.predict(MODEL, activity.unseen, url)
            tell(f"  {pod}: {MODEL}:{model['version']}, ROC AUC {roc_auc(scores, activity.truth)}")
            answers[pod] = (model["version"], scores)
    first = answers[pods[0]]
    assert all(answer == first for answer in answers.values())

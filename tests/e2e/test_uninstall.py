"""helm uninstall leaves the models and nothing else, and a new release finds them."""

from __future__ import annotations

from tests.e2e.first_request import MODEL
from tests.e2e.installation import Installation
from tests.e2e.series import Halves
from tests.e2e.story import tell, until

KINDS = (
    "deployments,services,ingresses,jobs,pods,configmaps,secrets,serviceaccounts,roles,rolebindings,"
    "networkpolicies,horizontalpodautoscalers,poddisruptionbudgets,persistentvolumeclaims"
)
CLUSTERS_OWN = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}


def test_uninstall_leaves_the_models_and_nothing_else(
    installation: Installation, activity: Halves
) -> None:
    namespace = installation.namespace
    scores = installation.predict(MODEL, activity.few(3))
    # What was applied by hand is taken away by hand.
    namespace.kubectl("delete", "job,configmap", "waves", "--ignore-not-found")
    installation.uninstall()
    claim = "PersistentVolumeClaim/tideline-store"
    until(
        "nothing is left but the models",
        150,
        lambda: _left(installation) == {claim},
        every=1,
        otherwise=lambda: f"left: {sorted(_left(installation))}",
    )
    tell(f"  left: {claim}")
    installation._token = ""
    options = {"autoscaling": {"enabled": False}, "replicas": 1}
    installation.install(predictor=options)
    assert installation.predict(MODEL, activity.few(3)) == scores
    tell("  the models of the former release answer as before")


def _left(installation: Installation) -> set[str]:
    found = {f"{o['kind']}/{o['metadata']['name']}" for o in installation.namespace.objects(KINDS)}
    return found - CLUSTERS_OWN

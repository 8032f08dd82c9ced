"""The HorizontalPodAutoscaler under load: from one replica to four, and back."""

from __future__ import annotations

from tests.e2e.first_request import MODEL
from tests.e2e.installation import Installation
from tests.e2e.series import Halves
from tests.e2e.story import tell, until
from tests.e2e.traffic import Traffic

SCALED = {
    "replicas": 1,
    "autoscaling": {
        "enabled": True,
        "minReplicas": 1,
        "maxReplicas": 4,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 50},
                },
            }
        ],
        "behavior": {
            "scaleUp": {"stabilizationWindowSeconds": 0},
            "scaleDown": {
                "stabilizationWindowSeconds": 15,
                "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
            },
        },
    },
}


def test_load_scales_out_and_in_again(installation: Installation, activity: Halves) -> None:
    namespace = installation.namespace
    installation.upgrade(predictor=SCALED)
    until("there is one replica", 120, lambda: len(_ready(installation)) == 1, every=1)
    few = activity.few(20)
    counts = [1]

    def reached(wanted: int) -> bool:
        if (count := len(_ready(installation))) != counts[-1]:
            counts.append(count)
            tell(f"  {count} replicas are ready; the HPA sees {_load(installation)}")
        return count == wanted

    with Traffic(installation, MODEL, few, clients=6, pause=0) as traffic:
        until("there are four replicas", 240, lambda: reached(4), every=1,
              otherwise=lambda: namespace.kubectl("describe", "hpa"))  # fmt: skip
        answered = until("each of the four has answered", 90, lambda: _answered(installation))
        tell(f"  each has answered: {answered}")
    with Traffic(installation, MODEL, few, clients=1, pause=0.5) as calm:
        until("there is one replica again", 240, lambda: reached(1), every=1,
              otherwise=lambda: namespace.kubectl("describe", "hpa"))  # fmt: skip
    tell(f"  replicas: {' → '.join(map(str, counts))}")
    traffic.require_faultless(50)
    calm.require_faultless()


def _ready(installation: Installation) -> list[str]:
    return installation.namespace.ready_pods("predictor")


def _answered(installation: Installation) -> dict[str, int] | None:
    """Return how often each of four pods has answered, or None while one of them has not."""
    counts = {pod: installation.predictions_of(pod) for pod in _ready(installation)}
    return counts if len(counts) == 4 and all(counts.values()) else None


def _load(installation: Installation) -> str:
    columns = "-o=jsonpath={.items[0].status.currentMetrics[0].resource.current}"
    return installation.namespace.kubectl("get", "hpa", columns)

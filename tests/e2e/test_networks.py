"""Who reaches what: the NetworkPolicies, from a stranger's pod and from those of the release."""

from __future__ import annotations

import pytest

from tests.e2e.installation import Installation
from tests.e2e.story import until
from tests.e2e.strangers import labels_of, policy_of, run_stranger, targets_of, told_reach


@pytest.fixture(scope="module")
def targets(installation: Installation) -> dict[str, str]:
    """Return the addresses that somebody might want to reach."""
    return targets_of(installation)


def test_who_may_reaches_both_services(
    installation: Installation, image: str, targets: dict[str, str]
) -> None:
    """What others do not reach, by the same look, is therefore denied to them, and not down."""
    namespace, labels = installation.namespace, labels_of("test")
    # As the pod of `helm test`, which is let in at any time, and out while there is this policy.
    namespace.apply(policy_of("caller", labels, {"egress": [{}]}))
    run_stranger(namespace, image, "caller", labels)
    until("it is let in", 20, lambda: told_reach(namespace, "caller", targets) == targets.keys())
    namespace.kubectl("delete", "pod/caller", "networkpolicy/caller", "--wait=false")


def test_a_stranger_reaches_nothing_of_the_release(
    installation: Installation, image: str, targets: dict[str, str]
) -> None:
    run_stranger(installation.namespace, image, "stranger", {})
    reached = told_reach(installation.namespace, "stranger", targets)
    # Its own way out is open: the release's policies are not about it.
    assert reached == targets.keys() - {"predictor", "trainer"}


def test_in_a_denied_namespace_a_stranger_reaches_nothing(
    installation: Installation, targets: dict[str, str]
) -> None:
    installation.upgrade(networkPolicy={"denyNamespace": True})
    assert told_reach(installation.namespace, "stranger", targets) == set()
    installation.namespace.kubectl("delete", "pod", "stranger", "--wait=false")


def test_a_training_pod_reaches_the_trainer_alone(
    installation: Installation, image: str, targets: dict[str, str]
) -> None:
    run_stranger(
        installation.namespace, image, "training", labels_of("training"), "tideline-training"
    )
    assert told_reach(installation.namespace, "training", targets) == {"trainer"}
    installation.namespace.kubectl("delete", "pod", "training", "--wait=false")


def test_the_predictor_reaches_nobody_and_the_trainer_the_api_server(
    installation: Installation, targets: dict[str, str]
) -> None:
    namespace = installation.namespace
    predictor, trainer = (namespace.ready_pods(name)[0] for name in ("predictor", "trainer"))
    # A pod always reaches itself, by way of its Service too.
    assert told_reach(namespace, predictor, targets) <= {"predictor"}
    assert told_reach(namespace, trainer, targets) - {"trainer"} == {"API server"}


def test_the_predictor_cannot_write_to_the_store(installation: Installation) -> None:
    pod = installation.namespace.ready_pods("predictor")[0]
    write = "open('/store/x', 'w')"
    said = installation.namespace.kubectl("exec", pod, "--", "python", "-c", write, check=False)
    assert "Read-only file system" in said
    write = "open('/srv/tideline/x', 'w')"
    said = installation.namespace.kubectl("exec", pod, "--", "python", "-c", write, check=False)
    assert "Read-only file system" in said

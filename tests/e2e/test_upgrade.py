"""helm upgrade to another image tag, and back again, while predictions are asked."""

from __future__ import annotations

from tests.e2e.first_request import MODEL
from tests.e2e.installation import Installation
from tests.e2e.series import Halves
from tests.e2e.story import tell, until
from tests.e2e.traffic import Traffic


def test_upgrade_and_rollback_fail_no_request(
    installation: Installation, activity: Halves, image: str, other_image: str
) -> None:
    few = activity.few(3)
    token = installation.token
    tag = image.rpartition(":")[2]
    repository, _, other_tag = other_image.rpartition(":")
    with Traffic(installation, MODEL, few) as traffic:
        installation.upgrade(image={"repository": repository, "tag": other_tag})
        assert _images(installation) == {other_image}
        tell(f"  so far {traffic.summary}")
        installation.rollback()
        installation.values["image"] = {"repository": image.rpartition(":")[0], "tag": tag}
        assert _images(installation) == {image}
        before = traffic.total
        until("more is answered", 30, lambda: traffic.total > before + 20)
    traffic.require_faultless(50)
    assert len(traffic.answers) == 1
    secret = installation.namespace.object("secret", installation.release)
    installation._token = ""
    assert installation.token == token, secret["metadata"]


def _images(installation: Installation) -> set[str]:
    pods = [p for c in ("predictor", "trainer") for p in installation.namespace.pods(c)]
    return {pod["spec"]["containers"][0]["image"] for pod in pods}

"""`kubectl apply -f k8s/training-job.yaml`, as it is, on a fresh installation."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.e2e.conftest import REPOSITORY
from tests.e2e.installation import Installation
from tests.e2e.series import waves
from tests.e2e.story import tell, until

MANIFEST = REPOSITORY / "k8s" / "training-job.yaml"
WRITTEN_IMAGE = "localhost:5000/tideline:0.1.0"


def test_the_model_serves_soon_after_the_job(installation: Installation, image: str) -> None:
    namespace = installation.namespace
    tell("kubectl apply -f k8s/training-job.yaml")
    manifest = MANIFEST.read_text()
    # The image is the one line that the file tells everybody to change.
    assert manifest.count(WRITTEN_IMAGE) == 1
    namespace.apply(manifest.replace(WRITTEN_IMAGE, image))
    ended = until("the Job waves has ended", 180, lambda: _ended(installation), every=0.5)
    series = json.loads(waves(8, 24)[0])
    until(
        "the model waves answers",
        10,
        lambda: (installation.model("waves") or {}).get("version") == 1,
        every=0.2,
    )
    scores = installation.predict("waves", json.dumps(series))
    seconds = (datetime.now(UTC) - ended).total_seconds()
    tell(f"  it answers {seconds:.1f} s after the Job's end: {scores}")
    assert len(scores) == 8
    assert seconds < 10


def _ended(installation: Installation) -> datetime | None:
    status = installation.namespace.object("job", "waves").get("status", {})
    failed = [c for c in status.get("conditions", []) if c["type"] == "Failed"]
    assert not failed, f"{failed}\n{installation.namespace.kubectl('logs', 'job/waves')}"
    time = status.get("completionTime")
    return datetime.fromisoformat(time) if time else None

"""A second training of the same pipeline id, while predictions are asked."""

from __future__ import annotations

from tests.e2e.first_request import MODEL
from tests.e2e.installation import Installation
from tests.e2e.series import Halves, forest
from tests.e2e.story import tell, until
from tests.e2e.traffic import Traffic


def test_the_second_version_takes_over_without_a_fault(
    installation: Installation, activity: Halves
) -> None:
    few = activity.few(5)
    first = installation.predict(MODEL, few, version=1)
    spec = forest(MODEL)
    spec["model_training"] = {"model": "sklearn.linear_model.LogisticRegression"}
    with Traffic(installation, MODEL, few) as traffic:
        job = installation.train(activity.raw_data, activity.labels, spec)
        done = installation.until_trained(job)
        assert done["version"] == 2
        installation.until_served(MODEL, 2)
        before = traffic.total
        until("more is answered", 30, lambda: traffic.total > before + 10)
    second = installation.predict(MODEL, few, version=2)
    model = installation.model(MODEL)
    assert model is not None
    tell(f"  aliases {model['aliases']}, versions {list(model['versions'])}")
    assert list(model["versions"]) == ["1", "2"]
    assert model["aliases"]["latest"] == "2"
    assert first != second
    traffic.require_faultless()
    # Every answer is one version's or the other's; none is of both.
    assert all(answer in (first, second) for answer in traffic.answers)
    assert installation.predict(MODEL, few) == second

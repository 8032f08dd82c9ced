"""The Python client against the services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from tests.service.pages.test_home import CLASSES, NUMBERS, publish
from tideline.client import Client, Job, JobFailed, ServiceProblem, ServiceUnreachable
from tideline.panel import Panel
from tideline.store import open_store

LABELS = {f"case-{n}": n % 2 for n in range(8)}
PANEL = Panel.from_arrays(np.random.default_rng(2).normal(size=(3, 2, 8)), ids=["a", "b", "c"])


def table() -> bytes:
    # As CSV, for the program that stands in for the training program reads it as text.
    columns = {"case": np.repeat(list(LABELS), 5), "x": np.arange(40.0)}
    return pd.DataFrame(columns).to_csv(index=False).encode()


def spec(does: str) -> dict[str, object]:
    # The model's name tells that program what to do.
    return {"pipeline_id": does, "extract_features": {"column_id": "case"}}


@pytest.fixture
def client(serve: Callable[..., httpx.Client]) -> Iterator[Client]:
    with Client(str(serve().base_url)) as client:
        yield client


def test_trains_and_waits_for_the_summary(client: Client) -> None:
    assert client.is_ready()
    job = client.train(table(), LABELS, spec("publish"))
    assert (job.pipeline_id, job.is_over) == ("publish", False)
    seen: list[Job] = []
    done = client.wait(job, seen.append)
    assert done.state == "succeeded"
    assert done.summary is not None
    assert done.summary["modelId"] == "publish"
    assert seen[-1] == done
    assert f"published {job.id}" in client.logs(job.id)


def test_follows_a_log_line_by_line_until_the_job_is_over(client: Client, tmp_path: Path) -> None:
    job = client.train(table(), LABELS, spec("await_file"))
    lines = client.follow(job.id)
    told = [next(lines), next(lines)]
    assert told[1] == "waits"
    assert not client.job(job.id).is_over
    (tmp_path / "home" / "jobs" / job.id / "go").touch()
    told += lines
    assert client.job(job.id).is_over
    assert told == client.logs(job.id).splitlines()


def test_a_log_that_cannot_be_followed_is_told_by_its_first_line(client: Client) -> None:
    with pytest.raises(ServiceProblem, match="job-0"):
        next(client.follow("job-0"))
    with Client("http://127.0.0.1:1") as nobody, pytest.raises(ServiceUnreachable):
        next(nobody.follow("job-0"))


def test_the_same_call_finds_the_same_job(client: Client) -> None:
    first = client.train(table(), LABELS, spec("publish"))
    assert client.train(table(), LABELS, spec("publish")).id == first.id
    assert client.train(table(), LABELS, spec("publish"), idempotency_key="k").id != first.id
    client.wait(first)


def test_a_key_that_was_used_for_another_call_is_refused(client: Client) -> None:
    client.train(table(), LABELS, spec("publish"), idempotency_key="k")
    with pytest.raises(ServiceProblem) as caught:
        client.train(table(), LABELS, spec("refuse"), idempotency_key="k")
    assert caught.value.problem.type == "urn:tideline:problem:idempotency-conflict"


def test_a_failed_job_is_raised_with_its_field_and_mend(client: Client) -> None:
    with pytest.raises(JobFailed, match=r"one class\. Add one\.") as caught:
        client.wait(client.train(table(), LABELS, spec("refuse")))
    assert caught.value.field == "labels"


def test_a_cancelled_job_is_raised_as_cancelled(client: Client) -> None:
    job = client.train(table(), LABELS, spec("hang"))
    assert client.cancel(job.id).state == "cancelled"
    with pytest.raises(JobFailed, match="cancelled") as caught:
        client.wait(job)
    assert caught.value.problem.title == "The job is cancelled"


def test_labels_that_do_not_fit_are_refused_before_a_job_starts(client: Client) -> None:
    with pytest.raises(ServiceProblem, match="case-0") as caught:
        client.train(table(), {"case-1": 1}, spec("publish"))
    assert (caught.value.field, caught.value.problem.status) == ("labels", 422)


def test_an_unknown_job_or_model_is_told(client: Client) -> None:
    with pytest.raises(ServiceProblem, match="job-0"):
        client.job("job-0")
    with pytest.raises(ServiceProblem) as caught:
        client.predict("nobody", PANEL)
    assert caught.value.problem.type == "urn:tideline:problem:model-not-found"


def test_predicts_scores_probabilities_and_values(client: Client, tmp_path: Path) -> None:
    store = open_store(tmp_path / "home" / "bentoml")
    publish(store, tmp_path / "1", "classes", CLASSES)
    publish(store, tmp_path / "2", "numbers", NUMBERS)
    scores = client.predict("classes", PANEL)
    chances = client.probabilities("classes", PANEL)
    assert list(scores) == ["a", "b", "c"]
    assert {case: by_class["up"] for case, by_class in chances.items()} == scores
    assert all(isinstance(value, float) for value in client.predict("numbers", PANEL).values())
    assert {name: m["modelType"] for name, m in client.models().items()} == {
        "classes": "LogisticRegression",
        "numbers": "Ridge",
    }


def test_carries_the_token(serve: Callable[..., httpx.Client]) -> None:
    url = str(serve(token="secret").base_url)
    with Client(url) as stranger, pytest.raises(ServiceProblem, match="token"):
        stranger.models()
    with Client(url, token="secret") as friend:
        assert friend.models() == {}

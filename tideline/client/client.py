"""The client: the services' routes as methods."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx
from pydantic import JsonValue

from tideline.client.job import Job
from tideline.client.problem import JobFailed, Problem, ServiceProblem, ServiceUnreachable
from tideline.client.upload import (
    LabelData,
    Part,
    RawData,
    SpecData,
    labels_part,
    raw_data_part,
    spec_part,
)

Score = float | int | str | bool
"""An answer for one case: a score, a value or a label."""

# A proxy that the environment names is not for one's own machine.
_OWN_MACHINE = ("all://127.0.0.1", "all://localhost", "all://[::1]")


class Client:
    """Talks to the trainer and the predictor over HTTP.

    A client may be shared by threads. It is a context manager, which closes its connections.

    Parameters
    ----------
    url
        Where the services answer: `http://127.0.0.1:3000`.
    token
        The bearer token, where the services ask for one.
    timeout
        How many seconds an answer may take. The wait for a job, or for the next line of its log,
        is not limited by it.

    Examples
    --------
    >>> with Client("http://127.0.0.1:3000") as client:  # doctest: +SKIP
    ...     job = client.train(Path("data.json"), Path("labels.json"), Path("spec.yaml"))
    ...     client.wait(job)
    ...     client.predict(job.pipeline_id, Path("new.json"))
    {'1003': 0.942, '1005': 0.981}
    """

    def __init__(self, url: str, token: str | None = None, timeout: float = 60.0) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout,
            mounts=dict.fromkeys(_OWN_MACHINE),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def is_ready(self) -> bool:
        """Return whether the services take calls now."""
        try:
            return self._http.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def train(
        self,
        raw_data: RawData,
        labels: LabelData | None,
        spec: SpecData,
        idempotency_key: str | None = None,
    ) -> Job:
        """Start a job, or find the one that the same call has started before.

        Parameters
        ----------
        raw_data
            The series.
        labels
            One label a case, or None where the format of `raw_data` holds them, as `.ts` does.
        spec
            The parameter file.
        idempotency_key
            A name for this call: a second call with it finds the first one's job. Without a key
            the same body is the same call.

        Raises
        ------
        ServiceProblem
            When the trainer refuses the call; `problem.field` names the part at fault.
        ServiceUnreachable
            When it does not answer. Calling again is safe.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        with ExitStack() as opened:
            parts = {"raw_data": raw_data_part(raw_data, opened)}
            if labels is not None:
                parts["labels"] = labels_part(labels, opened)
            parts["params"] = spec_part(spec, opened)
            answer = self._call("POST", "/train_pipeline", parts=parts, headers=headers)
        return Job.model_validate_json(answer.content)

    def job(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises
        ------
        ServiceProblem
            When there is no such job.
        ServiceUnreachable
        """
        return Job.model_validate_json(self._call("GET", f"/jobs/{_escaped(job_id)}").content)

    def logs(self, job_id: str) -> str:
        """Return what a job has said so far.

        Raises
        ------
        ServiceProblem
            When there is no such job.
        ServiceUnreachable
        """
        return self._call("GET", f"/jobs/{_escaped(job_id)}/logs").text

    def follow(self, job_id: str) -> Iterator[str]:
        """Yield what a job has said so far and then what it says, line by line, until it is over.

        The lines end earlier when the trainer stops, or has been followed for as long as it lets
        be; the last one says so, in parentheses. A second call begins again at the first line.

        Raises
        ------
        ServiceProblem
            When there is no such job, or too many calls follow a log already. This and the next
            are raised by the first line, not by the call.
        ServiceUnreachable
            When the trainer does not answer, or is gone in the middle of the log.
        """
        path = f"/jobs/{_escaped(job_id)}/logs?follow=true"
        patient = httpx.Timeout(self._http.timeout.connect, read=None)
        with (
            self._reaching("GET", path),
            self._http.stream("GET", path, timeout=patient) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise ServiceProblem(Problem.of_response(answer))
            yield from answer.iter_lines()

    def cancel(self, job_id: str) -> Job:
        """Tell a job to stop, and return it as it now is.

        Raises
        ------
        ServiceProblem
            When there is no such job.
        ServiceUnreachable
        """
        return Job.model_validate_json(self._call("DELETE", f"/jobs/{_escaped(job_id)}").content)

    def wait(
        self,
        job: Job,
        on_progress: Callable[[Job], None] | None = None,
        *,
        timeout: float | None = None,
        patience: float = 60.0,
    ) -> Job:
        """Wait until a job has succeeded, and return it with its summary.

        Parameters
        ----------
        job
            As `train` returned it.
        on_progress
            Called with the job each time that it is asked for, about twice a second.
        timeout
            How many seconds to wait at most; without an end when left out.
        patience
            For how many seconds in a row the trainer may be away, as it is when it is restarted.

        Raises
        ------
        JobFailed
            When the job fails or is cancelled.
        TimeoutError
            When the time is over; the job goes on.
        ServiceProblem, ServiceUnreachable
            When the trainer was away for longer than `patience`, or no longer knows the job.
        """
        started = seen = time.monotonic()
        while True:
            try:
                job, seen = self.job(job.id), time.monotonic()
            except (ServiceProblem, ServiceUnreachable) as error:
                if not _may_pass(error) or time.monotonic() - seen > patience:
                    raise
            else:
                if on_progress is not None:
                    on_progress(job)
                if job.is_over:
                    return _succeeded(job)
            if timeout is not None and time.monotonic() - started > timeout:
                raise TimeoutError(f"job {job.id} is {job.state} after {timeout:g} seconds")
            time.sleep(0.5)

    def predict(
        self, pipeline_id: str, raw_data: RawData, *, version: int | str | None = None
    ) -> dict[str, Score]:
        """Return the answer for each case, by its id as text.

        Parameters
        ----------
        pipeline_id
            The name of the model.
        raw_data
            Series of the same channels, under the same column names, as it was trained on.
        version
            A version's number or an alias; the newest version when left out.

        Returns
        -------
        dict
            For two classes the score of the later one in sorted order, for more the predicted
            label, for regression the value.

        Raises
        ------
        ServiceProblem
            When there is no such model, or the series are not of its kind.
        ServiceUnreachable
        """
        params = _asked(pipeline_id, version)
        answers: dict[str, Score] = self._serve(raw_data, params).json()
        return answers

    def probabilities(
        self, pipeline_id: str, raw_data: RawData, *, version: int | str | None = None
    ) -> dict[str, dict[str, float]]:
        """Return the probability of each class for each case, both as text.

        Parameters and errors are those of `predict`; a regression model has no probabilities.
        """
        params = {**_asked(pipeline_id, version), "probabilities": True}
        answers: dict[str, dict[str, float]] = self._serve(raw_data, params).json()
        return answers

    def models(self) -> dict[str, dict[str, JsonValue]]:
        """Return the summary of the newest version of each model, by its name.

        Raises
        ------
        ServiceProblem, ServiceUnreachable
        """
        summaries: dict[str, dict[str, JsonValue]] = self._call("GET", "/models").json()
        return summaries

    def set_alias(
        self, name: str, alias: str, version: int | str, expected: int | str | None = None
    ) -> int:
        """Let an alias stand for a version of a model, and return the version's number.

        Parameters
        ----------
        name
            The model's name.
        alias
            Such as `production`; `latest` is the newest version always, and is not set.
        version
            The version's number.
        expected
            The number that the alias is believed to stand for, 0 for none; it is then moved from
            there alone. Moved from wherever it is when left out.

        Raises
        ------
        ServiceProblem
            When there is no such version, the alias stands for another than `expected`, or
            somebody moved it at the same moment.
        ServiceUnreachable
        """
        path = f"/aliases/{_escaped(name)}/{_escaped(alias)}"
        answer = self._call("PUT", path, json={"version": version, "expected": expected})
        moved: int = answer.json()["version"]
        return moved

    def _serve(self, raw_data: RawData, params: Mapping[str, object]) -> httpx.Response:
        with ExitStack() as opened:
            parts = {
                "raw_data": raw_data_part(raw_data, opened),
                "params": spec_part(params, opened),
            }
            return self._call("POST", "/serve_prediction", parts=parts)

    def _call(
        self,
        method: str,
        path: str,
        *,
        parts: Mapping[str, Part] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        # Each part goes under its own name as the file's: a path is nobody's business.
        files = None if parts is None else {name: (name, part) for name, part in parts.items()}
        with self._reaching(method, path):
            answer = self._http.request(method, path, files=files, headers=headers, json=json)
        if not answer.is_success:
            raise ServiceProblem(Problem.of_response(answer))
        return answer

    @contextmanager
    def _reaching(self, method: str, path: str) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise ServiceUnreachable(
                f"{method} {self.url}{path}: {str(error) or type(error).__name__}.",
                mend="See that the services run and that the address is right; then call again.",
            ) from error


def _asked(pipeline_id: str, version: int | str | None) -> dict[str, object]:
    return {"pipeline_id": pipeline_id} | ({} if version is None else {"version": version})


def _escaped(segment: str) -> str:
    return quote(segment, safe="")


def _may_pass(error: ServiceProblem | ServiceUnreachable) -> bool:
    return error.problem.retryable if isinstance(error, ServiceProblem) else error.retryable


def _succeeded(job: Job) -> Job:
    if job.state == "succeeded":
        return job
    told = job.problem or Problem(title=f"The job is {job.state}")
    if not told.detail:
        told = told.model_copy(update={"detail": job.reason or f"job {job.id} is {job.state}."})
    raise JobFailed(told)

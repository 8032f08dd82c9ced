"""What `helm test` asks: a small model is trained, once a revision, and tells sines from squares.

A second run of the same revision finds the first one's job by its idempotency key, and trains
nothing; a job that has failed is tried again under the next key.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

import numpy as np

from tideline import Panel
from tideline.client import Client, Job, ServiceProblem

NAME = "helm-test"
STEPS = 48
SPEC: Mapping[str, object] = {
    "pipeline_id": NAME,
    "extract_features": {"default_fc_parameters": "minimal"},
    "model_training": {"model": "sklearn.linear_model.LogisticRegression"},
    "budget": 120,
}


def series(cases: int, seed: int) -> tuple[Panel, dict[str, str]]:
    """Return sines and squares in turn, each with a phase and noise of its own."""
    random = np.random.default_rng(seed)
    phases = random.uniform(0, 2 * np.pi, (cases, 1))
    waves = np.sin(phases + np.linspace(0, 6 * np.pi, STEPS))
    waves[1::2] = np.sign(waves[1::2])
    waves += random.normal(0, 0.05, waves.shape)
    names = [f"case-{number}" for number in range(cases)]
    labels = {name: ("sine", "square")[number % 2] for number, name in enumerate(names)}
    return Panel.from_arrays(waves[:, np.newaxis, :], ids=names), labels


def train(trainer: Client, key: str, seconds: float) -> Job:
    """Return the job of this key, ended well; a key whose job has failed before is passed over."""
    panel, labels = series(24, seed=1)
    for attempt in range(1, 10):
        job = trainer.train(panel, labels, SPEC, idempotency_key=f"{key}-{attempt}")
        if job.state not in ("failed", "cancelled"):
            print(f"{job.id} is {job.state}: {job.reason}", flush=True)
            return trainer.wait(job, timeout=seconds)
        print(f"{job.id} has {job.state} before ({job.reason}); it is tried again", flush=True)
    raise SystemExit(f"nine trainings of {NAME!r} have failed; see the trainer's /jobs")


def predict(predictor: Client, seconds: float) -> None:
    """Ask for predictions until the predictors have the model, and judge the answer."""
    panel, labels = series(8, seed=2)
    until = time.monotonic() + seconds
    while True:
        try:
            scores = predictor.predict(NAME, panel)
            break
        except ServiceProblem as problem:  # each predictor finds the new version in its own time
            if time.monotonic() > until:
                raise SystemExit(f"no prediction after {seconds:g} seconds: {problem}") from problem
            time.sleep(0.5)
    right = sum(
        (float(scores[name]) > 0.5) == (label == "square") for name, label in labels.items()
    )
    print(f"{NAME}: {right} of {len(labels)} unseen series are told right: {scores}", flush=True)
    if right < 7:
        raise SystemExit("the predictions are no better than chance")


def main() -> int:
    """Train if there is a trainer, then predict."""
    token, seconds = os.environ["TIDELINE_TOKEN"], float(os.environ["TEST_SECONDS"])
    with Client(os.environ["TEST_PREDICTOR"], token) as predictor:
        if not os.environ.get("TEST_TRAINER"):
            print(f"no trainer is installed; the predictor has {sorted(predictor.models())}")
            return 0
        with Client(os.environ["TEST_TRAINER"], token) as trainer:
            train(trainer, os.environ["TEST_KEY"], seconds)
        predict(predictor, 30.0)
    return 0


if __name__ == "__main__":
    sys.exit(main())

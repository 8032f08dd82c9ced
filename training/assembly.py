"""The pipeline of a choice: its fitted members, and the features that each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sklearn.pipeline import Pipeline as Steps

from tideline.blend import Blend
from tideline.forests import packed
from tideline.pipeline import Pipeline
from training.candidate import Candidate
from training.cases import Cases
from training.choice import Choice
from training.features import Features

Fitted = Callable[[Candidate], Steps]
"""Returns preparation and model of a candidate, fitted."""


def assemble(cases: Cases, features: Features, choice: Choice, fitted: Fitted) -> Pipeline:
    """Return the pipeline of the chosen members, on all features, whether they use them or not."""
    plan, target = features.plan, cases.target
    if len(choice.members) == 1 and choice.sharpness == 1.0:
        ((_, only),) = choice.members
        plan, steps = features.plans[only.family], fitted(only)
    else:
        members = [(features.columns(c.family), fitted(c)) for _, c in choice.members]
        weights = [weight for weight, _ in choice.members]
        blend = Blend(members, weights, len(plan.features), choice.sharpness)
        steps = Steps([("model", blend)])
    channels = tuple(cases.panel.channels)
    return Pipeline(plan, steps, target.task, target.classes, channels)


def compact(pipeline: Pipeline, choice: Choice) -> Pipeline:
    """Return an assembled pipeline as it is published.

    With only the features that are used, and forests packed; a model that the spec names stays
    what it is.
    """
    narrow = pipeline.narrowed()
    if any(candidate.origin == "spec" for _, candidate in choice.members):
        return narrow
    model = narrow.estimator.steps[-1][1]
    if not isinstance(model, Blend):
        return replace(narrow, estimator=_packed(narrow.estimator))
    members = [(columns, _packed(steps)) for columns, steps in model.members]
    blend = Blend(members, model.weights, model.n_features, model.sharpness)
    return replace(narrow, estimator=Steps([("model", blend)]))


def _packed(steps: Steps) -> Steps:
    name, model = steps.steps[-1]
    return Steps([*steps.steps[:-1], (name, packed(model))])

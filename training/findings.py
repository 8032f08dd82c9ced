"""What a run has found, as its report tells it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tideline.model import ModelDocument
from tideline.panel import Panel
from tideline.pipeline import Prediction
from training.task import Target
from training.trial import Trial


@dataclass(frozen=True)
class Importance:
    """How much worse the score is when something is shuffled over the cases.

    Attributes
    ----------
    what
        A feature's or a channel's name, or a region such as `25 % to 50 %`.
    loss : float
        The mean loss of the metric; below zero where shuffling helped.
    spread : float
        The standard deviation over the repetitions.
    """

    what: str
    loss: float
    spread: float


@dataclass(frozen=True)
class Importances:
    """The importances, the largest first, and what they were measured by.

    Attributes
    ----------
    metric
        What is lost, under scikit-learn's name.
    on
        The cases, in words: `37 held-out cases`.
    by_feature, by_channel, by_region : tuple of Importance
    """

    metric: str
    on: str
    by_feature: tuple[Importance, ...]
    by_channel: tuple[Importance, ...]
    by_region: tuple[Importance, ...]


@dataclass(frozen=True)
class Member:
    """A pipeline whose answers are a part of what is published.

    Attributes
    ----------
    weight : float
        Its part; those of all members sum to one.
    key
        That of its trial.
    title
        The classes of its steps, and what they are fitted to.
    """

    weight: float
    key: str
    title: str


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything that is told of a run.

    Attributes
    ----------
    document
        Of the model: name, scores, notices, spec.
    panel, target
        The training data.
    metric
        What the search raised, under scikit-learn's name.
    trials : tuple of Trial
        Every candidate that was evaluated, in that order, failures too.
    chosen : tuple of Member
        What the published pipeline is the mean of.
    positions : intp array of shape (n_evaluated,)
        The cases of the panel that were held out, or answered in the outer folds.
    answers : Prediction or None
        What was answered for them, in this order; None where no case was spared.
    importances
        None where they could not be measured; with none in them where there was no time.
    """

    document: ModelDocument
    panel: Panel
    target: Target
    metric: str
    trials: tuple[Trial, ...]
    chosen: tuple[Member, ...]
    positions: NDArray[np.intp]
    answers: Prediction | None
    importances: Importances | None

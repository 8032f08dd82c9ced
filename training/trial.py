"""Trials: candidates that were evaluated on the folds, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Trial:
    """One evaluation of one candidate.

    Attributes
    ----------
    key
        Of the candidate: the same steps on the same family of features have the same key.
    name
        The classes of its steps, as a log shows them.
    model_type
        The class of the last step.
    origin
        `portfolio`, `search` or `spec`.
    family
        The features it was fitted to: `features` or `convolutions`.
    selects : bool
        Whether irrelevant features were left out before its steps, inside each fold.
    at : float
        Seconds of the run that had passed when it was known.
    metrics : mapping of metric to its value
        Of the out-of-fold answers of all folds together; empty for one that failed.
    fold_scores : tuple of float, of length n_folds
        The metric that is raised, fold by fold.
    value : float
        What is raised, over all folds; larger is better.
    score : float
        One number to rank by, larger is better: the value, less a little of the log-loss.
    fit_seconds, predict_seconds : float
        The mean time of a fit on a fold's training cases, and of the answer for its test cases.
    parameters : mapping of text to text
        The parameters of its steps that are not the defaults, as `step.parameter`.
    failure : str or None
        Why it has no score.
    """

    key: str
    name: str
    model_type: str
    origin: str
    family: str
    at: float
    metrics: dict[str, float] = field(default_factory=dict)
    fold_scores: tuple[float, ...] = ()
    value: float = float("nan")
    score: float = float("-inf")
    fit_seconds: float = float("nan")
    predict_seconds: float = float("nan")
    parameters: dict[str, str] = field(default_factory=dict)
    failure: str | None = None
    selects: bool = False

    @property
    def n_folds(self) -> int:
        """How many folds were used."""
        return len(self.fold_scores)

    @property
    def fold_seconds(self) -> float:
        """The mean time of a fold."""
        return self.fit_seconds + self.predict_seconds

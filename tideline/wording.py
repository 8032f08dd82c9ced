"""How a message shows what it found."""

from __future__ import annotations

import reprlib

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 100

_METRICS = {
    "log_loss": "log-loss",
    "r2": "R²",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "brier_score": "Brier score",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}
"""Metrics that people do not write as scikit-learn does, or the scores of a model."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things as a sentence counts them: `1 class`, `2 classes`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def shown(value: object) -> str:
    """Return a value as a message shows it, cut short where it is long."""
    return _repr.repr(value)


def pipelines_of(tried: int, failed: int) -> str:
    """Return how a search has fared: `34 pipelines tried, 2 failed`."""
    return f"{counted(tried, 'pipeline')} tried" + (f", {failed} failed" if failed else "")


def best_of(name: str, metric: str, value: float) -> str:
    """Return which pipeline is the best, and by what: `best ExtraTreesClassifier, log-loss 0.31`.

    Parameters
    ----------
    name
        The pipeline's.
    metric, value
        Under scikit-learn's name, of which one that begins with `neg_` is better large; shown is
        what it negates.
    """
    return f"best {name}, {score_of(metric, value)}"


def score_of(metric: str, value: float) -> str:
    """Return a score under scikit-learn's name as people write it: `log-loss 0.31`."""
    shown_value = 0.0 - value if metric.startswith("neg_") else value
    return f"{metric_of(metric)} {shown_value:.3g}"


def metric_of(metric: str) -> str:
    """Return what people call a metric, that which scikit-learn negates by its own name."""
    plain = metric.removeprefix("neg_")
    return _METRICS.get(plain, plain.replace("_", " "))

"""The metrics that a spec may ask the search to raise, by scikit-learn's names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from tideline.errors import SpecError
from tideline.labels import Task
from tideline.spec.names import nearest
from tideline.wording import shown

METRICS: Mapping[Literal["classification", "regression"], tuple[str, ...]] = MappingProxyType(
    {
        "classification": (
            "accuracy",
            "average_precision",
            "balanced_accuracy",
            "f1",
            "f1_macro",
            "f1_micro",
            "f1_weighted",
            "jaccard_macro",
            "jaccard_micro",
            "jaccard_weighted",
            "matthews_corrcoef",
            "neg_brier_score",
            "neg_log_loss",
            "precision",
            "precision_macro",
            "precision_micro",
            "precision_weighted",
            "recall",
            "recall_macro",
            "recall_micro",
            "recall_weighted",
            "roc_auc",
            "roc_auc_ovo",
            "roc_auc_ovo_weighted",
            "roc_auc_ovr",
            "roc_auc_ovr_weighted",
        ),
        "regression": (
            "d2_absolute_error_score",
            "explained_variance",
            "neg_max_error",
            "neg_mean_absolute_error",
            "neg_mean_absolute_percentage_error",
            "neg_mean_squared_error",
            "neg_median_absolute_error",
            "neg_root_mean_squared_error",
            "r2",
        ),
    }
)
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "auc": "roc_auc",
        "brier_score": "neg_brier_score",
        "log_loss": "neg_log_loss",
        "mae": "neg_mean_absolute_error",
        "mean_absolute_error": "neg_mean_absolute_error",
        "mean_squared_error": "neg_mean_squared_error",
        "mse": "neg_mean_squared_error",
        "rmse": "neg_root_mean_squared_error",
        "root_mean_squared_error": "neg_root_mean_squared_error",
    }
)
FIELD = "model_training.metric"


def known_metric(name: str) -> str:
    """Return scikit-learn's name of a metric; what is better small, such as `mae`, is negated.

    Raises
    ------
    SpecError
        When there is no such metric; the nearest is named.
    """
    spelt = name.strip().lower()
    spelt = ALIASES.get(spelt, spelt)
    everything = [metric for metrics in METRICS.values() for metric in metrics]
    if spelt in everything:
        return spelt
    near = nearest(spelt, (*everything, *ALIASES))
    raise SpecError(
        f"{shown(name)} is not a metric that a search can raise.",
        mend=f"Did you mean {near!r}?" if near else f"Choose one of {', '.join(everything)}.",
        field=FIELD,
    )


def metric_task(name: str) -> Task:
    """Return the task that a known metric is for."""
    return "regression" if name in METRICS["regression"] else "classification"

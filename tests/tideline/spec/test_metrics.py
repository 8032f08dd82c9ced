"""The metrics that a search can raise."""

from __future__ import annotations

import pytest
from sklearn.metrics import get_scorer

from tideline.errors import SpecError
from tideline.spec.metrics import METRICS, known_metric, metric_task


@pytest.mark.parametrize("name", [m for metrics in METRICS.values() for m in metrics])
def test_every_metric_is_one_of_scikit_learn(name):
    assert get_scorer(name)
    assert known_metric(name) == name


@pytest.mark.parametrize(
    ("written", "name", "task"),
    [
        ("auc", "roc_auc", "classification"),
        ("log_loss", "neg_log_loss", "classification"),
        ("RMSE", "neg_root_mean_squared_error", "regression"),
        ("mae", "neg_mean_absolute_error", "regression"),
    ],
)
def test_reads_a_common_name_as_the_one_that_is_better_when_larger(written, name, task):
    assert known_metric(written) == name
    assert metric_task(name) == task


def test_names_the_nearest_metric():
    with pytest.raises(SpecError, match="Did you mean 'roc_auc'") as caught:
        known_metric("rocauc")
    assert caught.value.field == "model_training.metric"


def test_lists_the_metrics_when_none_is_near():
    with pytest.raises(SpecError, match="Choose one of accuracy"):
        known_metric("zzzz")

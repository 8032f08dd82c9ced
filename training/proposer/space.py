"""The space in which TPOT searches: linear pipelines for wide, small tables.

TPOT's own spaces are made for long tables of few columns. On 2,000 columns of features they spend
the time on scalers that do not help trees, on linear models without scaling, and on minutes of
recursion; here every pipeline is one that may be of use, see `training.proposer.individual`.
"""

from __future__ import annotations

from training.proposer.estimators import Sizes, classifiers, regressors
from training.proposer.individual import Layout
from training.proposer.preparations import reductions, scalers, selections
from training.proposer.task import ProposerTask


def search_space(task: ProposerTask) -> Layout:
    """Return the space for a task: scaler, selection, reduction, model."""
    cases, columns, seed = task.n_samples, task.n_features, task.random_state
    sizes = Sizes(len(task.classes), cases, columns, seed)
    models = classifiers if task.task == "classification" else regressors
    return Layout(
        [
            scalers(cases, seed),
            selections(task.task, cases, columns, seed),
            reductions(seed),
            models(sizes, task.light),
        ]
    )

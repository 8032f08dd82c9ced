"""The search's own process: `python -m training.searcher`, started by `training.search`.

It imports TPOT while the features are still being extracted, then reads one line from its standard
input: the task, as JSON. It ends when the search is done, and at once when its standard input
closes, which is what the death of the run looks like from here.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.folds import preparation, prepare_folds
from training.search_task import EVALUATIONS, SearchTask
from training.task import Target

if TYPE_CHECKING:
    from tpot import BaseIndividual
    from tpot.search_spaces.base import SearchSpace


def run_search(task: SearchTask) -> None:
    """Let TPOT search until its generations, its patience or its time are over."""
    # These import TPOT; see `main`.
    from training.objective import Objective, install  # noqa: PLC0415 - as above
    from training.search_space import search_space  # noqa: PLC0415 - as above

    folder = Path(task.folder)
    with np.load(folder / "search.npz") as arrays:
        X, y, fold_of = arrays["X"], arrays["y"], arrays["fold_of"]
    folds = prepare_folds(X, y, fold_of, preparation(task.task, task.select_features))
    space = search_space(
        n_classes=len(task.classes),
        n_samples=min(fold.X_train.shape[0] for fold in folds),
        n_features=min(fold.X_train.shape[1] for fold in folds),
        light=task.light,
        random_state=task.random_state,
    )
    target = Target(task.task, task.classes, y)
    install(Objective(folds, target, task.metric, folder, task.seconds_each))
    began = json.dumps({"began": True})
    (folder / EVALUATIONS).write_text(began + "\n", encoding="utf-8")
    _evolve(task, space)


def _evolve(task: SearchTask, space: SearchSpace) -> None:
    from distributed import Client, LocalCluster  # noqa: PLC0415 - TPOT imports it
    from tpot.evolvers import BaseEvolver  # noqa: PLC0415 - see `main`

    from training.objective import score  # noqa: PLC0415 - it imports TPOT

    # Threads of this process: no second import of TPOT, one process to end, and estimators leave
    # the interpreter free while they fit.
    with (
        LocalCluster(  # type: ignore[no-untyped-call]  # Dask has no types
            n_workers=task.workers,
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]  # as above
    ):
        BaseEvolver(
            individual_generator=_individuals(space, task.random_state),
            objective_functions=[score],
            objective_function_weights=[1],
            objective_names=["score"],
            population_size=task.population,
            initial_population_size=task.first_population,
            generations=task.generations,
            early_stop=task.early_stop,
            max_time_mins=task.seconds / 60,
            max_eval_time_mins=task.seconds_each / 60,
            n_jobs=task.workers,
            client=client,
            rng=task.random_state,
            **task.evolution,
        ).optimize()


def _individuals(space: SearchSpace, random_state: int) -> Iterator[BaseIndividual]:
    rng = np.random.default_rng(random_state)
    while True:
        yield space.generate(rng)


def _end_with_the_run() -> None:
    sys.stdin.read()
    os._exit(1)


def _import_tpot() -> None:
    import update_checker  # noqa: PLC0415 - belongs to what follows

    # TPOT asks PyPI for newer versions when it is imported; training needs no network.
    update_checker.update_check = lambda *_args, **_options: None
    import tpot  # noqa: F401, PLC0415 - these four seconds are to pass now


def main() -> None:
    """Import, wait for the task, search."""
    warnings.simplefilter("ignore")
    _import_tpot()
    line = sys.stdin.readline()
    if not line:
        return
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    run_search(SearchTask.from_line(line))
    # Pipelines that ran out of time may still be fitting in a thread; nobody waits for them.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

"""Tests of what TPOT raises, in a process of its own: the import of TPOT changes much."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from training.searcher import _import_tpot
_import_tpot()
"""
RECORD = """
import numpy as np
from sklearn.linear_model import LogisticRegression
from tideline.features.imputation import RangeImputer
from training.folds import prepare_folds
from training.objective import Objective
from training.task import Target

class Unwritable(LogisticRegression):
    def __getstate__(self):
        raise RuntimeError("cannot be written")

y = np.arange(20) % 2
X = y[:, np.newaxis] + np.zeros((20, 1))
folds = prepare_folds(X, y, np.arange(20) // 10, [("impute", RangeImputer())])
target = Target("classification", (0, 1), y)
objective = Objective(folds, target, "neg_log_loss", Path(sys.argv[1]), 60.0)
for model in (Unwritable(), LogisticRegression(C=1e-9)):
    try:
        objective.evaluate([("model", model)])
    except RuntimeError as error:
        objective.fail(error)
"""
DRAW = """
import numpy as np
import skops.io
from sklearn.pipeline import Pipeline
from tideline.store.trust import built
from training.search_space import search_space, steps_of

rng = np.random.default_rng(0)
for n_classes in (0, 3):
    space = search_space(
        n_classes=n_classes, n_samples=50, n_features=10, light=False, random_state=0
    )
    for _ in range(100):
        built(skops.io.dumps(Pipeline(steps_of(space.generate(rng)))))
"""


def run(program: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", BEGIN + program, str(folder)], check=True, timeout=240)


@pytest.mark.slow
def test_a_best_that_cannot_be_written_hides_no_other(tmp_path: Path) -> None:
    run(RECORD, tmp_path)
    lines = (tmp_path / "evaluations.jsonl").read_text().splitlines()
    failed, kept = (json.loads(line) for line in lines)
    assert failed == {"failure": "RuntimeError: cannot be written"}
    assert kept["file"] == "candidate-2.skops"
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".jsonl", ".skops"]


@pytest.mark.slow
def test_whatever_the_search_may_find_can_be_published(tmp_path: Path) -> None:
    run(DRAW, tmp_path)

"""Tests of the search space, in a process of its own: the import of TPOT changes much."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import warnings
warnings.simplefilter("ignore")
from training.proposer.__main__ import _import_tpot
_import_tpot()
import numpy as np
import skops.io
from sklearn.pipeline import Pipeline
from tideline.store.trust import built
from training.proposer.space import search_space
from training.proposer.task import ProposerTask

def drawn(n_classes, n_samples, n_features, count, light=False):
    kind = "classification" if n_classes else "regression"
    classes = tuple(range(n_classes))
    task = ProposerTask(kind, classes, n_samples, n_features, 0, 9, 9, 1, None, 1, light)
    space, rng = search_space(task), np.random.default_rng(0)
    return [space.generate(rng) for _ in range(count)]
"""
PUBLISH = """
for n_classes in (0, 3):
    X = np.random.default_rng(0).normal(size=(30, 40))
    y = np.arange(30) % 3
    names = set()
    for one in drawn(n_classes, 24, 40, 50):
        fitted = Pipeline(one.steps()).fit(X, y)
        again = built(skops.io.dumps(fitted))
        assert np.array_equal(fitted.predict(X), again.predict(X)), fitted
        names |= {type(step).__name__ for _, step in fitted.steps}
    assert len(names) >= 11, names
"""
KEYS = """
import sys
from pathlib import Path
from training.candidate import proposed
from training.recipes import Recipes

recipes = Recipes(Path(sys.argv[1]))
for n_classes in (0, 2, 5):
    for light in (False, True):
        offered, seen = set(), set()
        for one in drawn(n_classes, 24, 400, 150, light):
            templates = (kind.template for kinds in one.layout.kinds for kind in kinds)
            offered |= {type(template) for template in templates}
            candidate = proposed(one.steps())
            recipes.keep(candidate.key, candidate.steps)
            again = recipes.find(candidate.key)
            assert again is not None, candidate.parameters
            assert (again.key, again.parameters) == (candidate.key, candidate.parameters)
            assert [name for name, _ in again.steps] == [name for name, _ in candidate.steps]
            seen |= {type(step) for _, step in candidate.steps}
        assert seen == offered, offered - seen
"""
SETTLE = """
for one in drawn(2, 10, 2000, 40) + drawn(2, 10, 2000, 40, light=True):
    scale, _select, reduce, model = (gene.kind for gene in one.genes)
    assert (scale.template is not None) == model.scaled
    assert model.scaled or reduce.template is None
    assert not model.narrow or one.steps()[0][0] == "select" or reduce.template is not None
rng = np.random.default_rng(1)
one, other = drawn(2, 10, 2000, 2)
for _ in range(60):
    one.mutate(rng)
    one.crossover(other, rng)
    scale, _select, reduce, model = (gene.kind for gene in one.genes)
    assert (scale.template is not None) == model.scaled
"""
SMALL = """
for n_classes, n_samples, n_features in ((2, 4, 1), (5, 6, 2), (0, 4, 1), (60, 130, 12)):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    y = np.arange(n_samples) % n_classes if n_classes else rng.normal(size=n_samples)
    for one in drawn(n_classes, n_samples, n_features, 20):
        Pipeline(one.steps()).fit(X, y).predict(X)
"""
FAULTLESS = """
for n_classes in (2, 0):
    y = np.arange(6) % 2 if n_classes else np.arange(6.0)
    X = np.repeat(y[:, np.newaxis], 100, axis=1)
    selected = [dict(one.steps()).get("select") for one in drawn(n_classes, 6, 100, 40)]
    for select in filter(None, selected):
        assert select.fit_transform(X, y).shape[1] >= 10, select
    assert sum(select is not None for select in selected) > 10
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [PUBLISH, KEYS, SETTLE, SMALL, FAULTLESS],
    ids=["publish", "keys", "settle", "small", "faultless"],
)
def test_whatever_may_be_drawn(program: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", BEGIN + program, str(tmp_path)]
    subprocess.run(command, check=True, timeout=280)

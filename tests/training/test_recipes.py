"""Tests of the steps of candidates that another start of a run can fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.feature_selection import SelectFromModel, SelectPercentile, f_regression
from sklearn.linear_model import ElasticNet
from sklearn.preprocessing import StandardScaler

from training.candidate import proposed
from training.recipes import Recipes

FOUND = proposed(
    [
        ("scale", StandardScaler()),
        ("select", SelectPercentile(f_regression, percentile=3.5)),
        ("narrow", SelectFromModel(ExtraTreesRegressor(77, random_state=0), threshold=-1.0)),
        ("model", TransformedTargetRegressor(ElasticNet(0.5), transformer=StandardScaler())),
    ]
)
OTHER = proposed([("model", ElasticNet(0.7))])


@pytest.fixture
def recipes(tmp_path: Path) -> Recipes:
    made = Recipes(tmp_path / "steps")
    made.keep(FOUND.key, FOUND.steps)
    return made


def the_file(folder: Path) -> Path:
    (path,) = (folder / "steps").iterdir()
    return path


def test_what_is_kept_is_there_again_under_its_key(recipes: Recipes, tmp_path: Path) -> None:
    again = Recipes(tmp_path / "steps").find(FOUND.key)
    assert again is not None
    assert (again.key, again.parameters, again.title) == (FOUND.key, FOUND.parameters, FOUND.title)
    assert again.origin == "search"
    assert again.selects
    assert recipes.find(OTHER.key) is None


def test_a_candidate_is_written_once(recipes: Recipes, tmp_path: Path) -> None:
    before = the_file(tmp_path).stat()
    recipes.keep(FOUND.key, FOUND.steps)
    assert the_file(tmp_path).stat() == before


def of_another(folder: Path) -> bytes:
    recipes = Recipes(folder / "other")
    recipes.keep(OTHER.key, OTHER.steps)
    (path,) = (folder / "other").iterdir()
    return path.read_bytes()


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty", "of another"])
def test_a_file_that_is_damaged_is_as_if_it_was_not_there(
    recipes: Recipes, tmp_path: Path, damage: str
) -> None:
    path = the_file(tmp_path)
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(flipped) // 3] ^= 0xFF
    written = {
        "torn": content[:-40],
        "flipped": bytes(flipped),
        "empty": b"",
        "of another": of_another(tmp_path),
    }
    path.write_bytes(written[damage])
    assert recipes.find(FOUND.key) is None

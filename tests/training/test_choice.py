"""Tests of which model is published, by answers that are made up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tests.training.small import candidate_of, target_of
from tideline.blend import sharpened
from tideline.ridge import CalibratedRidgeClassifier
from training import choice as choosing
from training import ensemble
from training.candidate import Candidate
from training.choice import MOST_CASES, choose, default_choice
from training.ensemble import MOST_MEMBERS
from training.evaluator import Evaluated, Part
from training.portfolio import forest
from training.scoring import score_of
from training.split import split_cases
from training.table import Table
from training.task import Target
from training.trial import Trial

N = 120
RIDGE = Candidate("portfolio", "convolutions", (("model", CalibratedRidgeClassifier()),))
FOREST = forest("classification", "features", 0, 500)
SMALLER = forest("classification", "features", 0, 100)


def part(metric: str = "neg_log_loss", n_classes: int = 2, n: int = N) -> Part:
    target = target_of(n_classes, n)
    split = split_cases(target, test_fraction=0.0, folds=3)
    return Part("main", Table({}), target, split.folds, metric, "")


def searched(number: int) -> Candidate:
    return candidate_of(LogisticRegression(C=1.0 + number), origin="search", selects=True)


def evaluated(
    on: Part, candidate: Candidate, seed: int, noise: float, common: float = 0.0
) -> Evaluated:
    """Return answers that are the surer the less noise there is, of their own and in common."""
    y, k = on.target.y, on.target.n_classes
    own, all_have = (np.random.default_rng(each).normal(size=(y.size, k)) for each in (seed, 0))
    decisions = 2.0 * np.eye(k)[y] + noise * own + common * all_have
    answers = np.exp(decisions) / np.exp(decisions).sum(axis=1, keepdims=True)
    answers = answers.astype(np.float32)
    score = score_of(on.metric, on.target, y, answers)
    trial = Trial(
        candidate.key, candidate.name, candidate.model_type, candidate.origin, candidate.family,
        0.0, score.metrics, (score.value,) * 3, score.value, score.rank,
    )  # fmt: skip
    return Evaluated(candidate, trial, answers)


def valued(on: Part, candidate: Candidate, seed: int, noise: float) -> Evaluated:
    """Return answers for a regression."""
    y = on.target.y
    answers = (y + noise * np.random.default_rng(seed).normal(size=N))[:, np.newaxis]
    score = score_of(on.metric, on.target, y, answers)
    trial = Trial(
        candidate.key, "", "", candidate.origin, candidate.family, 0.0, value=score.value,
        score=score.rank,
    )  # fmt: skip
    return Evaluated(candidate, trial, answers.astype(np.float32))


def usual(on: Part, noise: float = 2.0, common: float = 0.0) -> list[Evaluated]:
    return [
        evaluated(on, RIDGE, 1, noise, common),
        evaluated(on, FOREST, 2, noise, common),
        evaluated(on, SMALLER, 3, noise, common),
        evaluated(on, candidate_of(), 4, noise, common),
    ]


def keys(members: Sequence[tuple[float, Candidate]]) -> set[str]:
    return {candidate.key for _, candidate in members}


def test_of_equals_the_same_is_chosen_whichever_was_known_sooner() -> None:
    on = part()
    poor = usual(on, noise=4.0)
    twins = [evaluated(on, searched(number), 10, 0.1) for number in range(4)]
    chosen = {
        tuple(sorted(keys(choose([*poor, *order], on, 0).members)))
        for order in (twins, twins[::-1], twins[2:] + twins[:2])
    }
    assert len(chosen) == 1
    assert chosen.pop()[0] in {twin.candidate.key for twin in twins}


@pytest.mark.parametrize("metric", ["neg_log_loss", "accuracy", "roc_auc"])
def test_the_default_blend_is_kept_where_none_is_clearly_better(metric: str) -> None:
    on = part(metric)
    # As is usual, they err on the same cases; some by chance on fewer.
    lucky = [evaluated(on, searched(number), 10 + number, 0.3, 2.0) for number in range(20)]
    found = [*usual(on, 0.3, 2.0), *lucky]
    choice = choose(found, on, 0)
    assert keys(choice.members) == {RIDGE.key, FOREST.key}
    assert "default" in choice.reason


@pytest.mark.parametrize("metric", ["neg_log_loss", "accuracy"])
def test_a_rival_that_is_clearly_better_is_chosen(metric: str) -> None:
    on = part(metric)
    better = evaluated(on, searched(0), 10, 0.2)
    choice = choose([*usual(on, 4.0), better], on, 0)
    assert better.candidate.key in keys(choice.members)
    assert choice.score.rank > default_choice(usual(on, 4.0), on).score.rank
    assert "default" not in choice.reason


@pytest.mark.parametrize(("members", "is_chosen"), [(3, False), (30, True)])
def test_very_few_members_of_a_class_make_no_rival_clear(members: int, is_chosen: bool) -> None:
    on = part()
    y = np.zeros(on.target.y.size, dtype=np.int64)
    y[:: y.size // members] = 1
    on = replace(on, target=replace(on.target, y=y))
    better = evaluated(on, searched(0), 10, 0.2)
    choice = choose([*usual(on, 4.0), better], on, 0)
    assert (better.candidate.key in keys(choice.members)) == is_chosen


def test_a_rival_that_is_better_in_one_group_is_not_clear() -> None:
    on = part("accuracy")
    # Half of the cases are of one group, where the usual is wrong; elsewhere all are equal.
    groups = np.where(np.arange(N) < N // 2, 0, np.arange(N))
    found = usual(on, 0.3)
    better = evaluated(on, searched(0), 10, 0.0)
    for each in (*found, better):
        assert each.answers is not None
        each.answers[N // 2 :] = np.eye(2)[on.target.y[N // 2 :]] * 0.8 + 0.1
    for each in found:
        each.answers[: N // 2] = 0.5 + 0.1 * (0.5 - np.eye(2)[on.target.y[: N // 2]])
    alone, grouped = (
        choose([*found, better], replace(on, groups=each), 0) for each in (None, groups)
    )
    assert better.candidate.key in keys(alone.members)
    # Resamples without the one group tell nothing of it: more than one in a hundred.
    assert keys(grouped.members) == {RIDGE.key, FOREST.key}


@pytest.mark.parametrize(("n_groups", "is_chosen"), [(3, False), (12, True)])
@pytest.mark.parametrize("n_classes", [0, 2])
def test_a_class_in_very_few_groups_makes_no_rival_clear(
    n_groups: int, is_chosen: bool, n_classes: int
) -> None:
    on = part("neg_log_loss" if n_classes else "r2", n_classes)
    # Groups of one class each; or of any values.
    on = replace(on, groups=np.arange(N) % (max(n_classes, 1) * n_groups))
    if n_classes:
        better, others = evaluated(on, searched(0), 10, 0.2), usual(on, 4.0)
    else:
        better = valued(on, searched(0), 10, 0.1)
        others = [valued(on, c, seed, 2.0) for seed, c in enumerate((RIDGE, FOREST))]
    choice = choose([*others, better], on, 0)
    assert (better.candidate.key in keys(choice.members)) == is_chosen


def test_nothing_is_above_what_is_always_right() -> None:
    on = part("accuracy")
    choice = choose([*usual(on, 0.0), evaluated(on, searched(0), 10, 0.0)], on, 0)
    assert keys(choice.members) == {RIDGE.key, FOREST.key}
    assert choice.score.value == 1.0


@pytest.mark.parametrize("n_classes", [2, 4])
def test_an_ensemble_is_bounded_and_its_weights_sum_to_one(n_classes: int) -> None:
    on = part(n_classes=n_classes)
    many = [evaluated(on, searched(number), 10 + number, 1.5) for number in range(40)]
    choice = choose([*usual(on, 20.0), *many], on, 0)
    assert 1 < len(choice.members) <= MOST_MEMBERS
    weights = [weight for weight, _ in choice.members]
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) > 0
    by_key = {each.candidate.key: each.answers for each in many}
    mean = sum(weight * by_key[c.key] for weight, c in choice.members)
    np.testing.assert_allclose(choice.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(choice.answers.sum(axis=1), 1.0)
    assert choice.score.value > max(each.trial.value for each in many)


def test_the_same_gives_the_same_in_whichever_order_it_was_found() -> None:
    on = part()
    found = [*usual(on, 3.0), *(evaluated(on, searched(n), 10 + n, 1.5) for n in range(8))]
    first, again, turned = (
        choose(each, on, 7) for each in (found, list(found), [found[0], *found[:0:-1]])
    )
    told = [
        sorted((c.key, weight) for weight, c in each.members) for each in (first, again, turned)
    ]
    assert told[0] == told[1] == told[2]
    assert first.sharpness == again.sharpness == pytest.approx(turned.sharpness)


def test_who_knows_more_is_chosen_before_who_is_surer() -> None:
    on = part(n_classes=3, n=300)
    timid, loud = (evaluated(on, searched(n), 10 + n, noise) for n, noise in ((0, 0.8), (1, 1.4)))
    assert timid.answers is not None
    answers = sharpened(timid.answers.astype(np.float64), 0.15).astype(np.float32)
    score = score_of(on.metric, on.target, on.target.y[on.tested], answers)
    trial = replace(timid.trial, value=score.value, score=score.rank)
    timid = replace(timid, trial=trial, answers=answers)
    assert timid.trial.score < loud.trial.score
    choice = choose([*usual(on, 4.0), timid, loud], on, 0)
    weights = {candidate.key: weight for weight, candidate in choice.members}
    assert weights[timid.candidate.key] > weights.get(loud.candidate.key, 0.0)
    assert choice.sharpness > 2.0


def test_the_default_is_the_largest_forest_and_the_ridge() -> None:
    on = part()
    choice = default_choice(usual(on), on)
    assert keys(choice.members) == {FOREST.key, RIDGE.key}
    assert sum(weight for weight, _ in choice.members) == pytest.approx(1.0)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_without_one_of_them_the_default_is_what_there_is(left: int) -> None:
    on = part()
    only = usual(on)[left]
    assert keys(default_choice([only], on).members) == {only.candidate.key}


def test_what_the_spec_names_is_published_as_it_is() -> None:
    on = part()
    named = evaluated(on, candidate_of(origin="spec"), 1, 0.1)
    choice = default_choice([named], on)
    assert choice.sharpness == 1.0
    np.testing.assert_array_equal(choice.answers.astype(np.float32), named.answers)


def test_a_rival_that_few_resamples_can_judge_is_not_chosen() -> None:
    # Each of forty classes has three members: hardly a resample has them all.
    on = part("roc_auc", 40)
    perfect = evaluated(on, searched(0), 1, 0.0)
    choice = choose([evaluated(on, RIDGE, 2, 30.0), perfect], on, 0)
    assert keys(choice.members) == {RIDGE.key}


def test_values_are_blended_without_being_sharpened() -> None:
    on = part("r2", 0)
    models = (RIDGE, forest("regression", "features", 0, 500))
    found = [valued(on, candidate, seed, 1.0) for seed, candidate in enumerate(models)]
    choice = choose(found, on, 0)
    assert choice.sharpness == 1.0
    wanted = sum(w * {e.candidate.key: e for e in found}[c.key].answers for w, c in choice.members)
    np.testing.assert_allclose(choice.answers, wanted, rtol=1e-5)


@pytest.mark.parametrize("seconds", [-1.0, 0.05])
def test_the_default_is_kept_when_the_time_is_over_first(seconds: float) -> None:
    on = part("roc_auc", 4, 3000)
    better = [evaluated(on, searched(number), 10 + number, 0.2) for number in range(10)]
    found = [*usual(on, 4.0), *better]
    began = time.monotonic()
    default_choice(found, on)
    enough = time.monotonic() - began
    began = time.monotonic()
    choice = choose(found, on, 0, deadline=began + enough + seconds)
    assert time.monotonic() - began < 3 * enough + max(seconds, 0.0) + 0.5
    assert keys(choice.members) == {RIDGE.key, FOREST.key}
    assert "no time" in choice.reason
    assert choice.score.value == default_choice(found, on).score.value


def test_a_selection_on_many_cases_is_scored_on_a_sample_and_published_for_all() -> None:
    on = part(n_classes=3, n=MOST_CASES + 1000)
    many = [evaluated(on, searched(number), 10 + number, 1.5) for number in range(4)]
    first, again = (choose([*usual(on, 20.0), *many], on, 3) for _ in range(2))
    assert len(first.members) > 1
    assert keys(first.members) == keys(again.members)
    assert first.mean.shape == (on.tested.size, 3)
    y = on.target.y[on.tested]
    assert first.score == score_of(on.metric, on.target, y, first.answers)


def scorings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of cases of each scoring."""
    sizes: list[int] = []
    ranked = choosing.ranked

    def counted(metric: str, target: Target, y: NDArray[Any], answers: NDArray[Any]) -> Any:
        sizes.append(y.size)
        return ranked(metric, target, y, answers)

    for module in (choosing, ensemble):
        monkeypatch.setattr(module, "ranked", counted)
    return sizes


def test_no_more_is_scored_than_can_change_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = scorings(monkeypatch)
    on = part("accuracy", n=MOST_CASES + 1000)
    sure = evaluated(on, searched(0), 10, 0.0)
    choose([*usual(on, 4.0), sure], on, 0)
    # Each of five alone, of which one is always right; then rounds of the five, and of their mean.
    assert sum(size == on.tested.size for size in sizes) == 2 * choosing.RESAMPLES
    assert sum(size < on.tested.size for size in sizes) == 5 + 6 * ensemble.GAINLESS_ROUNDS
    sizes.clear()
    choose([*usual(on, 0.0), sure], on, 0)
    assert not any(size == on.tested.size for size in sizes)

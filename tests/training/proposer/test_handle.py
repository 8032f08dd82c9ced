"""Tests of the proposer, over the real child process; the scores are made up."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.preprocessing import StandardScaler

from tests.training import small
from training.candidate import Step
from training.proposer.handle import Done, Proposal, Proposer, Ready
from training.proposer.task import ProposerTask

SEEDS: list[list[Step]] = [
    [("model", ExtraTreesClassifier(500, max_features=0.1, n_jobs=2, random_state=3))],
    [("scale", StandardScaler()), ("model", LogisticRegression(max_iter=1000, random_state=3))],
    # A kind that the space does not know.
    [("scale", StandardScaler()), ("model", RidgeClassifierCV(alphas=(1.0, 10.0)))],
    [("model", LGBMClassifier(n_estimators=77, num_leaves=4, verbose=-1))],
]
TASK = replace(
    small.TASK,
    classes=("a", "b"),
    n_samples=40,
    n_features=2000,
    random_state=5,
    population=10,
    first_population=10,
    generations=6,
    workers=1,
    light=False,
    seeds=SEEDS,
)
Written = list[tuple[str, str, str]]


def written(steps: list[Step]) -> Written:
    """Return steps as what compares: names, classes and every parameter."""
    return [
        (name, type(step).__name__, repr(sorted(step.get_params(deep=True).items(), key=str)))
        for name, step in steps
    ]


def is_of_the_seed(steps: list[Step]) -> bool:
    """Tell whether a pipeline is a child of the second seed."""
    model = steps[-1][1]
    # LinearSVC has as many by default.
    return isinstance(model, LogisticRegression) and model.max_iter == 1000


def made_up(steps: list[Step]) -> float | None:
    """Return a score: children of one seed are the best, and some of the others fail."""
    noise = zlib.crc32(repr(written(steps)).encode()) / 2**32
    if is_of_the_seed(steps):
        return 1.0 + noise
    return None if noise < 0.2 else noise


def told(proposer: Proposer, proposal: Proposal) -> None:
    score = made_up(proposal.steps)
    if score is None:
        proposer.refuse(proposal.number, "made up")
    else:
        proposer.answer(proposal.number, score)


def course(
    folder: Path, task: ProposerTask, choose: Callable[[list[Proposal]], int], held: int
) -> tuple[list[Proposal], Done]:
    """Run a search to its end, holding some proposals back and answering in some order."""
    proposals: list[Proposal] = []
    waiting: list[Proposal] = []
    with Proposer(folder) as proposer:
        proposer.begin(task)
        assert isinstance(proposer.receive(), Ready)
        while True:
            while waiting and (len(waiting) > held or not proposer.connection.poll(0.2)):
                told(proposer, waiting.pop(choose(waiting)))
            said = proposer.receive()
            if isinstance(said, Done):
                assert not waiting
                return proposals, said
            assert isinstance(said, Proposal)
            proposals.append(said)
            waiting.append(said)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Proposal], Done]:
    return course(tmp_path_factory.mktemp("proposer"), TASK, lambda _: 0, 0)


@pytest.fixture
def proposer(tmp_path: Path) -> Iterator[Proposer]:
    with Proposer(tmp_path / "proposer") as started:
        yield started


def test_the_seeds_come_first_and_exactly(ended: tuple[list[Proposal], Done]) -> None:
    proposals, _ = ended
    assert [proposal.number for proposal in proposals] == list(range(len(proposals)))
    found = [written(proposal.steps) for proposal in proposals[: len(SEEDS)]]
    assert found == [written(steps) for steps in SEEDS]


def test_it_is_done_after_its_generations_though_some_proposals_fail(
    ended: tuple[list[Proposal], Done],
) -> None:
    proposals, done = ended
    assert done == Done("6 generations are over")
    assert TASK.population * 5 < len(proposals) <= TASK.population * 6
    assert any(made_up(proposal.steps) is None for proposal in proposals)


def test_evolution_goes_on_from_the_best_seed(ended: tuple[list[Proposal], Done]) -> None:
    children = [each.steps for each in ended[0][TASK.population :] if is_of_the_seed(each.steps)]
    assert len(children) > 3
    # What the space does not know is inherited, and what it does evolves.
    assert all(steps[-1][1].random_state == 3 for steps in children)
    assert len({str(steps) for steps in children}) == len(children)
    assert {steps[-1][1].C for steps in children} > {1.0}


def test_no_pipeline_is_proposed_twice_or_of_tpots_own_classes(
    ended: tuple[list[Proposal], Done],
) -> None:
    found = [repr(written(proposal.steps)) for proposal in ended[0]]
    assert len(set(found)) == len(found)
    modules = {
        type(step).__module__.partition(".")[0] for each in ended[0] for _, step in each.steps
    }
    assert modules <= {"sklearn", "lightgbm"}


@pytest.mark.slow
def test_neither_the_order_of_answers_nor_the_workers_change_the_proposals(
    ended: tuple[list[Proposal], Done], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    again, _ = course(
        tmp_path, replace(TASK, workers=2), lambda some: int(rng.integers(len(some))), 2
    )
    assert [written(each.steps) for each in again] == [written(each.steps) for each in ended[0]]


def test_it_ends_when_the_run_is_gone_even_while_it_imports(proposer: Proposer) -> None:
    child = psutil.Process(proposer.pid)
    proposer.connection.close()
    assert child.wait(timeout=30) == 1


def test_refuses_a_score_that_cannot_be_compared(proposer: Proposer) -> None:
    with pytest.raises(ValueError, match="score of proposal 3 is nan; a finite one is expected"):
        proposer.answer(3, float("nan"))


@pytest.mark.slow
def test_proposals_wait_for_every_worker_and_the_end_of_the_run_ends_it(proposer: Proposer) -> None:
    proposer.begin(replace(TASK, workers=4))
    assert isinstance(proposer.receive(), Ready)
    assert [proposer.receive().number for _ in range(6)] == list(range(6))  # type: ignore[union-attr]  # proposals
    assert not proposer.connection.poll(0.5)
    child = psutil.Process(proposer.pid)
    proposer.connection.close()
    assert child.wait(timeout=10) == 1


@pytest.mark.slow
def test_another_task_ends_the_search_and_is_answered_as_by_a_new_process(
    ended: tuple[list[Proposal], Done], proposer: Proposer
) -> None:
    proposer.begin(replace(TASK, random_state=99, workers=4))
    assert isinstance(proposer.receive(), Ready)
    for _ in range(12):
        said = proposer.receive()
        assert isinstance(said, Proposal)
        proposer.answer(said.number, 0.5)
    # Some of its proposals wait for their scores, others are still in the line.
    proposer.begin(TASK)
    proposals: list[Proposal] = []
    while not isinstance(said := proposer.receive(), Done):
        if isinstance(said, Proposal):
            proposals.append(said)
            told(proposer, said)
    assert [written(each.steps) for each in proposals] == [written(e.steps) for e in ended[0]]
    assert [each.number for each in proposals] == list(range(len(proposals)))
    assert said == ended[1]
    # One that has come to its end waits for the next.
    proposer.begin(replace(TASK, generations=1))
    assert isinstance(proposer.receive(), Ready)
    said = proposer.receive()
    assert isinstance(said, Proposal)
    assert said.number == 0
    # Of two tasks that come while it is at work on a third, it takes the newer.
    proposer.begin(replace(TASK, seeds=SEEDS[:1]))
    proposer.begin(replace(TASK, seeds=SEEDS[1:2]))
    while not isinstance(said := proposer.receive(), Ready):
        assert said is None
    said = proposer.receive()
    assert isinstance(said, Proposal)
    assert written(said.steps) == written(SEEDS[1])


@pytest.mark.slow
def test_its_last_words_say_why_it_died(proposer: Proposer) -> None:
    scaled = [(f"scale{i}", StandardScaler()) for i in range(4)]
    proposer.begin(replace(TASK, seeds=[[*scaled, ("model", LogisticRegression())]]))
    assert isinstance(proposer.receive(), Ready)
    said = proposer.receive()
    assert isinstance(said, Done)
    assert said.failed
    assert said.reason.startswith("exit code 1: ValueError: StandardScaler > StandardScaler > ")
    assert said.reason.endswith("cannot be a seed: expected scale, select, reduce, model")
    proposer.answer(0, 1.0)
    assert proposer.receive() == said
    proposer.end()
    proposer.end()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "score", "reason"),
    [
        ({"population": 3, "first_population": 1}, None, "none of the first 12 pipelines has a"),
        ({"generations": None, "early_stop": 2}, 0.5, "2 generations without a better pipeline"),
    ],
)
def test_it_says_why_it_is_done(
    proposer: Proposer, changes: dict[str, Any], score: float | None, reason: str
) -> None:
    proposer.begin(replace(TASK, **changes))
    assert isinstance(proposer.receive(), Ready)
    while isinstance(said := proposer.receive(), Proposal):
        if score is None:
            proposer.refuse(said.number, "made up")
        else:
            proposer.answer(said.number, score)
    assert isinstance(said, Done)
    assert not said.failed
    assert said.reason.startswith(reason)

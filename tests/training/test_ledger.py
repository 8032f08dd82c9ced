"""Tests of what a run keeps of its trials."""

from __future__ import annotations

import io
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from training.candidate import proposed
from training.fold import Answers
from training.ledger import MAIN, MAPPED, TRIALS, Ledger
from training.trial import Trial

GOOD = Trial(
    key="0123456789abcdef",
    name="StandardScaler > LogisticRegression",
    model_type="LogisticRegression",
    origin="search",
    family="features",
    at=12.5,
    metrics={"accuracy": 0.9},
    fold_scores=(0.8, float("nan"), 1.0),
    value=0.9,
    score=0.8999,
    fit_seconds=0.01,
    predict_seconds=0.001,
    parameters={"model.C": "2.0", "scale.with_mean": "False"},
)
BAD = Trial("fedcba9876543210", "SVC", "SVC", "search", "features", 1.0, failure="ValueError: no")
ANSWERS: Answers = np.random.default_rng(0).random((7, 3), dtype=np.float32)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "trials")


def test_trials_and_answers_are_there_again(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(MAIN, GOOD, ANSWERS)
    ledger.record(MAIN, BAD, None)
    ledger.record("outer-1", replace(GOOD, value=0.1), ANSWERS[:2])
    again = Ledger(tmp_path / "trials")
    assert repr(again.trials) == repr(ledger.trials) == repr((GOOD, BAD))
    assert again.trials[0].n_folds == 3
    assert again.failures == {"ValueError: no": 1}
    for part, value, answers in ((MAIN, 0.9, ANSWERS), ("outer-1", 0.1, ANSWERS[:2])):
        found = again.find(part, GOOD.key)
        assert found is not None
        assert found[0].value == value
        assert found[1] is not None
        assert found[1].dtype == np.float32
        np.testing.assert_array_equal(found[1], answers)
    assert again.find(MAIN, BAD.key) is not None
    assert again.find("outer-2", GOOD.key) is None


def test_which_searches_have_ended_is_there_again(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record("outer-2-of-5", GOOD, ANSWERS)
    ledger.end_search("outer-1-of-5")
    for each in (ledger, Ledger(tmp_path / "trials")):
        assert each.has_searched("outer-1-of-5")
        assert not each.has_searched("outer-2-of-5")
        assert not each.has_searched(MAIN)


def test_large_answers_are_mapped_and_the_same(ledger: Ledger, tmp_path: Path) -> None:
    large: Answers = np.random.default_rng(0).random((MAPPED, 2), dtype=np.float32)
    for part, told in ((MAIN, large), ("outer-1", ANSWERS)):
        kept = ledger.record(part, GOOD, told)
        found = Ledger(tmp_path / "trials").find(part, GOOD.key)
        assert found is not None
        for answers in (kept, found[1]):
            assert answers is not None
            assert isinstance(answers, np.memmap) == (told is large)
            np.testing.assert_array_equal(answers, told)


@pytest.mark.parametrize("length", [100, 200, 2**19])
def test_large_answers_that_are_cut_are_forgotten(
    ledger: Ledger, tmp_path: Path, length: int
) -> None:
    large: Answers = np.zeros((2**18, 1), dtype=np.float32)
    ledger.record(MAIN, GOOD, large)
    os.truncate(tmp_path / "trials" / f"{MAIN}-{GOOD.key}.npy", length)
    assert Ledger(tmp_path / "trials").find(MAIN, GOOD.key) is None


@pytest.mark.parametrize("torn", [b"", b'{"part": "main", "key": "01', b"\xff"])
def test_a_line_that_was_not_written_to_its_end_is_forgotten(
    ledger: Ledger, tmp_path: Path, torn: bytes
) -> None:
    ledger.record(MAIN, BAD, None)
    path = tmp_path / "trials" / TRIALS
    path.write_bytes(path.read_bytes() + torn)
    again = Ledger(tmp_path / "trials")
    assert len(again.trials) == 1
    again.record(MAIN, GOOD, ANSWERS)
    assert [trial.key for trial in Ledger(tmp_path / "trials").trials] == [BAD.key, GOOD.key]


def test_nothing_but_a_torn_line_is_an_empty_ledger(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "trials" / TRIALS).write_bytes(b'{"part"')
    assert Ledger(tmp_path / "trials").trials == ()


def test_a_trial_whose_answers_are_not_there_is_forgotten(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(MAIN, GOOD, ANSWERS)
    ledger.record(MAIN, BAD, None)
    (tmp_path / "trials" / f"{MAIN}-{GOOD.key}.npy").unlink()
    assert [trial.key for trial in Ledger(tmp_path / "trials").trials] == [BAD.key]


def test_what_is_counted_is_what_is_known(ledger: Ledger, tmp_path: Path) -> None:
    other = replace(BAD, key="other", failure="ValueError: yes")
    ledger.record(MAIN, BAD, None)
    ledger.record("outer-1", replace(BAD, key="elsewhere"), None)
    assert (ledger.n_trials, ledger.failures) == (1, {"ValueError: no": 1})
    # Evaluated again, as where the answers of an earlier start were lost: it counts once.
    ledger.record(MAIN, other, None)
    ledger.record(MAIN, replace(other, failure="ValueError: no"), None)
    ledger.record(MAIN, GOOD, ANSWERS)
    ledger.record(MAIN, GOOD, ANSWERS)
    for known in (ledger, Ledger(tmp_path / "trials")):
        assert (known.n_trials, dict(known.failures)) == (3, {"ValueError: no": 2})


def test_what_was_proposed_is_there_again_the_best_first(ledger: Ledger, tmp_path: Path) -> None:
    candidates = [proposed([("model", LogisticRegression(C=c))]) for c in (1.0, 2.0, 3.0, 4.0)]
    for score, candidate in enumerate(candidates):
        trial = replace(GOOD, key=candidate.key, score=float(score))
        ledger.record(MAIN, trial, ANSWERS, candidate.steps)
        ledger.record("outer-1", trial, ANSWERS, candidate.steps)
    failed = proposed([("model", LogisticRegression(C=-1.0))])
    ledger.record(MAIN, replace(BAD, key=failed.key), None, failed.steps)
    first = replace(GOOD, key="first", origin="portfolio")
    ledger.record(MAIN, first, ANSWERS, candidates[0].steps)
    steps = tmp_path / "trials" / "steps"
    assert len(list(steps.iterdir())) == len(candidates), "once, not by part"
    (steps / f"{candidates[2].key}.skops").write_bytes(b"damaged")
    (steps / f"{candidates[1].key}.skops").unlink()
    again = Ledger(tmp_path / "trials")
    found = [candidate.key for candidate in again.proposed(MAIN)]
    assert found == [candidates[3].key, candidates[0].key]
    assert [c.key for c in again.proposed("outer-1")] == found
    assert list(again.proposed("outer-2")) == []
    assert again.find(MAIN, candidates[2].key) is not None, "proposed again, it is known"


LINE = {"part": MAIN, **asdict(BAD)}


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"\xff\x00",
        b"[" * 100_000,
        b"7",
        b"{}",
        json.dumps({**LINE, "part": 7}).encode(),
        json.dumps({**LINE, "colour": "red"}).encode(),
        json.dumps({**LINE, "fold_scores": "high"}).encode(),
        json.dumps({**LINE, "at": None}).encode(),
    ],
    ids=range(10),
)
def test_a_damaged_line_costs_no_other(ledger: Ledger, tmp_path: Path, damaged: bytes) -> None:
    ledger.record(MAIN, GOOD, ANSWERS)
    path = tmp_path / "trials" / TRIALS
    path.write_bytes(damaged + b"\n" + path.read_bytes() + damaged + b"\n")
    again = Ledger(tmp_path / "trials")
    assert [trial.key for trial in again.trials] == [GOOD.key]
    again.record(MAIN, BAD, None)
    assert [trial.key for trial in Ledger(tmp_path / "trials").trials] == [GOOD.key, BAD.key]


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        npy(ANSWERS)[:20],
        npy(ANSWERS)[:-1],
        npy(ANSWERS).replace(b"(7, 3)", b"(((((("),
        npy(ANSWERS).replace(b"(7, 3)", b"(7e9,)"),
        npy(ANSWERS.astype(np.float64)),
        npy(ANSWERS[0]),
        npy(np.array([{}])),
        b"PK\x03\x04 no archive",
    ],
    ids=range(9),
)
def test_a_trial_whose_answers_are_damaged_is_forgotten(
    ledger: Ledger, tmp_path: Path, content: bytes
) -> None:
    ledger.record(MAIN, GOOD, ANSWERS)
    ledger.record(MAIN, BAD, None)
    (tmp_path / "trials" / f"{MAIN}-{GOOD.key}.npy").write_bytes(content)
    again = Ledger(tmp_path / "trials")
    assert [trial.key for trial in again.trials] == [BAD.key]
    again.record(MAIN, GOOD, ANSWERS)
    assert Ledger(tmp_path / "trials").find(MAIN, GOOD.key) is not None

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeClassifier, RidgeClassifierCV
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from tideline import spectrum
from tideline.ridge import PENALTIES, CalibratedRidgeClassifier, WideRidgeRegressor
from tideline.store.trust import built

SHAPES = [(60, 400), (60, 12), (60, 60)]


def classes(
    n_cases: int = 60, n_columns: int = 400, n_classes: int = 3, apart: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return a table whose first columns tell the classes apart, and one that is constant."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n_cases) % n_classes
    X = rng.normal(size=(n_cases, n_columns)) * rng.uniform(0.1, 10, n_columns) + 3
    X[:, :5] += apart * rng.normal(size=(n_classes, 5))[codes] * 3
    X[:, 7] = 0.1
    return X, codes


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_decisions_are_those_of_sklearn(
    shape: tuple[int, int], n_classes: int, class_weight: str | None
) -> None:
    X, y = classes(*shape, n_classes)
    X, y = X[: -n_classes + 1], y[: -n_classes + 1]
    scaler = StandardScaler().fit(X)
    peer = RidgeClassifier(7.0, class_weight=class_weight).fit(scaler.transform(X), y)
    new, _ = classes(*shape, n_classes, seed=1)

    model = CalibratedRidgeClassifier((7.0,), class_weight).fit(X, y)

    np.testing.assert_allclose(
        model.decision_function(new), peer.decision_function(scaler.transform(new)), rtol=1e-8
    )
    assert (model.predict(new) == peer.predict(scaler.transform(new))).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_the_penalty_is_the_one_that_sklearn_chooses(
    shape: tuple[int, int], class_weight: str | None
) -> None:
    X, y = classes(*shape)
    alphas = tuple(np.logspace(-3, 3, 10))
    scaled = StandardScaler().fit_transform(X[:-1])
    peer = RidgeClassifierCV(alphas, class_weight=class_weight).fit(scaled, y[:-1])

    model = CalibratedRidgeClassifier(alphas, class_weight).fit(X[:-1], y[:-1])

    assert model.alpha_ == pytest.approx(peer.alpha_)
    assert model.errors_.min() == pytest.approx(-peer.best_score_)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e4])
def test_leave_one_out_decisions_are_those_of_models_without_the_case(
    shape: tuple[int, int], alpha: float
) -> None:
    X, y = classes(*shape)
    scaled = StandardScaler().fit_transform(X)

    model = CalibratedRidgeClassifier((alpha,)).fit(X, y)

    targets = np.where(np.arange(3) == y[:, None], 1.0, -1.0)
    for case in (0, 7, 59):
        others = np.arange(60) != case
        peer = Ridge(alpha).fit(scaled[others], targets[others])
        expected = peer.predict(scaled[[case]])[0]
        np.testing.assert_allclose(model.loo_decisions_[case], expected, rtol=1e-6, atol=1e-8)


def test_blocks_and_single_precision_change_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    X, y = classes()
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    whole = CalibratedRidgeClassifier().fit(X, y)

    monkeypatch.setattr(spectrum, "BLOCK_VALUES", 1)
    model = CalibratedRidgeClassifier().fit(mapped, y)

    assert model.alpha_ == pytest.approx(whole.alpha_, rel=1e-5)
    np.testing.assert_allclose(model.predict_proba(mapped), whole.predict_proba(X), atol=1e-5)


def test_no_second_table_is_made() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 50_000)).astype(np.float32)
    model = CalibratedRidgeClassifier()

    tracemalloc.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spectrum, "BLOCK_VALUES", 2**18)
        model.fit(X, np.arange(100) % 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < X.nbytes / 2


def test_one_case_of_many_columns_is_answered_at_once() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 50_000)).astype(np.float32)
    model = CalibratedRidgeClassifier().fit(X, np.arange(20) % 10)
    seconds = []  # Of this thread alone, whatever else the machine does.
    for _ in range(50):
        began = time.thread_time()
        model.predict_proba(X[:1])
        seconds.append(time.thread_time() - began)

    assert model.coef_.dtype == np.float32
    alone = np.vstack([model.predict_proba(X[[case]]) for case in range(20)])
    np.testing.assert_allclose(alone, model.predict_proba(X), atol=1e-5)
    assert min(seconds) < 3e-3


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_are_calibrated_where_the_columns_say_little(n_classes: int) -> None:
    X, y = classes(900, 300, n_classes, apart=0.12)
    model = CalibratedRidgeClassifier().fit(X[:300], y[:300])

    found = log_loss(y[300:], model.predict_proba(X[300:]))

    scales = [0.1, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0]
    losses = []
    own = model.scale_
    for scale in scales:
        model.scale_ = scale
        losses.append(log_loss(y[300:], model.predict_proba(X[300:])))
    model.scale_ = own
    assert found < min(losses) + 0.02
    assert model.predict(X[300:]).tolist() == model.predict_proba(X[300:]).argmax(axis=1).tolist()


def test_labels_are_kept_and_shuffled_labels_give_no_certainty() -> None:
    X, y = classes(80, 2000)
    shuffled = np.random.default_rng(3).permutation(np.array(["a", "b", "c"])[y])

    model = CalibratedRidgeClassifier().fit(X, shuffled)

    new, _ = classes(50, 2000, seed=5)
    assert set(model.predict(new)) <= {"a", "b", "c"}
    assert model.predict_proba(new).max() < 0.8
    # It has learned its own cases by heart, and still is no surer of others.
    assert log_loss(shuffled, model.predict_proba(X)) < log_loss(y[:50], model.predict_proba(new))


@pytest.mark.parametrize(
    "codes",
    [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 1, 2, 3, 4, 5], [0, 1], list(range(60)) * 2],
)
@pytest.mark.parametrize("n_columns", [1, 3, 500])
def test_few_cases_and_many_classes_have_finite_answers(codes: list[int], n_columns: int) -> None:
    X = np.random.default_rng(0).normal(size=(len(codes), n_columns))

    for weight in (None, "balanced"):
        model = CalibratedRidgeClassifier(class_weight=weight).fit(X, codes)
        probabilities = model.predict_proba(X)
        assert probabilities.shape == (len(codes), len(set(codes)))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
        assert np.isfinite(model.loo_decisions_).all()


def test_a_few_separate_cases_give_no_certainty() -> None:
    X = np.repeat([0.0, 1.0], 3)[:, None] * np.ones(50)

    probabilities = CalibratedRidgeClassifier().fit(X, [0, 0, 0, 1, 1, 1]).predict_proba(X)

    assert 0.85 < probabilities[:3, 0].min() <= probabilities[:3, 0].max() < 0.99


@pytest.mark.parametrize("n_columns", [2, 50])
def test_constant_columns_have_no_say(n_columns: int) -> None:
    X = np.full((9, n_columns), 0.1, dtype=np.float32)
    y = [0, 0, 0, 0, 0, 0, 1, 1, 1]

    model = CalibratedRidgeClassifier().fit(X, y)

    far = model.predict_proba(X * 1e30)
    np.testing.assert_array_equal(far, model.predict_proba(X))
    np.testing.assert_allclose(model.decision_function(X), -1 / 3)


def test_a_value_far_from_all_others_has_a_finite_answer() -> None:
    X, y = classes()
    X[:, 0] *= 1e-30
    model = CalibratedRidgeClassifier().fit(X, y)
    X[0] = np.finfo(np.float32).max

    assert np.isfinite(model.predict_proba(X)).all()


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="one class only: 1; two are expected"):
        CalibratedRidgeClassifier().fit(np.eye(3), [1, 1, 1])


@pytest.mark.parametrize("alphas", [(), (0.0,), (-1.0, 1.0), ((1.0,),)])
def test_penalties_that_are_none_are_refused(alphas: tuple) -> None:
    with pytest.raises(ValueError, match="positive numbers are expected"):
        WideRidgeRegressor(alphas).fit(np.eye(3), [1.0, 2.0, 3.0])


def test_another_number_of_columns_is_refused() -> None:
    model = WideRidgeRegressor().fit(np.eye(3), [1.0, 2.0, 3.0])

    with pytest.raises(ValueError, match="expecting 3 features"):
        model.predict(np.eye(4))
    with pytest.raises(ValueError, match="expecting 3 features"):
        model.predict(np.ones(3))


@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_are_predicted_as_sklearn_does(shape: tuple[int, int]) -> None:
    X, _ = classes(*shape)
    y = X[:, :3].sum(axis=1) * 100 + 5
    scaler = StandardScaler().fit(X)
    new, _ = classes(*shape, seed=2)

    model = WideRidgeRegressor((3.0,)).fit(X, y)

    expected = Ridge(3.0).fit(scaler.transform(X), y).predict(scaler.transform(new))
    np.testing.assert_allclose(model.predict(new), expected, rtol=1e-8)
    others = Ridge(3.0).fit(scaler.transform(X)[1:], y[1:]).predict(scaler.transform(X[:1]))
    assert model.loo_values_[0] == pytest.approx(others[0])


@pytest.mark.parametrize("n_columns", [2, 50])
def test_equal_numbers_are_predicted(n_columns: int) -> None:
    X = np.random.default_rng(0).normal(size=(6, n_columns))

    model = WideRidgeRegressor().fit(X, np.full(6, 7.0))

    np.testing.assert_allclose(model.predict(X * 5), 7.0)
    assert model.alpha_ == model.alphas_.max()


def test_the_tried_penalties_grow_with_the_columns() -> None:
    X, y = classes(60, 200)
    few = CalibratedRidgeClassifier().fit(X, y)
    many = CalibratedRidgeClassifier().fit(np.tile(X, 10), y)

    assert len(few.alphas_) == len(PENALTIES)
    np.testing.assert_allclose(many.alphas_, 10 * few.alphas_)
    np.testing.assert_allclose(many.predict_proba(np.tile(X, 10)), few.predict_proba(X), rtol=1e-5)


def test_the_same_cases_give_the_same_model_which_can_be_cloned() -> None:
    X, y = classes()
    model = CalibratedRidgeClassifier(class_weight="balanced").fit(X, y)
    again = clone(model).fit(X, y)

    assert again.get_params() == {"alphas": None, "class_weight": "balanced"}
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_it_is_written_and_read_as_the_server_allows() -> None:
    X, y = classes()
    model = CalibratedRidgeClassifier((1.0, 10.0)).fit(X, y)

    read = built(skops.io.dumps(model))

    np.testing.assert_array_equal(read.predict_proba(X), model.predict_proba(X))

"""Findings of a run that never was: like real ones, of any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import softmax

from tideline.labels import Label
from tideline.model import ModelDocument, ScoreCard, installed_versions
from tideline.panel import Channel, Panel
from tideline.pipeline import Prediction
from training.evaluation import assess
from training.findings import Findings, Importance, Importances, Member
from training.task import Target
from training.trial import Trial

TYPES = (
    "ExtraTreesClassifier",
    "RidgeClassifierCV",
    "LogisticRegression",
    "HistGradientBoostingClassifier",
    "XGBClassifier",
    "KNeighborsClassifier",
    "LinearDiscriminantAnalysis",
)
REASONS = (
    "ValueError: Input X contains NaN",
    "timeout: over 30 s for one evaluation",
    "MemoryError: Unable to allocate # GiB for an array with shape (#)",
)


def panel_of(
    n_cases: int = 60, channels: Sequence[str] = ("x", "y"), steps: int = 40, seed: int = 0
) -> Panel:
    """Return waves with some values missing, of unequal lengths."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(max(steps // 2, 2), steps + 1, n_cases)
    series = [np.sin(np.arange(n) / 5 + rng.uniform(0, 6)) + rng.normal(0, 0.2, n) for n in lengths]
    for values in series[::7]:
        values[values.size // 3 : values.size // 2] = np.nan
    return Panel(
        tuple(f"case-{i}" for i in range(n_cases)),
        {name: Channel.from_series(series) for name in channels},
    )


def trials_of(n: int = 80, metric: str = "roc_auc", seed: int = 1) -> tuple[Trial, ...]:
    """Return trials of which every ninth failed."""
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.exponential(0.8, n))
    found = []
    for i in range(n):
        kind = TYPES[int(rng.integers(len(TYPES)))]
        origin = "portfolio" if i < 6 else "search"
        family = "convolutions" if kind.startswith("Ridge") else "features"
        common = (f"k{i}", f"SelectPercentile + {kind}", kind, origin, family, float(at[i]))
        if i % 9 == 5:
            found.append(Trial(*common, failure=REASONS[i % len(REASONS)]))
            continue
        folds = rng.normal(0.93 - rng.exponential(0.05), 0.02, 5).clip(0, 1)
        found.append(
            Trial(
                *common,
                metrics={metric: folds.mean(), "accuracy": folds.mean() - 0.03, "log_loss": 0.3},
                fold_scores=tuple(folds.tolist()),
                value=float(folds.mean()),
                score=float(folds.mean()),
                fit_seconds=float(rng.exponential(1.5)),
                predict_seconds=float(rng.exponential(0.02)),
                parameters={"model.n_estimators": "500", "select.percentile": "20"},
            )
        )
    return tuple(found)


def answers_of(target: Target, positions: np.ndarray, skill: float, seed: int = 2) -> Prediction:
    """Return answers that are right the more often the higher the skill."""
    rng = np.random.default_rng(seed)
    truth = target.y[positions]
    if target.task == "regression":
        noise = rng.normal(0, target.y.std() / skill, truth.size)
        return Prediction((), values=truth * 0.9 + noise)
    logits = rng.normal(0, 1.2, (truth.size, target.n_classes))
    # Neighbouring classes are alike.
    for shift, weight in ((0, 1.0), (1, 0.55), (-1, 0.3)):
        logits[np.arange(truth.size), (truth + shift) % target.n_classes] += skill * weight
    return Prediction((), target.classes, softmax(logits, axis=1))


def importances_of(panel: Panel, names: Sequence[str]) -> Importances:
    rng = np.random.default_rng(3)

    def some(what: Sequence[str]) -> tuple[Importance, ...]:
        losses = np.sort(rng.exponential(0.05, len(what)) - 0.01)[::-1]
        return tuple(
            Importance(w, float(v), abs(float(v)) / 4) for w, v in zip(what, losses, strict=True)
        )

    regions = ["0 % to 25 %", "25 % to 50 %", "50 % to 75 %", "75 % to 100 %"]
    return Importances(
        "roc_auc", "held-out cases", some(names), some(list(panel.channels)), some(regions)
    )


def findings_of(
    panel: Panel,
    labels: Sequence[Label],
    *,
    task: str = "classification",
    skill: float = 3.0,
    metric: str = "roc_auc",
    trials: Sequence[Trial] | None = None,
    **changes: object,
) -> Findings:
    """Return findings on a panel, of which every third case was held out."""
    target = Target.from_labels(labels, task)  # type: ignore[arg-type]  # a task
    positions = np.arange(0, panel.n_cases, 3)
    answers = answers_of(target, positions, skill)
    scores = assess(target, target.y[positions], answers, target.y)
    simple = {m: v * 0.9 for m, v in scores.metrics.items()}
    card = ScoreCard(
        cross_validation={m: v * 1.02 for m, v in scores.metrics.items()},
        held_out=scores.metrics,
        held_out_interval=scores.intervals,
        held_out_by="hold-out",
        n_held_out=positions.size,
        majority=scores.majority,
        baselines={"1-NN DTW": simple, "random convolutions": simple},
        beats_baselines=skill >= 1,
        note=scores.note,
    )
    names = [
        f'{c}__agg_linear_trend__attr_"slope"__chunk_len_{n}__f_agg_"max"'
        for c in list(panel.channels)[:10]
        for n in (5, 10, 50)
    ]
    fields: dict[str, object] = {
        "name": "machine-wear",
        "run_id": "run-7f3a",
        "created": "2026-11-23T12:00:00Z",
        "task": task,
        "classes": target.classes,
        "channels": tuple(panel.channels),
        "plan": {"features": names},
        "scores": card,
        "model_type": "Blend",
        "train_shape": (panel.n_cases, 812),
        "train_seconds": 118.2,
        "versions": dict(installed_versions()),
        "spec": {
            "pipeline_id": "machine-wear",
            "budget": 120,
            "extract_features": {"column_id": "id"},
        },
        "notices": ("max_time_mins is ignored: the budget covers everything.",),
    }
    return Findings(
        ModelDocument(**(fields | changes)),  # type: ignore[arg-type]  # pydantic checks them
        panel,
        target,
        metric,
        trials_of() if trials is None else tuple(trials),
        (Member(0.5, "k3", "of no trial"), Member(0.5, "k70", "RidgeClassifierCV on convolutions")),
        positions,
        answers,
        importances_of(panel, names),
    )

"""How the report writes numbers and names."""

from __future__ import annotations

import math

METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "AUC",
    "roc_auc_ovr": "AUC, one against the rest",
    "log_loss": "log-loss",
    "neg_log_loss": "log-loss, negative",
    "brier": "Brier score",
    "r2": "R²",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "neg_brier_score": "Brier score, negative",
    "matthews_corrcoef": "Matthews correlation coefficient",
    "neg_mean_absolute_error": "mean absolute error, negative",
    "neg_root_mean_squared_error": "root mean squared error, negative",
}
"""What a metric is called; another has the name that scikit-learn gives it."""


def metric_name(metric: str) -> str:
    """Return what a metric is called."""
    if metric in METRICS:
        return METRICS[metric]
    plain = metric.removeprefix("neg_")
    return cut(plain.replace("_", " "), 60) + ("" if plain == metric else ", negative")


ROUNDING = 1e-12
"""Below which a number is an error of rounding."""


def number(value: float | None) -> str:
    """Return a number as it is read: three decimals, or four digits where it is large or small."""
    if value is None or math.isnan(value):
        return "–"  # noqa: RUF001 - the dash of an empty cell is meant
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"  # noqa: RUF001 - the typographic minus is meant
    size = abs(value)
    if size < ROUNDING:
        return "0.000"
    plain = f"{value:.3f}" if size == 0 or 0.001 <= size < 1000 else f"{value:.4g}"
    return plain.replace("-", "−")  # noqa: RUF001 - the typographic minus is meant


def tick(value: float) -> str:
    """Return a number as an axis has it."""
    return f"{value:.6g}".replace("-", "−")  # noqa: RUF001 - the typographic minus is meant


def seconds(value: float) -> str:
    """Return a length of time: `0.004 s`, `3.2 s`, `2 min 05 s`, `3 h 20 min`."""
    if math.isnan(value):
        return number(value)
    if value < 60:
        return f"{value:.3f} s" if value < 1 else f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def cut(text: object, most: int) -> str:
    """Return a text of at most so many characters, on one line, the rest told by `…`."""
    line = "".join(c if c.isprintable() else " " for c in str(text)[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"

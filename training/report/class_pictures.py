"""What was answered for classes, as pictures: confusions, ROC and calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from training.report.answered import Answered
from training.report.axes import WIDTH, Frame, unit_frame
from training.report.figure import Figure
from training.report.svg import Picture
from training.report.words import cut, number

FloatArray = NDArray[np.float64]
Counts = NDArray[np.int64]

MOST_CLASSES = 60
"""Classes in a confusion matrix; of more, those with the most errors are shown."""
NUMBERED = 12
"""Up to so many classes, the cells hold their counts."""
SHADES = 8
MOST_PAIRS = 15
MOST_CURVES = 8
CURVE_POINTS = 150
BINS = 10


def confusion(answered: Answered) -> Figure:
    """Return the confusion matrix and the pairs that are confused most often."""
    n = answered.n_classes
    truth = answered.truth.astype(np.int64)
    counts = np.bincount(truth * n + answered.codes, minlength=n * n).reshape(n, n)
    shown = _most_wrong(counts)
    picture = _matrix(counts[np.ix_(shown, shown)], [answered.names[c] for c in shown])
    said = f"On {answered.how}: a row a true class, a column an answer; the stronger "
    said += "its colour, the larger the share of the row."
    if shown.size < n:
        said += f" Of {n} classes the {shown.size} with the most errors are shown."
    wrong = counts * (1 - np.eye(n, dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]
    totals = counts.sum(axis=1)
    rows = tuple(
        (
            answered.names[i],
            answered.names[j],
            str(wrong[i, j]),
            f"{wrong[i, j] / totals[i]:.0%}",
        )
        for i, j in (divmod(int(flat), n) for flat in order)
        if wrong[i, j]
    )
    heads = ("is", "was taken for", "cases", "of its class")
    return Figure(
        "Confusion matrix", said, picture, heads, rows, "Confused most often", n > NUMBERED
    )


def by_class(answered: Answered) -> Figure:
    """Return how well each class is found, as a table."""
    truth = answered.truth.astype(np.int64)
    n = answered.n_classes
    cases = np.bincount(truth, minlength=n)
    said = np.bincount(answered.codes, minlength=n)
    right = np.bincount(truth[truth == answered.codes], minlength=n)
    order = np.argsort(right / np.maximum(cases, 1), kind="stable")[:MOST_CLASSES]
    rows = tuple(
        (
            answered.names[c],
            str(cases[c]),
            f"{right[c] / cases[c]:.0%}" if cases[c] else number(None),
            f"{right[c] / said[c]:.0%}" if said[c] else number(None),
        )
        for c in sorted(order.tolist())
    )
    told = f"On {answered.how}."
    if n > len(rows):
        told += f" Of {n} classes the {len(rows)} that are found least are shown."
    heads = ("class", "cases", "of these found", "of these answers right")
    return Figure("Class by class", told, None, heads, rows)


def roc(answered: Answered) -> Figure | None:
    """Return the ROC curves: of the later of two classes, or of each against the rest."""
    truth = answered.truth.astype(np.int64)
    present = [c for c in np.unique(truth).tolist() if (truth != c).any()]
    if answered.probabilities is None or not present:
        return None
    classes = [1] if answered.n_classes == 2 else present
    curves = [(c, *_curve(truth == c, answered.probabilities[:, c])) for c in classes]
    curves.sort(key=lambda curve: curve[3])
    shown = curves[:MOST_CURVES]
    areas = ", ".join(f"{cut(answered.names[c], 20)} {number(area)}" for c, _, _, area in shown)
    picture = Picture("ROC curve", f"The area under the curve: {areas}.", WIDTH, 330)
    frame = unit_frame(picture)
    frame.draw(picture, "share of the others taken for it", "share of the class found")
    _draw_diagonal(picture, frame)
    for colour, (_, falsely, rightly, _) in enumerate(shown):
        picture.curve(f"c{colour}", list(frame.x.places(falsely)), list(frame.y.places(rightly)))
    height = 14 * len(shown) + 8
    picture.box("legend", WIDTH - 192, frame.y.start - height - 4, 180, height)
    for colour, (c, _, _, area) in enumerate(shown):
        y = frame.y.start - 10 - 14 * (len(shown) - 1 - colour)
        picture.line(f"curve c{colour}", WIDTH - 186, y - 4, WIDTH - 168, y - 4)
        picture.text("label", WIDTH - 162, y, f"{cut(answered.names[c], 17)} {number(area)}")
    said = f"On {answered.how}; the number is the area under the curve."
    if answered.n_classes > 2:
        said += " Each class against the rest."
    if len(curves) > len(shown):
        said += f" Of {len(curves)} classes the {len(shown)} with the least area are shown."
    rows = tuple((answered.names[c], number(area)) for c, _, _, area in curves[:MOST_CLASSES])
    return Figure("ROC", said, picture, ("class", "area"), rows)


def calibration(answered: Answered) -> Figure | None:
    """Return how often answers of each probability are right."""
    if answered.probabilities is None:
        return None
    truth = answered.truth.astype(np.int64)
    if answered.n_classes == 2:
        told, held = answered.probabilities[:, 1], truth == 1
        x_name, y_name = f"probability of {cut(answered.names[1], 30)}", "share that is"
    else:
        told, held = answered.probabilities.max(axis=1), truth == answered.codes
        x_name, y_name = "probability of the answer", "share that is right"
    means, shares, counts = _bins(told, held)
    picture = Picture(
        "Reliability",
        f"{y_name} against the {x_name}, in {means.size} steps; the table tells the numbers.",
        WIDTH,
        330,
    )
    frame = unit_frame(picture)
    frame.draw(picture, x_name, y_name)
    _draw_diagonal(picture, frame)
    for mean, count in zip(means, counts, strict=True):
        height = 40 * count / counts.max()
        picture.box("count", frame.x.place(mean) - 5, frame.y.start - height, 10, height)
    places = frame.x.places(means), frame.y.places(shares)
    picture.curve("best", list(places[0]), list(places[1]))
    picture.dots("mark", *places)
    said = f"On {answered.how}. On the dashed line a probability is what it says; the bars count "
    said += "the cases."
    rows = tuple(
        (number(mean), number(share), str(count))
        for mean, share, count in zip(means, shares, counts, strict=True)
    )
    return Figure("Calibration", said, picture, ("mean probability", y_name, "cases"), rows)


def _most_wrong(counts: Counts) -> NDArray[np.intp]:
    n = len(counts)
    if n <= MOST_CLASSES:
        return np.arange(n)
    errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diagonal(counts)
    return np.sort(np.argsort(-errors, kind="stable")[:MOST_CLASSES])


def _matrix(counts: Counts, names: list[str]) -> Picture:
    n = len(counts)
    width = WIDTH if n <= NUMBERED else 760
    longest = max(len(cut(name, 14)) for name in names)
    letters = 11.0 if n <= 36 else 9.0
    margin = 22 + letters * 0.62 * longest
    size = min((width - margin - 4) / n, 56.0)
    picture = Picture(
        "Confusion matrix",
        f"{n} classes; {int(np.trace(counts))} of {int(counts.sum())} cases are on the diagonal, "
        "which is right. The table beside names the pairs confused most often.",
        width,
        margin + size * n + 4,
    )
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shades = np.ceil(shares * SHADES).astype(int)
    gap = 1.0 if size > 8 else 0.5
    picture.box("ground", margin, margin, size * n, size * n)
    for kind, is_right in (("hit", np.eye(n, dtype=bool)), ("miss", ~np.eye(n, dtype=bool))):
        for shade in range(1, SHADES + 1):
            at = np.argwhere((shades == shade) & is_right & (counts > 0))
            corners = [(margin + size * j + gap / 2, margin + size * i + gap / 2) for i, j in at]
            picture.cells(f"{kind} s{shade}", corners, size - gap)
    for i, name in enumerate(names):
        middle = margin + size * (i + 0.5)
        css = "label small" if letters < 11 else "label"
        picture.text(f"{css} end", margin - 4, middle + letters * 0.35, cut(name, 14))
        picture.add(
            "text",
            css,
            cut(name, 14),
            transform=f"translate({middle + letters * 0.35:.1f} {margin - 4:.1f}) rotate(-90)",
        )
    picture.text("name", 2, 12, "is ↓  answered →" if margin > 100 else "is↓ said→")
    if n <= NUMBERED:
        _write_counts(picture, counts, shades, margin, size)
    return picture


def _write_counts(
    picture: Picture, counts: Counts, shades: Counts, margin: float, size: float
) -> None:
    for i, j in np.argwhere(counts > 0):
        css = "count-on" if shades[i, j] > SHADES // 2 else "count-off"
        x, y = margin + size * (j + 0.5), margin + size * (i + 0.5)
        picture.text(f"{css} middle", x, y + 4, str(counts[i, j]))


def _curve(is_class: NDArray[np.bool_], scores: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    falsely, rightly, _ = roc_curve(is_class, scores)
    area = float(auc(falsely, rightly))
    kept = np.unique(np.linspace(0, falsely.size - 1, CURVE_POINTS).round().astype(int))
    return falsely[kept], rightly[kept], area


def _bins(told: FloatArray, held: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, Counts]:
    """Return the mean probability, the share that holds, and the cases, of each tenth with any."""
    place = np.clip((told * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    some = counts > 0
    means = np.bincount(place, told, BINS)[some] / counts[some]
    shares = np.bincount(place, held, BINS)[some] / counts[some]
    return means, shares, counts[some]


def _draw_diagonal(picture: Picture, frame: Frame) -> None:
    picture.line("ideal", frame.x.start, frame.y.start, frame.x.end, frame.y.end)

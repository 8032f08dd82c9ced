"""How good the training program is, beside what others have published: a table, set by set.

`python -m benchmarks.accuracy [FOLDER]`, where FOLDER holds a folder for each data set, and
`published.csv`, what others reached on default splits; by default the folder `data` in
`TIDELINE_SHARED`. Every set is trained on by `python -m training`, in a process and a home of its
own, on its training part alone; what that publishes is loaded from its store and asked for the test
part. A set takes as long as the budget. What is measured is kept, a file a set: a program that was
stopped goes on where it was. Regression counts by the root of the mean squared error.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.figures import Figures
from benchmarks.measured import Measured, RunFailed, measure
from benchmarks.published import HIVE_COTE, MR_HYDRA, OURS, WARPING, Published

BUDGET = 120.0
PEERS = (WARPING, "FreshPRINCE", "QUANT", "ROCKET", HIVE_COTE, MR_HYDRA)
BEST = 3
"""So many of the best that are published are told, and so far from the first we may be in rank."""
WORST_LOSS = 0.05
COVERED = 0.9
LATE = 0.1
HEAD = (
    f"{'set':<20} {'ours':>7} {'1NNDTW':>7} {'HC2':>7} {'MRHydra':>7} {'best published':<25}"
    f" {'held out, 95 %':<25} {'':<4} {'DTW':>6}  {'taken':>7} {'over':>6} {'first':>6}"
    f" {'tried':>8} {'a case':>8}  chosen"
)
"""`DTW` is what the run measured of 1-NN DTW on the cases that it held out."""


def main() -> int:
    """Print the table; return 1 where a figure falls short of what is promised."""
    asked = _asked()
    published = Published(asked.folder)
    names = asked.sets.split(",") if asked.sets else list(published.sets)
    if unknown := sorted(set(names) - set(published.sets)):
        raise SystemExit(f"{asked.folder} has no data, or nothing published, of {unknown}")
    out = asked.out or Path("build") / f"accuracy-{asked.budget:g}s"
    out.mkdir(parents=True, exist_ok=True)
    print(f"budget {asked.budget:g} s; kept in {out}\n{HEAD}", flush=True)
    found = list(_measured(asked, published, names, out))
    figures = Figures()
    figures.add(
        "sets trained on", f"{len(found)} of {len(names)}", "all", met=len(found) == len(names)
    )
    if not found:
        return figures.code()
    _tell_means(found, published)
    _judge_accuracy(figures, found, published)
    _judge_losses(figures, found, published)
    _judge_ranks(figures, found, published)
    _judge_intervals(figures, found)
    _judge_time(figures, found)
    return figures.code()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("TIDELINE_SHARED", "../shared"))
    parser.add_argument("folder", type=Path, nargs="?", default=shared / "data")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for each set")
    parser.add_argument("--sets", help="their names, with commas between; all when left out")
    parser.add_argument("--out", type=Path, help="the folder of what is measured")
    parser.add_argument("--again", action="store_true", help="measure anew what is there")
    return parser.parse_args()


def _measured(
    asked: argparse.Namespace, published: Published, names: Sequence[str], out: Path
) -> Iterator[Measured]:
    """Yield what is kept, or else measured, of each set, and print its row."""
    for name in names:
        path = out / f"{name}.json"
        if asked.again or not path.exists():
            log, kind = out / f"{name}.log", published.kind(name)
            try:
                found = measure(asked.folder / name, name, kind, asked.budget, log)
            except RunFailed as failure:
                # Not kept: it is tried again when the program is run again.
                print(f"{name:<20} FAILED, {failure} (see {log})", flush=True)
                continue
            found.write(path)
        found = Measured.read(path)
        if found.budget != asked.budget:
            raise SystemExit(f"{path} is of a budget of {found.budget:g} s: use --again or --out")
        print(_row(found, published), flush=True)
        yield found


def _row(found: Measured, published: Published) -> str:
    best, score = published.best(found.name)
    peers = " ".join(
        _number(published.score(found.name, peer)) for peer in (WARPING, HIVE_COTE, MR_HYDRA)
    )
    interval = "{:.3f} to {:.3f}".format(*found.interval) if found.interval else "no interval"
    mark = "" if published.in_same_form(found.name) else "*"
    return (
        f"{found.name + mark:<20} {found.score:>7.4f} {peers} {f'{score:.4f} {best}':<25}"
        f" {f'{_number(found.held_out)} {interval}':<25} {'in' if found.covers else 'OUT':<4}"
        f" {_number(found.warping, 3):>6}  {found.seconds:>5.1f} s {found.overshoot:>+6.1%}"
        f" {_number(found.first_pipeline, 1):>6} {f'{found.tried}/{found.failed}':>8}"
        f" {found.seconds_a_case * 1e3:>5.1f} ms  {found.chosen}"
    )


def _number(value: float | None, digits: int = 4) -> str:
    return f"{'-':>7}" if value is None else f"{value:>7.{digits}f}"


def _tell_means(found: Sequence[Measured], published: Published) -> None:
    """Print mean accuracies, those of others beside ours on the very same sets."""
    print("\n* published on another form of the set: of one length, or without missing values")
    groups = {
        "UCR sets": [m for m in found if m.kind == "acc"],
        "UCR sets published in the same form": [
            m for m in found if m.kind == "acc" and published.in_same_form(m.name)
        ],
        "multivariate sets": [m for m in found if m.kind == "acc-mv"],
    }
    for group, members in groups.items():
        if members:
            _tell_group(group, members, published)
    print()


def _tell_group(group: str, members: Sequence[Measured], published: Published) -> None:
    ours = float(np.mean([m.score for m in members]))
    print(f"\nmean accuracy on {group} ({len(members)}): {OURS} {ours:.4f}")
    theirs = published.scores([m.name for m in members]).mean().sort_values(ascending=False)
    best = ", ".join(f"{name} {mean:.4f}" for name, mean in theirs.head(BEST).items())
    print(f"  the best published on all of them: {best}")
    for peer in PEERS:
        if beside := _beside(members, published, peer):
            on = "" if beside[2] == len(members) else f"; ours on its {beside[2]} {beside[0]:.4f}"
            print(f"  {peer:<12} {beside[1]:.4f}{on}")


def _beside(
    members: Sequence[Measured], published: Published, peer: str
) -> tuple[float, float, int] | None:
    """Return our mean and a peer's on the sets that both have, and how many these are."""
    pairs = [(m.score, published.score(m.name, peer)) for m in members]
    both = np.array([pair for pair in pairs if pair[1] is not None], dtype=np.float64)
    if not both.size:
        return None
    ours, theirs = both.mean(axis=0)
    return float(ours), float(theirs), len(both)


def _judge_accuracy(figures: Figures, found: Sequence[Measured], published: Published) -> None:
    members = [m for m in found if m.kind == "acc"]
    for peer in (HIVE_COTE, MR_HYDRA):
        if beside := _beside(members, published, peer):
            ours, theirs, count = beside
            what = f"mean accuracy on UCR sets ({count}), against {peer}"
            figures.add(what, f"{ours:.4f}", f"above {theirs:.4f}", met=ours > theirs)


def _judge_losses(figures: Figures, found: Sequence[Measured], published: Published) -> None:
    """Judge the losses to 1-NN DTW: of accuracy, or as a share of its error."""
    losses = {}
    for m in found:
        theirs = published.score(m.name, WARPING)
        if theirs is not None:
            losses[m.name] = m.score / theirs - 1 if m.kind == "rmse" else theirs - m.score
    if losses:
        worst = max(losses, key=lambda name: losses[name])
        figures.add(
            f"worst loss to 1-NN DTW on {len(losses)} sets ({worst})",
            f"{losses[worst]:.4f}",
            f"under {WORST_LOSS}",
            met=losses[worst] < WORST_LOSS,
        )


def _judge_ranks(figures: Figures, found: Sequence[Measured], published: Published) -> None:
    errors = {m.name: m.score for m in found if m.kind == "rmse"}
    if not errors:
        return
    ranks = published.mean_ranks(errors)
    place = int((ranks < ranks[OURS]).sum()) + 1
    first = ", ".join(f"{name} {rank:.2f}" for name, rank in ranks.head(BEST + 1).items())
    print(f"mean ranks among {len(ranks)} regressors: {first}")
    figures.add(
        f"mean rank on regression sets ({len(errors)})",
        f"{ranks[OURS]:.2f}, place {place}",
        f"first {BEST} places",
        met=place <= BEST,
    )


def _judge_intervals(figures: Figures, found: Sequence[Measured]) -> None:
    covered = sum(m.covers for m in found)
    figures.add(
        "held-back interval covers the test score",
        f"{covered} of {len(found)}",
        f"{COVERED:.0%} of the sets",
        met=covered >= COVERED * len(found),
    )


def _judge_time(figures: Figures, found: Sequence[Measured]) -> None:
    worst = max(found, key=lambda m: m.overshoot)
    told, promised = f"{worst.overshoot:+.1%}", f"under {LATE:.0%}, every run"
    figures.add(f"overshoot ({worst.name})", told, promised, met=worst.overshoot < LATE)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped; the same command goes on with the set that was being measured")
        sys.exit(130)

"""Labels of pipelines: their names, and where these are alike, what they differ in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from training.trial import Trial

USUAL = "default"


def labels_of(trials: Sequence[Trial]) -> dict[str, str]:
    """Return a label for each of some trials, by its key.

    `RandomForestClassifier on features, n_estimators=300`: the classes of the steps, what they are
    fitted to, and of those that share both, the parameters that are not the same in all.
    """
    alike: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        alike[f"{trial.name} on {trial.family}"].append(trial)
    return {
        trial.key: ", ".join([title, *_differing(trial, group)])
        for title, group in alike.items()
        for trial in group
    }


def _differing(trial: Trial, group: Sequence[Trial]) -> list[str]:
    names = sorted({name for each in group for name in each.parameters})
    told = [
        f"{name.rpartition('.')[2]}={trial.parameters.get(name, USUAL)}"
        for name in names
        if len({each.parameters.get(name) for each in group}) > 1
    ]
    if trial.selects and not all(each.selects for each in group):
        told.append("of relevant ones only")
    return told

"""What others have published: `published.csv`, a row for each data set and algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

Kind = Literal["acc", "acc-mv", "rmse"]
"""Accuracy of one channel (the UCR sets) or of several; and the error of a regression."""
FILE = "published.csv"
ONE_NAME = {"MRHydra": "MR-Hydra"}
"""The multivariate results spell some algorithms otherwise."""
WARPING, HIVE_COTE, MR_HYDRA = "1NN-DTW", "HC2", "MR-Hydra"
OURS = "Tideline"
DIGITS = 5
"""After the point, to which scores are published: what is equal to these is a tie."""


class Published:
    """The scores on default splits.

    Parameters
    ----------
    folder
        Holds the file, and a folder for each data set.

    Attributes
    ----------
    sets : tuple of str
        The data sets that the file knows and the folder holds.
    """

    def __init__(self, folder: Path) -> None:
        table = pd.read_csv(folder / FILE)
        self._scores = table.assign(algorithm=table.algorithm.replace(ONE_NAME))
        self._about = table.drop_duplicates("dataset").set_index("dataset")
        parts = ("TRAIN", "TEST")
        self.sets = tuple(
            name
            for name in map(str, self._about.index)
            if all((folder / name / f"{name}_{part}.ts").is_file() for part in parts)
        )

    def kind(self, name: str) -> Kind:
        """Return what is measured on a data set."""
        kind: Kind = self._about.task[name]
        return kind

    def in_same_form(self, name: str) -> bool:
        """Tell whether others used the set as it is, and not one of one length, or without gaps."""
        return bool(self._about.published_key[name] == name)

    def score(self, name: str, algorithm: str) -> float | None:
        """Return what an algorithm reached on a data set, if that is published."""
        return self._of(name).get(algorithm)

    def best(self, name: str) -> tuple[str, float]:
        """Return the algorithm that did best on a data set, and its score."""
        sign = -1 if self.kind(name) == "rmse" else 1
        return max(self._of(name).items(), key=lambda found: sign * found[1])

    def scores(self, sets: Sequence[str]) -> pd.DataFrame:
        """Return the scores on some data sets, of the algorithms that have them on all of these.

        Returns
        -------
        DataFrame of shape (n_sets, n_algorithms)
        """
        chosen = self._scores[self._scores.dataset.isin(sets)]
        table = chosen.pivot_table("default_split", index="dataset", columns="algorithm")
        return table.dropna(axis=1)

    def mean_ranks(self, ours: Mapping[str, float]) -> pd.Series[float]:
        """Return the mean rank of each regressor and of ours, the best first.

        Parameters
        ----------
        ours
            The root of the mean squared error on each of some sets. Ties share their ranks' mean.
        """
        errors = self.scores(list(ours))
        errors[OURS] = pd.Series(ours)
        ranks: pd.Series[float] = errors.round(DIGITS).rank(axis=1).mean().sort_values()
        return ranks

    def _of(self, name: str) -> dict[str, float]:
        found = self._scores[self._scores.dataset == name]
        return dict(zip(found.algorithm.tolist(), found.default_split.tolist(), strict=True))

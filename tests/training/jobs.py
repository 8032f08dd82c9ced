"""Jobs for workers, and candidates that do something strange there."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


def seven() -> int:
    return 7


def own_pid() -> int:
    return os.getpid()


def refuse() -> None:
    raise ValueError("found 3 of 5, expected all. And more")


def sleep_long(seconds: float = 600.0) -> None:
    time.sleep(seconds)


def mark_and_sleep(path: str) -> None:
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    sleep_long()


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def exit_with_three() -> None:
    os._exit(3)


def fill(n_bytes: int) -> int:
    return int(np.ones(n_bytes, dtype=np.uint8).sum(dtype=np.int64))


def cannot_be_pickled() -> Any:
    return lambda: None


class Strange(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """A classifier that says the same of every case, or fails where the first case is fitted."""

    def __init__(self, way: str = "constant", file: str | None = None) -> None:
        self.way = way
        self.file = file

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        if self.file is not None:
            with Path(self.file).open("a", encoding="ascii") as file:
                file.write(f"{X.dtype}\n")
        if self.way == "raise":
            raise ValueError(f"{len(X)} cases are too few")
        if self.way == "memory":
            raise MemoryError(f"Unable to allocate {len(X)} GiB")
        if self.way == "sleep":
            sleep_long()
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.full(len(X), self.classes_[0])

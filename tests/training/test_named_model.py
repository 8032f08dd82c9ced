"""Tests of a model that the spec names: it is what is published, or the run says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.small import table_of, target_of, tools_of
from tideline.errors import SearchFailed
from tideline.panel import Panel
from tideline.spec import ModelTrainingSpec
from training.finder import Until
from training.search import Data, Search
from training.split import split_cases
from training.workers import LEAST_MEMORY, Workers

N_CASES = 14_000
"""Of whose kernel matrix a fold's part does not go into what a process may fill."""


def test_one_that_needs_more_memory_than_there_is_says_how_much_there_was(tmp_path: Path) -> None:
    target = target_of(0, N_CASES)
    panel = Panel.from_arrays(np.zeros((N_CASES, 1, 2)))
    data = Data(panel, target, split_cases(target, 0.25), table_of(tmp_path, target))
    wanted = ModelTrainingSpec(model="sklearn.kernel_ridge.KernelRidge", select_features=False)
    with Workers(1, LEAST_MEMORY) as bounded:
        search = Search(wanted, Until(), data, tools_of(tmp_path, bounded))
        with pytest.raises(SearchFailed, match="its process may fill 512 MiB") as caught:
            search.find()
    assert "KernelRidge could not be fitted to the features in the memory" in caught.value.message
    assert "a smaller model" in str(caught.value.mend)
    assert caught.value.field == "model_training.model"

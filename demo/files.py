"""One of the data sets as files, for a first request by hand."""

from __future__ import annotations

import json
from pathlib import Path

from demo.datasets import DataSet

NEW_CASES = 5

SPEC = """\
pipeline_id: {name}
extract_features:
  column_id: case
  column_sort: step
  default_fc_parameters: efficient
model_training:
  model: sklearn.ensemble.RandomForestClassifier
"""


def write_files(data_set: DataSet, folder: Path) -> tuple[Path, ...]:
    """Write a data set as a client would post it, and return the files.

    Parameters
    ----------
    data_set
        Its training part goes to `data.json` (column JSON, as pandas writes it) and
        `labels.json`, the first few cases that are held back to `new.json`.
    folder
        Made if it is not there. Files of these names are written over.
    """
    folder.mkdir(parents=True, exist_ok=True)
    new_cases = list(data_set.truth)[:NEW_CASES]
    new = data_set.held_back[data_set.held_back["case"].isin(new_cases)]
    texts = {
        "data.json": data_set.training.to_json(double_precision=15),
        "labels.json": json.dumps(data_set.labels),
        "spec.yaml": SPEC.format(name=data_set.name),
        "new.json": new.to_json(double_precision=15),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in texts)

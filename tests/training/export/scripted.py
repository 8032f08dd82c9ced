"""Cases with a model of which a script is written, run, and held against the model."""

from __future__ import annotations

import ast
import csv
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline as Steps

from tideline.blend import Blend
from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
from tideline.labels import Task
from tideline.pipeline import Pipeline
from tideline.readers import read_labels, read_panel
from tideline.spec import TrainingSpec
from training.candidate import Candidate
from training.export import script
from training.fold import Fit
from training.table import Table
from training.task import Target

LEARNED, ASKED = 24, 8
Members = Sequence[tuple[float, Candidate]]

SHARPNESS = 1.75
"""Of every blend: what is published is never the bare mean."""

texts = st.text(max_size=8) | st.sampled_from(
    ['"', "'", "'\"", '"""', "\\", "\n", "$members", "${x}", "{y}", "\u202e", "\ud800", "__", "\r"]
)
"""What a script must not take for code of its own."""


class Case:
    """Files of series and labels, what is read from them, and the model that is fitted to them."""

    def __init__(self, folder: Path, *, task: Task, kind: str = "csv", **fields: Any) -> None:
        self.folder = folder
        self._write(task, kind)
        self.spec = TrainingSpec.from_mapping(
            {
                "pipeline_id": "waves",
                "raw_data": "train",
                "labels": "labels",
                "task": task,
                "extract_features": {"column_id": "case", "column_sort": "t"},
                **fields,
            }
        )
        self.panel = read_panel(folder / "train", self.spec.roles).panel
        self.asked = read_panel(folder / "data", self.spec.roles).panel
        labels = read_labels(folder / "labels", "case", self.spec.column_label)
        self.target = Target.from_labels(labels.aligned_to(self.panel), task)

    def _write(self, task: Task, kind: str) -> None:
        rng = np.random.default_rng(3)
        rows: list[dict[str, Any]] = []
        labels: dict[str, Any] = {}
        classes = ("NA", "x,1", "z") if kind == "stacked" else ('"1\\', '"2\\', '"3\\')
        for number in range(LEARNED + ASKED):
            strength = 1.0 + number % 3
            if number < LEARNED:
                noisy = float(strength + rng.normal(0, 0.1))
                labels[f"{number * 7}"] = noisy if task == "regression" else classes[number % 3]
            for t in range(30 + number % 5):
                x, y = rng.normal(0, strength, 2).tolist()
                missing = number % 4 == 0 and t in (0, 5, 6)
                row = {"case": number * 7, "t": 100 - t, "x": None if missing else x, "y__": y}
                rows.append(row)
        learned = [row for row in rows if row["case"] < LEARNED * 7]
        asked = [row for row in rows if row["case"] >= LEARNED * 7]
        for place, table in (("train", learned), ("data", asked)):
            text = json.dumps(table) if kind == "json" else _csv(table)
            (self.folder / place).write_text(_stacked(table) if kind == "stacked" else text)
        table = [{"other": 1, "case": int(name), "label": v} for name, v in labels.items()]
        text = _csv(table) if kind == "stacked" else json.dumps(labels)
        (self.folder / "labels").write_text(text)

    def published(self, plans: dict[str, FeaturePlan], members: Members) -> Pipeline:
        """Fit the members as a run does, and put them together."""
        files, columns, start = {}, {}, 0
        for family, plan in plans.items():
            X = np.empty((self.panel.n_cases, len(plan.features)), dtype=np.float32)
            extract(self.panel, plan, out=X)
            files[family] = str(self.folder / f"{family}.npy")
            np.save(files[family], X)
            columns[family] = slice(start, start + len(plan.features))
            start += len(plan.features)
        everything = np.arange(self.panel.n_cases)
        fits = [Fit(Table(files), self.target, c, everything)() for _, c in members]
        parts = [(columns[c.family], steps) for (_, c), steps in zip(members, fits, strict=True)]
        blend = Blend(parts, [w for w, _ in members], start, SHARPNESS)
        steps = Steps([("model", blend)])
        plan = FeaturePlan(tuple(f for each in plans.values() for f in each.features))
        target, channels = self.target, tuple(self.panel.channels)
        return Pipeline(plan, steps, target.task, target.classes, channels).narrowed()

    def predicted(self, text: str) -> dict[str, Any]:
        """Return what the script prints."""
        place = self.folder / "pipeline.py"
        place.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(place), "train", "labels", "data"],
            check=False,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def compare(self, plans: dict[str, FeaturePlan], members: Members) -> str:
        """Write the script, run it, hold it against the model, and return it."""
        text = script(self.spec, self.panel, self.target, plans, members, sharpness=SHARPNESS)
        require_neat(text)
        prediction = self.published(plans, members).predict(self.asked)
        found = self.predicted(text)
        if self.target.n_classes:
            expected = prediction.by_class()
            assert found.keys() == expected.keys()
            for case, probabilities in expected.items():
                assert found[case] == pytest.approx(probabilities, abs=1e-6)
        else:
            assert found == pytest.approx(prediction.scores(), rel=1e-6)
        return text


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0])
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _stacked(rows: list[dict[str, Any]]) -> str:
    return _csv(
        [
            {"case": row["case"], "t": f"2020-01-01T00:{row['t'] // 60:02}:{row['t'] % 60:02}"}
            | {"kind": channel, "v": row[channel]}
            for row in rows
            for channel in ("y__", "x")
        ]
    )


def require_neat(text: str) -> None:
    """Fail unless ruff has nothing to say of a script."""
    ruff = Path(sys.executable).parent / "ruff"
    options = ["--isolated", "--line-length", "100", "-"]
    rules = "E4,E7,E9,F,W,I,D100,D101,D102,D103"
    for command in (["format", "--check", "--diff"], ["check", "--select", rules]):
        neat = subprocess.run(
            [ruff, *command, *options],
            check=False,
            cwd=ruff.parent,  # a folder without a package that could be taken for the script's own
            input=text,
            capture_output=True,
            text=True,
        )
        assert neat.returncode == 0, neat.stdout + neat.stderr


def candidate(*steps: BaseEstimator, selects: bool = False, family: str = "features") -> Candidate:
    """Return a candidate of some steps."""
    named = tuple((f"step{number}", step) for number, step in enumerate(steps))
    return Candidate("search", family, named, selects)  # type: ignore[arg-type]


def without_labels(spec: TrainingSpec) -> TrainingSpec:
    """Return a spec whose labels are in the data."""
    return TrainingSpec.from_mapping({**spec.to_mapping(), "labels": None})


def imported(text: str) -> set[str]:
    """Return the packages that a script imports."""
    nodes = list(ast.walk(ast.parse(text)))
    names = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    names |= {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}

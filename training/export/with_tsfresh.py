"""The script that computes its features by tsfresh, where all of them are tsfresh's."""

from __future__ import annotations

import inspect
import re
from string import Template

from tideline.blend import SPREAD
from tideline.errors import SpecError
from tideline.features import selection
from tideline.features.catalogue import CATALOGUE, TIMEWISE
from tideline.features.exchange import fc_parameters_of_plan
from tideline.features.parameters import PARAMETER_SETS
from tideline.features.plan import FeaturePlan
from tideline.features.selection import RelevanceSelection
from tideline.panel import case_key
from training.export.fitted import Fitted
from training.export.literals import Group, Node, Writer, laid_out
from training.export.with_tideline import fit_text, target_constants, written

SETS = ("minimal", "efficient", "comprehensive")
OWN = ("RangeImputer", "RelevanceSelection")

_SCRIPT = Template('''\
"""The model $title, fitted anew to its training data, and asked for predictions.

    python pipeline.py TRAIN_DATA TRAIN_LABELS DATA

The files are CSV, JSON or Parquet.
Prints one JSON object: $answer by the id of each case of DATA.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
$typing
import numpy as np
import pandas as pd
$imports

$constants

LARGEST = float(np.finfo(np.float32).max)


def key(value: object) -> str:
    """Return the text of an id or a class: 7, 7.0 and "7" are one."""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def read(path: Path) -> pd.DataFrame | dict:
    """Return what is in a file: a table, or a mapping of id to label."""
    content = path.read_bytes()
    if content.startswith(b"PAR1"):
        return pd.read_parquet(path)
    text = content.decode("utf-8-sig").lstrip()
    if not text.startswith(("{", "[")):
        # An id stays the text that it is.
        texts = [c for c in (COLUMN_ID, COLUMN_KIND) if c is not None]
        frame = pd.read_csv(
            io.StringIO(text),
            sep=max(",;\\t", key=text.partition("\\n")[0].count),
            dtype=dict.fromkeys(texts, str),
            keep_default_na=False,
            na_values=["", "NaN", "nan"],
        )
        return frame.loc[:, [not c.startswith("Unnamed: ") for c in frame.columns]]
    found = json.loads(text)
    if isinstance(found, dict) and not isinstance(next(iter(found.values())), dict | list):
        return found
    frame = pd.DataFrame(found)
    rows = [str(row) for row in frame.index]
    if all(row.isdecimal() for row in rows) and rows == sorted(rows):
        # Numbers that were sorted as text.
        frame = frame.iloc[np.argsort([int(row) for row in rows], kind="stable")]
    return frame


def channels_of(frame: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Return the rows of each channel: the ids and the values."""
    if COLUMN_SORT is not None:
        frame = frame.sort_values(COLUMN_SORT, kind="stable", key=times)
    roles = [COLUMN_ID, COLUMN_SORT, COLUMN_KIND, COLUMN_VALUE, COLUMN_GROUP]
    others = [column for column in frame.columns if column not in roles]
    if COLUMN_KIND is not None:
        value = others[0] if COLUMN_VALUE is None else COLUMN_VALUE
        kinds = frame[COLUMN_KIND].map(key)
        parts = ((kind, frame[kinds == kind]) for kind in SETTINGS)
        return {kind: (part[COLUMN_ID], part[value]) for kind, part in parts}
    if COLUMN_VALUE is not None:
        others = [COLUMN_VALUE]
    return {name: (frame[COLUMN_ID], frame[name]) for name in others}


def times(column: pd.Series) -> pd.Series:
    """Return times that can be sorted, numbers or dates."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    return pd.to_datetime(column, format="ISO8601", utc=True)


def features_of(frame: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Return the ids of the cases, and the features of each."""
    ids = list(dict.fromkeys(frame[COLUMN_ID].map(key)))
    position = {name: place for place, name in enumerate(ids)}
    channels = channels_of(frame)
    parts = []
    for channel, settings in SETTINGS.items():
        rows, values = channels[channel]
        series = pd.DataFrame(
            {
                "case": rows.map(key).map(position).to_numpy(),
                "value": values.to_numpy(dtype=np.float64),
            }
        )
        if series["value"].isna().any():
            # Missing values lie on a line between their neighbours.
            series["value"] = series.groupby("case")["value"].transform(
                lambda each: each.interpolate(limit_direction="both")
            )
        found = extract_features(
            series,
            column_id="case",
            column_value="value",
            default_fc_parameters=settings,
            disable_progressbar=True,
            n_jobs=0,
        )
        parts.append(found.to_numpy(dtype=np.float64))
    return ids, np.hstack(parts)


class RangeImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Replace NaN by the median of a column in training, infinities by its extremes.

    As tsfresh's impute, but for what it learns from: always the training data.
    """

    def fit(self, X, y=None):
        """Learn the values that stand in."""
        known = np.where(np.isfinite(X), np.clip(X, -LARGEST, LARGEST), np.nan)
        known = known.astype(np.float64)
        known[:, np.isnan(known).all(axis=0)] = 0.0
        self.median_ = np.nanmedian(known, axis=0)
        self.maximum_ = np.nanmax(known, axis=0)
        self.minimum_ = np.nanmin(known, axis=0)
        return self

    def transform(self, X):
        """Return a finite copy, in the range of float32."""
        X = np.asarray(X, dtype=np.float64)
        X = np.where(np.isnan(X), self.median_, X)
        X = np.where(np.isposinf(X), self.maximum_, X)
        X = np.where(np.isneginf(X), self.minimum_, X)
        return np.clip(X, -LARGEST, LARGEST)

$selection
def members() -> list[tuple[float, Steps]]:
    """Return the weight of each member, and its steps."""
    return $members


$fit


$answers_of


def labels_of(table: pd.DataFrame | dict) -> dict[str, object]:
    """Return the label of each case by its id."""
    if isinstance(table, dict):
        return table
    others = [c for c in table.columns if c not in (COLUMN_ID, COLUMN_GROUP)]
    labels = table[others[0] if COLUMN_LABEL is None else COLUMN_LABEL]
    return dict(zip(table[COLUMN_ID].map(key), labels.tolist(), strict=True))


def main() -> None:
    """Fit, predict and print."""
    parser = argparse.ArgumentParser(description="Fit the model, and predict.")
    parser.add_argument("train_data", type=Path)
    parser.add_argument("train_labels", type=Path)
    parser.add_argument("data", type=Path)
    asked = parser.parse_args()
    train_ids, X = features_of(read(asked.train_data))
    labels = labels_of(read(asked.train_labels))
    y = $target
    # In float32, as the model was fitted; numbers beyond its range are drawn in to it.
    drawn_in = np.where(np.isinf(X), X, np.clip(X, -LARGEST, LARGEST)).astype(np.float32)
    ids, X = features_of(read(asked.data))
    total = 0.0
    for weight, steps in members():
        total = total + weight * answers_of(fit(steps, drawn_in, y), X)
$answers
    json.dump(answers, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
''')

PROBABILITIES = '''\
def answers_of(steps: Steps, X: np.ndarray) -> np.ndarray:
    """Return the probabilities of the classes, shape (n_cases, n_classes)."""
    return steps.predict_proba(X)'''

ANY_PROBABILITIES = '''\
def answers_of(steps: Steps, X: np.ndarray) -> np.ndarray:
    """Return the probabilities of the classes, shape (n_cases, n_classes).

    Of a model without any, its decisions, drawn into 0 to 1; or 1 for the class it predicts.
    """
    if hasattr(steps, "predict_proba"):
        return steps.predict_proba(X)
    if not hasattr(steps, "decision_function"):
        return (steps.predict(X)[:, np.newaxis] == steps.classes_).astype(np.float64)
    shares = 0.5 * (1.0 + np.tanh(0.5 * steps.decision_function(X)))
    if shares.ndim == 1:
        return np.column_stack([1.0 - shares, shares])
    shares = shares + np.finfo(np.float64).tiny
    return shares / shares.sum(axis=1, keepdims=True)'''

VALUES = '''\
def answers_of(steps: Steps, X: np.ndarray) -> np.ndarray:
    """Return the values, shape (n_cases,)."""
    return np.asarray(steps.predict(X), dtype=np.float64).reshape(len(X))'''

ALWAYS = (
    ("sklearn.base", "BaseEstimator"),
    ("sklearn.base", "OneToOneFeatureMixin"),
    ("sklearn.base", "TransformerMixin"),
    ("sklearn.pipeline", "Pipeline as Steps"),
    ("tsfresh", "extract_features"),
)
OF_SELECTION = (
    ("numpy.typing", "ArrayLike"),
    ("numpy.typing", "NDArray"),
    ("scipy.stats", "chi2"),
    ("scipy.stats", "false_discovery_control"),
    ("scipy.stats", "rankdata"),
    ("scipy.stats", "t as student_t"),
    ("sklearn.feature_selection", "SelectorMixin"),
    ("sklearn.utils", "Tags"),
    ("sklearn.utils.validation", "check_is_fitted"),
    ("sklearn.utils.validation", "validate_data"),
)


def suffices(fitted: Fitted) -> bool:
    """Tell whether tsfresh computes all features, in their order, from tables with ids.

    Not where a calculator goes by dates, which tsfresh wants as the index of a table; and not
    where the data is no table, as a .ts file is none, or holds its labels, which no table does.
    """
    spec = fitted.spec
    if fitted.families != ("features",) or None in (spec.roles.column_id, spec.labels):
        return False
    if str(spec.raw_data).lower().endswith(".ts"):
        return False
    plan = fitted.plans["features"]
    if any(
        f.calculator not in CATALOGUE or f.calculator == TIMEWISE or not f.view.is_plain
        for f in plan.features
    ):
        return False
    told = fc_parameters_of_plan(plan)
    counted = sum(1 if e is None else len(e) for kind in told.values() for e in kind.values())
    in_order = [(c, name) for c, kind in told.items() for name in kind]
    return counted == len(plan.features) and in_order == list(
        dict.fromkeys((f.channel, f.calculator) for f in plan.features)
    )


def script(fitted: Fitted) -> str:
    """Return the script; see `training.export.script`."""
    writer = Writer(OWN)
    for module, name in ALWAYS:
        writer.add_import(module, name)
    selects = any(candidate.selects for _, candidate in fitted.members)
    for module, name in OF_SELECTION if selects else ():
        writer.add_import(module, name)
    is_class = bool(fitted.target.n_classes)
    parts = {
        "title": fitted.spec.pipeline_id,
        "answer": "the probability of each class" if is_class else "the value",
        "typing": "from typing import Any, Self\n" if selects else "",
        "constants": written(_constants(fitted, writer)),
        "selection": f"\n{_selection()}\n\n" if selects else "",
        "members": laid_out("", _members(fitted, writer), 1),
        "fit": fit_text(fitted, writer),
        "answers_of": _answers_of(fitted),
        "target": f"np.array([{_CODE if is_class else _NUMBER} for name in train_ids])",
        "answers": _BY_CLASS if is_class else _BY_VALUE,
    }
    return _SCRIPT.substitute(parts, imports="\n".join(writer.imports()))


_CODE = "CLASSES.index(key(labels[name]))"
_NUMBER = "float(labels[name])"
_BY_VALUE = "    answers = dict(zip(ids, total.tolist(), strict=True))"
_BY_CLASS = """\
    # As sure as the answers out of fold allow; see tideline.blend.sharpened.
    if SHARPNESS != 1.0:
        total = (1 - SPREAD) * total + SPREAD / len(CLASSES)
    total = (total / total.max(axis=1, keepdims=True)) ** SHARPNESS
    total = total / total.sum(axis=1, keepdims=True)
    answers = {
        name: dict(zip(CLASSES, row, strict=True))
        for name, row in zip(ids, total.tolist(), strict=True)
    }"""


def _constants(fitted: Fitted, writer: Writer) -> list[tuple[str, Node]]:
    roles = fitted.spec.roles
    names = {
        "COLUMN_ID": roles.column_id,
        "COLUMN_SORT": roles.column_sort,
        "COLUMN_KIND": roles.column_kind,
        "COLUMN_VALUE": roles.column_value,
        "COLUMN_GROUP": roles.column_group,
        "COLUMN_LABEL": fitted.spec.column_label,
    }
    constants = [(name, writer.node(column)) for name, column in names.items()]
    constants.append(("SETTINGS", _settings(fitted, writer)))
    if fitted.target.n_classes:
        # As texts, for files of labels are read without Tideline's rules.
        texts = [case_key(label) for label in fitted.target.classes]
        constants.append(("CLASSES", writer.node(texts)))
        constants.append(("SHARPNESS", writer.node(fitted.sharpness)))
        constants.append(("SPREAD", writer.node(SPREAD)))
    return constants + [c for c in target_constants(fitted, writer) if c[0] == "WEIGHTS"]


def _settings(fitted: Fitted, writer: Writer) -> Group:
    plan = fitted.plans["features"]
    told = fc_parameters_of_plan(plan)
    pairs = []
    for channel in told:
        features = tuple(f for f in plan.features if f.channel == channel)
        node = _named(channel, FeaturePlan(features), writer) or writer.node(told[channel])
        pairs.append((f"{writer.node(channel)}: ", node))
    return Group("{", tuple(pairs), "}")


def _named(channel: str, plan: FeaturePlan, writer: Writer) -> Node | None:
    """Return the set of tsfresh that is the plan of a channel; None where none is."""
    for name in SETS:
        try:
            same = FeaturePlan.from_parameters([channel], name) == plan
        except SpecError:
            continue  # a set that does not suit this channel is not what was computed
        if same:
            writer.add_import("tsfresh.feature_extraction.settings", PARAMETER_SETS[name])
            return f"{PARAMETER_SETS[name]}()"
    return None


def _members(fitted: Fitted, writer: Writer) -> Group:
    members = []
    total = sum(weight for weight, _ in fitted.members)
    for weight, candidate in fitted.members:
        steps = writer.node(candidate.whole(fitted.target.task))
        told = (("", writer.node(weight / total)), ("", steps))
        members.append(("", Group("(", told, ")")))
    return Group("[", tuple(members), "]")


def _answers_of(fitted: Fitted) -> str:
    if not fitted.target.n_classes:
        return VALUES
    models = [candidate.steps[-1][1] for _, candidate in fitted.members]
    proper = all(hasattr(model, "predict_proba") for model in models)
    return PROBABILITIES if proper else ANY_PROBABILITIES


def _selection() -> str:
    """Return the source of the selection, so that the script needs nothing but scikit-learn."""
    aliases = "FloatArray = NDArray[np.float64]\nTask = str"
    things = (RelevanceSelection, *(getattr(selection, name) for name in _TESTS))
    sources = [re.sub(r"  # (type: ignore|noqa).*", "", inspect.getsource(t)) for t in things]
    return "\n\n".join([aliases, *(f"\n{source.rstrip()}" for source in sources)]).lstrip()


_TESTS = ("_kruskal_wallis", "_spearman")

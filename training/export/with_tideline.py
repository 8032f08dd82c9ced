"""The script that computes its features by Tideline."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from training.export.fitted import Fitted
from training.export.literals import Group, Node, Writer, laid_out

_SCRIPT = Template('''\
"""The model $title, fitted anew to its training data, and asked for predictions.

    python pipeline.py TRAIN_DATA [TRAIN_LABELS] DATA

TRAIN_LABELS is left out where the training data holds its labels, as .ts files do.
Prints one JSON object: $answer by the id of each case of DATA.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
$imports

$constants


def plans(panel: Panel) -> dict[str, FeaturePlan]:
    """Return the features of each family, which follow from the channels alone."""
    return $plans


def members() -> list[tuple[float, str, Steps]]:
    """Return the weight of each member, its family of features, and its steps."""
    return $members


def computed(panel: Panel, plan: FeaturePlan) -> np.ndarray:
    """Return the features of all cases, in float32 as the model was fitted to them."""
    X = np.empty((panel.n_cases, len(plan.features)), dtype=np.float32)
    return extract(panel, plan, out=X)


$fit


def fitted(panel: Panel, labels: tuple) -> Pipeline:
    """Return the pipeline, fitted to all cases of a panel."""
    y = $target
    families = plans(panel)
    tables = {name: computed(panel, plan) for name, plan in families.items()}
    columns, n_features = {}, 0
    for name, plan in families.items():
        columns[name] = slice(n_features, n_features + len(plan.features))
        n_features += len(plan.features)
    parts = [(columns[name], fit(steps, tables[name], y)) for _, name, steps in members()]
    blend = Blend(parts, [weight for weight, _, _ in members()], n_features, SHARPNESS)
    plan = FeaturePlan(tuple(f for each in families.values() for f in each.features))
    steps = Steps([("model", blend)])
    return Pipeline(plan, steps, TASK, CLASSES, tuple(panel.channels))


def main() -> None:
    """Fit, predict and print."""
    parser = argparse.ArgumentParser(description="Fit the model, and predict.")
    parser.add_argument("train_data", type=Path)
    parser.add_argument("train_labels", type=Path, nargs="?")
    parser.add_argument("data", type=Path)
    asked = parser.parse_args()
    training = read_panel(asked.train_data, ROLES)
    labels = training.labels
    if asked.train_labels is not None:
        labels = read_labels(asked.train_labels, ROLES.column_id, COLUMN_LABEL)
    if labels is None:
        parser.error("the training data holds no labels: name their file")
    pipeline = fitted(training.panel, labels.aligned_to(training.panel))
    prediction = pipeline.predict(read_panel(asked.data, ROLES).panel)
    json.dump($answers, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
''')

FIT = '''\
def fit(steps: Steps, X: np.ndarray, y: np.ndarray) -> Steps:
    """Fit the steps of a member, and return them."""
    return steps.fit(X, y)'''

FIT_WEIGHTED = Template('''\
def fit(steps: Steps, X: np.ndarray, y: np.ndarray) -> Steps:
    """Fit the steps of a member, by the weights of the cases where it takes any."""
    name, model = steps.steps[-1]
    if not has_fit_parameter(model, "sample_weight"):
        return steps.fit(X, y)
    return steps.fit(X, y, **{f"{name}__sample_weight": $weights})''')

ALWAYS = (
    ("sklearn.pipeline", "Pipeline as Steps"),
    ("tideline.blend", "Blend"),
    ("tideline.features.extraction", "extract"),
    ("tideline.features.plan", "FeaturePlan"),
    ("tideline.panel", "Panel"),
    ("tideline.pipeline", "Pipeline"),
    ("tideline.readers", "ColumnRoles"),
    ("tideline.readers", "read_labels"),
    ("tideline.readers", "read_panel"),
)


def script(fitted: Fitted) -> str:
    """Return the script; see `training.export.script`."""
    writer = Writer()
    for module, name in ALWAYS:
        writer.add_import(module, name)
    roles = ((f"{role}=", writer.node(c)) for role, c in asdict(fitted.spec.roles).items() if c)
    constants = [
        ("ROLES", Group("ColumnRoles(", tuple(roles), ")")),
        ("COLUMN_LABEL", writer.node(fitted.spec.column_label)),
        *target_constants(fitted, writer),
    ]
    is_class = bool(fitted.target.n_classes)
    parts = {
        "title": fitted.spec.pipeline_id,
        "answer": "the probability of each class" if is_class else "the value",
        "constants": written(constants),
        "plans": laid_out("", _plans(fitted, writer), 1),
        "members": laid_out("", _members(fitted, writer), 1),
        "fit": fit_text(fitted, writer),
        "target": "np.array([CLASSES.index(label) for label in labels])"
        if is_class
        else "np.array([float(label) for label in labels])",
        "answers": "prediction.by_class()" if is_class else "prediction.scores()",
    }
    return _SCRIPT.substitute(parts, imports="\n".join(writer.imports()))


def target_constants(fitted: Fitted, writer: Writer) -> list[tuple[str, Node]]:
    """Return what is learned, as constants."""
    target = fitted.target
    found = [("TASK", writer.node(target.task)), ("CLASSES", writer.node(target.classes))]
    found.append(("SHARPNESS", writer.node(fitted.sharpness)))
    if isinstance(target.weights, tuple):
        found.append(("WEIGHTS", writer.node(target.weights)))
    return found


def fit_text(fitted: Fitted, writer: Writer) -> str:
    """Return the function that fits a member."""
    if fitted.target.weights is None:
        return FIT
    writer.add_import("sklearn.utils.validation", "has_fit_parameter")
    weights = "np.array(WEIGHTS)[y]"
    if fitted.target.weights == "balanced":
        writer.add_import("sklearn.utils.class_weight", "compute_sample_weight")
        weights = 'compute_sample_weight("balanced", y)'
    return FIT_WEIGHTED.substitute(weights=weights)


def written(constants: list[tuple[str, Node]]) -> str:
    """Return the lines of some constants."""
    return "\n".join(laid_out(f"{name} = ", node) for name, node in constants)


def _plans(fitted: Fitted, writer: Writer) -> Group:
    items = ((f'"{family}": ', fitted.planned(family, writer)) for family in fitted.families)
    return Group("{", tuple(items), "}")


def _members(fitted: Fitted, writer: Writer) -> Group:
    members = []
    for weight, candidate in fitted.members:
        steps = writer.node(candidate.whole(fitted.target.task))
        told = (("", writer.node(weight)), ("", f'"{candidate.family}"'), ("", steps))
        members.append(("", Group("(", told, ")")))
    return Group("[", tuple(members), "]")

"""The page docs/training-spec.md, rendered from the spec's own fields so that the two agree.

`python -m tideline.spec.documentation > docs/training-spec.md` writes it; a test compares.
"""

from __future__ import annotations

import sys
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tideline.spec import estimators, metrics, search_arguments, translation
from tideline.spec.faults import section_of
from tideline.spec.model_training import ModelTrainingSpec
from tideline.spec.training_spec import ExtractionSpec, TrainingSpec, UntilSpec

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The whole file", TrainingSpec),
    ("`extract_features`", ExtractionSpec),
    ("`model_training`", ModelTrainingSpec),
    ("`until`", UntilSpec),
    ("`model_training.model_args` of a search", search_arguments.SearchArguments),
)

_OPENING = """# The training spec

A training spec is a YAML file (JSON is YAML too) of at most 1 MiB in UTF-8. It says what to train,
on which columns, and for how long. Posted to a trainer, with the data beside it:

```yaml
pipeline_id: 1
extract_features:
  column_id: example_id
  impute_function: tsfresh.utilities.dataframe_functions.impute
  default_fc_parameters: MinimalFCParameters()
model_training:
  model: sklearn.ensemble.RandomForestClassifier
```

Run without a service, by `python -m training spec.yaml`, it names the data itself:

```yaml
pipeline_id: pumps
raw_data: readings.parquet
labels: labels.csv
budget: 600
extract_features:
  column_id: pump
  column_sort: time
  default_fc_parameters: efficient
  kind_to_fc_parameters:
    pressure:
      maximum: null
      autocorrelation: [{lag: 1}, {lag: 10}]
model_training:
  model: tpot.TPOTClassifier
  model_args: {generations: 20, population_size: 10, max_time_mins: 5}
```

Nothing in it is evaluated or imported by name: a class path and the name of a parameter set are
looked up in tables. An unknown key is refused, and the nearest known one named; so are tags, a key
given twice, and aliases that multiply. A date is text here, and `1e-3` a number.
"""

_KINDS: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    type(None): "null",
    Any: "value",
}
_BOUNDS = (("ge", "from {}"), ("gt", "above {}"), ("le", "to {}"))


def page() -> str:
    """Return the page as Markdown."""
    parts = [_OPENING]
    for title, model in SECTIONS:
        parts.append(f"## {title}\n\n{_table(model)}")
    parts.append(_metrics())
    parts.append(_models())
    parts.append(_aside())
    return "\n".join(parts)


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {_takes(field)} | {_default(field)} | {field.description} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(rows) + "\n"


def _takes(field: FieldInfo) -> str:
    bounds = [
        words.format(_number(getattr(rule, name)))
        for name, words in _BOUNDS
        for rule in field.metadata
        if hasattr(rule, name)
    ]
    kind = _kind(field.annotation)
    if not bounds:
        return kind
    # The bounds are those of the number, which `null` follows.
    number, null, rest = kind.partition(", null")
    return f"{number} {' '.join(bounds)}{null}{rest}"


def _kind(annotation: object) -> str:
    origin, members = get_origin(annotation), get_args(annotation)
    if annotation in _KINDS:
        return _KINDS[annotation]
    if origin is Annotated:
        return _kind(members[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in members)
    if origin in {Union, types.UnionType}:
        return ", ".join(dict.fromkeys(_kind(member) for member in members))
    return "mapping"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if section_of(field.annotation):
        return "its defaults"
    value = field.get_default(call_default_factory=True)
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return f"`{words[value]}`"
    return f"`{_number(value) if isinstance(value, float) else value}`"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _metrics() -> str:
    lines = [f"- {task}: {_listed(names)}" for task, names in metrics.METRICS.items()]
    return "## Metrics\n\n" + "\n".join(lines) + "\n"


def _models() -> str:
    lines = []
    for task in ("classification", "regression"):
        paths = sorted(c.path for c in estimators.choices().values() if c.task == task)
        lines.append(f"- {task}: {_listed(paths)}")
    return "## Models\n\n" + "\n".join(lines) + "\n"


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _aside() -> str:
    rows = [
        (f"extract_features.{name}", reason)
        for name, reason in translation.RUN_TIME_ARGUMENTS.items()
    ]
    rows += [(f"{search_arguments.FIELD}.{n}", r) for n, r in search_arguments.ASIDE.items()]
    rows += [
        (f"{search_arguments.FIELD}.{old}", f"read as `{new}`")
        for old, new in search_arguments.RENAMED.items()
    ]
    rows += [
        (f"{search_arguments.FIELD}.{old}", f"read as `model_training.{new}`")
        for old, new in search_arguments.MOVED.items()
    ]
    rows += [
        (f"{search_arguments.FIELD}.config_dict", "`TPOT light` is read as `search_space`"),
        ("model_training.scoring", "read as `model_training.metric`"),
    ]
    table = "\n".join(f"| `{key}` | {reason} |" for key, reason in rows)
    return (
        "## Keys of older files\n\nThese are taken, and each is told in the job's log: "
        "left aside, for the reason given, or read as another.\n\n"
        f"| key | what becomes of it |\n|---|---|\n{table}\n"
    )


if __name__ == "__main__":
    sys.stdout.write(page())

"""From a document as it was written to the spec's own fields, with a notice of each change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tideline.errors import SpecError
from tideline.spec import estimators, metrics, search_arguments
from tideline.spec.document import JSON
from tideline.wording import shown

RUN_TIME_ARGUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "chunksize": "Tideline shares the work out",
        "disable_progressbar": "the job reports its progress",
        "distributor": "Tideline shares the work out",
        "n_jobs": "Tideline shares the work out",
        "pivot": "the features are a matrix",
        "profile": "the job's log holds its timings",
        "profiling_filename": "the job's log holds its timings",
        "profiling_sorting": "the job's log holds its timings",
        "show_warnings": "what the calculators warn of is of no use in a log",
    }
)
"""What tsfresh's `extract_features` takes that says how to compute, and why it is left aside."""

# Below the largest double, so that no infinity comes of it.
_EXPONENT = re.compile(r"[-+]?[0-9]{1,17}[eE][-+]?[0-9]{1,2}")


@dataclass
class TranslatedDocument:
    """A document in the spec's own fields.

    Attributes
    ----------
    document
        For `TrainingSpec`, not yet checked.
    notices
        What was changed, one sentence each.
    written
        Section to those of its keys that were changed, as they were.
    """

    document: dict[str, JSON]
    notices: list[str] = field(default_factory=list)
    written: dict[str, dict[str, JSON]] = field(default_factory=dict)


def translate(document: Mapping[str, JSON]) -> TranslatedDocument:
    """Return the document without what only older parameter files say.

    Whatever has another shape than expected is passed on, for the spec's own check to refuse.

    Raises
    ------
    SpecError
        When two keys say different things of one matter.
    """
    result = TranslatedDocument(dict(document))
    if "budget" in document:
        result.document["budget"] = _with_numbers(document["budget"])
    for name in ("extract_features", "model_training", "until"):
        section = document.get(name)
        if section is None and name in document:
            del result.document[name]  # `extract_features:` with nothing after it
        elif isinstance(section, dict):
            result.document[name] = _SECTIONS[name](dict(section), result)
    return result


def _with_numbers(value: JSON) -> JSON:
    """Return a value with `1e-3` as a number, which YAML 1.1 reads as text.

    Only for places where no such text is meant: a column or a pipeline may well be called `1e3`.
    """
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return float(value)
    if isinstance(value, list):
        return [_with_numbers(v) for v in value]
    if isinstance(value, dict):
        return {key: _with_numbers(v) for key, v in value.items()}
    return value


def _extraction(section: dict[str, JSON], result: TranslatedDocument) -> dict[str, JSON]:
    for name in ("default_fc_parameters", "kind_to_fc_parameters"):
        if name in section:
            section[name] = _with_numbers(section[name])
    for name, reason in RUN_TIME_ARGUMENTS.items():
        if name in section:
            result.written.setdefault("extract_features", {})[name] = section.pop(name)
            result.notices.append(f"extract_features.{name} is left aside: {reason}.")
    return section


def _training(section: dict[str, JSON], result: TranslatedDocument) -> dict[str, JSON]:
    section = {name: _with_numbers(value) for name, value in section.items()}
    if "model_args" in section and section["model_args"] is None:
        del section["model_args"]
    if "scoring" in section:
        scoring = section.pop("scoring")
        result.written.setdefault("model_training", {})["scoring"] = scoring
        result.notices.append("model_training.scoring is read as model_training.metric.")
        _set(section, "metric", scoring, "model_training.scoring")
    model, args = section.get("model"), section.get("model_args")
    if isinstance(args, dict) and _names_search(model):
        translation = search_arguments.translated(args)
        for name, value in translation.training.items():
            _set(section, name, value, search_arguments.FIELD)
        section["model_args"] = translation.arguments
        result.notices.extend(translation.notices)
        if translation.notices:
            result.written.setdefault("model_training", {})["model_args"] = args
    return section


def _until(section: dict[str, JSON], _result: TranslatedDocument) -> dict[str, JSON]:
    return {name: _with_numbers(value) for name, value in section.items()}


_SECTIONS = {"extract_features": _extraction, "model_training": _training, "until": _until}


def _names_search(model: JSON) -> bool:
    return model is None or (isinstance(model, str) and estimators.is_search(model))


def _set(section: dict[str, JSON], name: str, value: JSON, source: str) -> None:
    held = section.get(name)
    if held is not None and held != value and _metric(held) != _metric(value):
        raise SpecError(
            f"model_training.{name} is {shown(held)}, and {source} says {shown(value)}.",
            mend="Say it once.",
            field=f"model_training.{name}",
        )
    section[name] = value


def _metric(value: JSON) -> JSON:
    """Return the one name of a metric that has two, and any other value as it is."""
    return metrics.ALIASES.get(value, value) if isinstance(value, str) else value

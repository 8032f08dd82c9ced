"""Which calculators to run, and with which parameters: tsfresh's named sets, or a mapping.

A set is known by a name alone, and the calculators and their parameters by the catalogue, so that
a spec is read without importing tsfresh, which takes seconds. A mapping is checked against the
catalogue before anything is computed, because tsfresh looks some parameters up as names of numpy
functions, and fails on others in the middle of a run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from tideline.errors import SpecError
from tideline.features.catalogue import CATALOGUE, CONVOLUTIONS
from tideline.features.parameter_rules import Parameter, Rule, own_rule, pairing_fault, rule_for
from tideline.features.sets import OWN_SETS, named_set
from tideline.wording import shown

Parameters = dict[str, list[dict[str, Parameter]] | None]
"""Calculator to its parameters, one dict a feature; None for a calculator that takes none."""

PARAMETER_SETS: Mapping[str, str] = MappingProxyType(
    {
        "minimal": "MinimalFCParameters",
        "efficient": "EfficientFCParameters",
        "comprehensive": "ComprehensiveFCParameters",
        "index_based": "IndexBasedFCParameters",
        "time_based": "TimeBasedFCParameters",
    }
)
"""Our name of a set, and the class of tsfresh that holds it."""

FIELD = "extract_features.default_fc_parameters"
MAX_FEATURES = 10_000
"""The most parameter combinations that one mapping may hold."""

_SPELLING = re.compile(r"(?:tsfresh\.(?:\w+\.)*)?(\w+?)(?:\(\s*\))?")


def canonical_name(text: str, *, field: str = FIELD) -> str:
    """Return the name of a parameter set, however it was spelt; nothing is evaluated.

    Raises
    ------
    SpecError
        When there is no such set; the nearest is named.

    Examples
    --------
    >>> canonical_name("MinimalFCParameters()")
    'minimal'
    >>> canonical_name("tsfresh.feature_extraction.settings.EfficientFCParameters")
    'efficient'
    """
    match = _SPELLING.fullmatch(text.strip())
    spelt = match[1].lower() if match else text.lower()
    if spelt in OWN_SETS:
        return spelt
    for name, class_name in PARAMETER_SETS.items():
        if spelt in {name, name.replace("_", ""), class_name.lower()}:
            return name
    spellings = {s.lower(): n for n, c in PARAMETER_SETS.items() for s in (n, c)}
    spellings |= {name: name for name in OWN_SETS}
    near = get_close_matches(spelt[:80], spellings, 1)
    raise SpecError(
        f"{shown(text)} is not a parameter set; "
        f"{', '.join((*OWN_SETS, *PARAMETER_SETS))} are expected.",
        mend=f"Did you mean {spellings[near[0]]!r}?" if near else "Write one of these names.",
        field=field,
    )


def checked(mapping: Mapping[str, object], *, field: str = FIELD) -> Parameters:
    """Return an explicit choice of calculators, each known here with the parameters given.

    Parameters
    ----------
    mapping
        Calculator to a list of parameter mappings, or to None where it takes no parameter.
    field
        Where the mapping stands in the spec.

    Raises
    ------
    SpecError
        When a calculator, a parameter or a value is not one that can be computed with; `field`
        leads to it, and the nearest known name is given.
    """
    if not mapping:
        raise SpecError(
            "no calculator is named; at least one is expected.",
            mend="Name calculators, or a set such as 'efficient'.",
            field=field,
        )
    parameters = {
        _known(name, _calculators(), "calculator", field): _entries(name, value, f"{field}.{name}")
        for name, value in mapping.items()
    }
    count = sum(1 if entries is None else len(entries) for entries in parameters.values())
    if count > MAX_FEATURES:
        raise SpecError(
            f"{count} features are asked for each channel; at most {MAX_FEATURES} are computed.",
            mend="Name fewer parameter combinations.",
            field=field,
        )
    return parameters


def are_sound(calculator: str, parameters: Collection[tuple[str, object]]) -> bool:
    """Return whether one of our own calculators takes these parameters, of JSON's plain kinds.

    What `checked` says too, of one feature, and many times faster.
    """
    rules = _calculators()[calculator]
    return len(parameters) == len(rules) and all(
        key in rules and rules[key].accepts(value) for key, value in parameters
    )


def parameter_set(name_or_mapping: str | Mapping[str, object], *, field: str = FIELD) -> Parameters:
    """Return the calculators and parameters of a set of tsfresh, or of an explicit mapping.

    Values are of JSON's kinds: `widths` is a list, where tsfresh has a tuple. The result is the
    caller's own; tsfresh's set is not touched by changing it.

    Raises
    ------
    SpecError
        As `canonical_name` and `checked`.
    """
    if not isinstance(name_or_mapping, str):
        return checked(name_or_mapping, field=field)
    return named_set(canonical_name(name_or_mapping, field=field))


@cache
def _calculators() -> Mapping[str, Mapping[str, Rule]]:
    """Return the rules of each parameter of each calculator that can be computed here."""
    rules: dict[str, Mapping[str, Rule]] = {}
    known = named_set("comprehensive")
    for name, calculator in CATALOGUE.items():
        examples = {
            key: [entry[key] for entry in known[name] or () if key in entry]
            for key in calculator.parameters
        }
        rules[name] = {key: rule_for(name, key, values) for key, values in examples.items()}
    for name, calculator in CONVOLUTIONS.items():
        rules[name] = {key: own_rule(name, key) for key in calculator.parameters}
    return MappingProxyType(rules)


def _entries(name: str, value: object, field: str) -> list[dict[str, Parameter]] | None:
    """Return the checked parameter combinations of one calculator."""
    rules = _calculators()[name]
    if not rules:
        if value is not None and value not in ([], [{}]):
            raise SpecError(
                f"calculator {name} takes no parameter, but {shown(value)} was found.",
                mend="Write null.",
                field=field,
            )
        return None
    if not isinstance(value, list) or not value:
        raise SpecError(
            f"calculator {name} needs parameters ({', '.join(rules)}), "
            f"but {shown(value)} was found.",
            mend="Write a list of mappings, one for each feature.",
            field=field,
        )
    entries: list[dict[str, Parameter]] = []
    seen: set[str] = set()
    for position, entry in enumerate(value):
        accepted = _entry(name, entry, f"{field}.{position}")
        if (told := repr(sorted(accepted.items()))) in seen:
            raise SpecError(
                f"calculator {name} is asked twice for {shown(accepted)}.",
                mend="Leave one of the two out.",
                field=f"{field}.{position}",
            )
        seen.add(told)
        entries.append(accepted)
    return entries


def _entry(name: str, entry: object, field: str) -> dict[str, Parameter]:
    rules = _calculators()[name]
    if not isinstance(entry, Mapping):
        raise SpecError(
            f"{shown(entry)} was found where calculator {name} expects a mapping of "
            f"{', '.join(rules)}.",
            mend="Write each parameter with its name.",
            field=field,
        )
    for key in entry:
        _known(key, rules, f"parameter of calculator {name}", field)
    missing = [key for key, rule in rules.items() if key not in entry and not rule.optional]
    if missing:
        raise SpecError(
            f"calculator {name} also needs {', '.join(missing)}.",
            mend="Give every parameter a value.",
            field=field,
        )
    accepted: dict[str, Parameter] = {}
    for key, value in entry.items():
        rule = rules[key]
        if not rule.accepts(value):
            raise SpecError(
                f"{key} of calculator {name} is {shown(value)}; {rule.expected} is expected.",
                mend="Correct the value.",
                field=f"{field}.{key}",
            )
        accepted[key] = rule.kept(value)
    if fault := pairing_fault(name, accepted):
        raise SpecError(fault, mend="Correct one of the two.", field=field)
    return accepted


def _known(name: object, names: Iterable[str], kind: str, field: str) -> str:
    known = list(names)
    if isinstance(name, str) and name in known:
        return name
    near = get_close_matches(str(name)[:80], known, 1)
    raise SpecError(
        f"{shown(name)} is not a {kind} that can be computed with here.",
        mend=f"Did you mean {near[0]!r}?" if near else "Leave it out.",
        field=field,
    )

"""Whatever a spec says, it is read and written back, or refused as a SpecError."""

from __future__ import annotations

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tideline.errors import SpecError
from tideline.spec import TrainingSpec
from tideline.spec.faults import known_paths
from tideline.spec.metrics import METRICS
from tideline.spec.search_arguments import SearchArguments

names = st.from_regex(r"[a-z0-9]([-._a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
columns = st.one_of(st.none(), st.text(st.characters(codec="ascii", categories=["L"]), min_size=1))
calculators = st.one_of(
    st.none(),
    st.sampled_from(["minimal", "EfficientFCParameters()"]),
    st.fixed_dictionaries(
        {},
        optional={
            "mean": st.none(),
            "c3": st.lists(
                st.integers(0, 9).map(lambda lag: {"lag": lag}),
                min_size=1,
                max_size=3,
                unique_by=repr,
            ),
            "cwt_coefficients": st.just([{"widths": [2, 5], "coeff": 0, "w": 2}]),
        },
    ).filter(bool),
)
searches = st.fixed_dictionaries(
    {},
    optional={
        "generations": st.integers(1, 100),
        "verbosity": st.integers(0, 3),
        "max_time_mins": st.floats(0.01, 100),
        "scoring": st.sampled_from(METRICS["classification"]),
        "cv": st.integers(2, 9),
        "config_dict": st.sampled_from([None, "TPOT light", "TPOT sparse"]),
        "memory": st.just("auto"),
    },
)
sound = st.fixed_dictionaries(
    {"pipeline_id": names},
    optional={
        "extract_features": st.fixed_dictionaries(
            {},
            optional={
                "column_id": columns,
                "column_sort": columns,
                "default_fc_parameters": calculators,
                "kind_to_fc_parameters": st.dictionaries(
                    columns.filter(bool), calculators.filter(bool), max_size=2
                ),
                "n_jobs": st.integers(0, 4),
                "chunksize": st.none(),
                "convolutions": st.none() | st.booleans(),
            },
        ),
        "model_training": st.one_of(
            st.fixed_dictionaries(
                {},
                optional={
                    "model": st.sampled_from([None, "tpot.TPOTClassifier"]),
                    "model_args": searches,
                    "test_fraction": st.none() | st.floats(0, 0.5),
                    "split": st.sampled_from(["random", "time"]),
                    "class_weight": st.none()
                    | st.just("balanced")
                    | st.dictionaries(names, st.floats(0.1, 9), min_size=1, max_size=3),
                },
            ),
            st.fixed_dictionaries(
                {
                    "model": st.sampled_from(["sklearn.svm.SVC", "LogisticRegression"]),
                    "model_args": st.fixed_dictionaries({}, optional={"C": st.floats(0.1, 9)}),
                },
                optional={"scoring": st.sampled_from(["auc", "f1"]), "cv": st.integers(2, 20)},
            ),
        ),
        "task": st.sampled_from(["auto", "classification"]),
        "budget": st.one_of(st.integers(5, 1000), st.floats(5, 1000)),
        "raw_data": st.just("../a.csv"),
        "group_id": st.just("group no. 1"),
        "until": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "score": st.none() | st.floats(-5, 1),
                "pipelines": st.none() | st.integers(1, 10_000),
                "seconds_without_gain": st.none() | st.floats(0.1, 1e6),
            },
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(sound)
def test_a_sound_spec_is_read_written_and_read_again(document):
    spec = TrainingSpec.from_yaml(yaml.safe_dump(document))
    again = TrainingSpec.from_yaml(yaml.safe_dump(spec.to_mapping()))
    assert again == spec
    assert again.notices == spec.notices
    assert again.to_mapping() == spec.to_mapping()


paths = [
    p.split(".")
    for m, at in ((TrainingSpec, ""), (SearchArguments, "model_training.model_args"))
    for p in known_paths(m, at)
]
anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 5),
        st.floats(),
        st.sampled_from(
            ["a", "minimal", "regression", "sklearn.svm.SVC", "tpot.TPOTRegressor", "r2"]
        ),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(sound, st.lists(st.tuples(st.sampled_from(paths), anything), min_size=1, max_size=3))
def test_a_spec_with_anything_anywhere_is_read_or_refused_as_a_spec_error(document, changes):
    for path, value in changes:
        place = document
        for key in path[:-1]:
            held = place.get(key)
            place[key] = dict(held) if isinstance(held, dict) else {}
            place = place[key]
        place[path[-1]] = value
    try:
        spec = TrainingSpec.from_yaml(yaml.safe_dump(document))
    except SpecError as error:
        refused = error
    else:
        json.dumps(spec.to_mapping(), allow_nan=False)
        assert TrainingSpec.from_mapping(spec.to_mapping()) == spec
        return
    assert refused.message
    assert refused.mend
    assert len(str(refused)) < 2000


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=100), st.text(max_size=100), anything.map(repr)))
def test_any_source_at_all_is_read_or_refused_as_a_spec_error(source):
    try:
        spec = TrainingSpec.from_yaml(source)
    except SpecError:
        return
    assert spec.pipeline_id

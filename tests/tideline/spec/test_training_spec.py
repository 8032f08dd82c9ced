"""The training spec: what it reads, what it refuses, and what it writes."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from tideline.errors import SpecError
from tideline.spec import TrainingSpec

EXTRACT = """
pipeline_id: 1
extract_features:
  column_id: example_id
  impute_function: tsfresh.utilities.dataframe_functions.impute
  default_fc_parameters: MinimalFCParameters()
"""
FOREST = f"""{EXTRACT}
model_training:
  model: sklearn.ensemble.RandomForestClassifier
"""
TPOT = f"""{EXTRACT}
model_training:
  model: tpot.TPOTClassifier
  model_args: {{generations: 20, population_size: 10, verbosity: 2, max_time_mins: 0.1}}
"""


def read(**keys: object) -> TrainingSpec:
    return TrainingSpec.from_mapping({"pipeline_id": "a", **keys})


def refusal(text: str | bytes) -> SpecError:
    with pytest.raises(SpecError) as caught:
        TrainingSpec.from_yaml(text)
    assert caught.value.exit_code == 64
    return caught.value


def test_reads_the_forest_of_the_founding_service():
    spec = TrainingSpec.from_yaml(FOREST.encode())
    assert spec.pipeline_id == "1"
    assert spec.extract_features.column_id == "example_id"
    assert spec.extract_features.default_fc_parameters == "minimal"
    assert spec.model_training.model == "sklearn.ensemble.RandomForestClassifier"
    assert spec.model_training.model_args == {}
    assert not spec.model_training.is_search
    assert spec.known_task == "classification"
    assert spec.notices == ()


def test_reads_the_search_of_the_founding_service():
    spec = TrainingSpec.from_yaml(TPOT.encode())
    assert spec.model_training.is_search
    assert spec.model_training.model_args == {
        "generations": 20,
        "population_size": 10,
        "verbose": 2,
        "max_time_mins": 0.1,
    }
    assert spec.notices == (
        "model_training.model_args.verbosity is read as verbose, its name since TPOT 1.0.",
    )


def test_a_name_is_all_that_must_be_said():
    spec = TrainingSpec.from_yaml("pipeline_id: a")
    assert spec.model_training.is_search
    assert spec.extract_features.default_fc_parameters is None
    assert (spec.task, spec.known_task, spec.budget) == ("auto", None, 3600)


def test_a_channel_may_have_calculators_of_its_own():
    kinds = {"x": "EfficientFCParameters()", "y": {"c3": [{"lag": 2}], "mean": None}, 3: "minimal"}
    found = read(extract_features={"kind_to_fc_parameters": kinds}).extract_features
    assert found.kind_to_fc_parameters == {
        "x": "efficient",
        "y": {"c3": [{"lag": 2}], "mean": None},
        "3": "minimal",
    }


def test_a_column_may_be_called_by_a_number():
    assert read(extract_features={"column_id": 0}, column_label=1).column_label == "1"


@pytest.mark.parametrize(
    ("keys", "task"),
    [
        ({}, None),
        ({"task": "regression"}, "regression"),
        ({"model_training": {"model": "tpot.TPOTRegressor"}}, "regression"),
        ({"model_training": {"metric": "accuracy"}}, "classification"),
        ({"model_training": {"metric": "rmse", "model": "sklearn.svm.SVR"}}, "regression"),
    ],
)
def test_the_task_is_known_from_the_model_or_the_metric(keys, task):
    assert read(**keys).known_task == task


def test_reads_what_ends_the_search_and_how_it_is_split():
    spec = read(
        until={"score": 1, "pipelines": 40, "seconds_without_gain": "6e1"},
        group_id=3,
        extract_features={"column_id": "id", "convolutions": False},
        model_training={"split": "time", "class_weight": {1: 3, "b": "5e-1"}},
    )
    assert spec.until.model_dump() == {
        "score": 1.0,
        "pipelines": 40,
        "seconds_without_gain": 60.0,
    }
    assert spec.group_id == "3"
    assert spec.roles.column_group == "3"
    assert spec.roles.column_id == "id"
    assert spec.extract_features.convolutions is False
    assert spec.model_training.split == "time"
    assert spec.model_training.class_weight == {"1": 3.0, "b": 0.5}


def test_leaves_open_what_is_not_said():
    spec = TrainingSpec.from_yaml("{pipeline_id: a, until: }")
    assert spec.until.model_dump() == {
        "score": None,
        "pipelines": None,
        "seconds_without_gain": None,
    }
    wanted = spec.model_training
    assert (wanted.test_fraction, wanted.split, wanted.class_weight) == (None, "random", None)
    assert (spec.group_id, spec.extract_features.convolutions) == (None, None)


def test_refuses_weights_of_classes_that_the_labels_do_not_have():
    wanted = read(model_training={"class_weight": {"wlak": 2}}).model_training
    with pytest.raises(SpecError, match="Did you mean 'walk'") as caught:
        wanted.require_known_classes(["walk", "run", "walk"])
    assert caught.value.field == "model_training.class_weight.wlak"
    wanted.require_known_classes(["wlak", "run"])
    with pytest.raises(SpecError, match="which have no classes"):
        wanted.require_known_classes([1.5, 2.5], "regression")


def test_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        read().budget = 5


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("{}", "pipeline_id", "pipeline_id is missing"),
        ("{pipeline_id: Pump A}", "pipeline_id", "Write 'pump-a'"),
        ("{pipeline_id: yes}", "pipeline_id", "True cannot name"),
        ("{pipeline_id: a, budgte: 5}", "budgte", "Did you mean 'budget'"),
        (
            "{pipeline_id: a, column_id: i}",
            "column_id",
            "Did you mean 'extract_features.column_id'",
        ),
        (
            "{pipeline_id: a, default_fc_params: m}",
            "default_fc_params",
            "'extract_features.default_",
        ),
        ("{pipeline_id: a, zzzzzz: i}", "zzzzzz", "Known here: pipeline_id, extract_features"),
        ("{pipeline_id: a, task: clasification}", "task", "'auto', 'classification' or"),
        ("{pipeline_id: a, budget: 1}", "budget", "greater than or equal to 5"),
        ("{pipeline_id: a, budget: '60'}", "budget", "should be a number"),
        ("{pipeline_id: a, budget: 1.0e+9}", "budget", "less than or equal to 2592000"),
        ("{pipeline_id: a, until: 0.9}", "until", "should be a mapping"),
        ("{pipeline_id: a, until: {pipelines: 0}}", "until.pipelines", "or equal to 1"),
        ("{pipeline_id: a, until: {seconds_without_gain: 0}}", "until.seconds_without_gain", "0"),
        ("{pipeline_id: a, until: {score: high}}", "until.score", "should be a number"),
        ("{pipeline_id: a, until: {scores: 1}}", "until.scores", "Did you mean 'score'"),
        ("{pipeline_id: a, group_id: [x]}", "group_id", "should be text"),
        (
            "{pipeline_id: a, group_id: m, extract_features: {column_id: m}}",
            "group_id",
            "extract_features.column_id are both 'm'",
        ),
        ("{pipeline_id: a, group_id: m, column_label: m}", "group_id", "a column has one role"),
        (
            "{pipeline_id: a, task: regression, model_training: {class_weight: balanced}}",
            "model_training.class_weight",
            "no classes",
        ),
        ("{pipeline_id: a, raw_data: [x]}", "raw_data", "should be text"),
        ("{pipeline_id: a, raw_data: ''}", "raw_data", "at least 1 character"),
    ],
)
def test_refuses_a_top_level_key_and_says_why(text, field, said):
    error = refusal(text)
    assert (error.field, said in str(error)) == (field, True), error


@pytest.mark.parametrize(
    ("section", "field", "said"),
    [
        ("[1]", "", "should be a mapping"),
        ("{colunm_id: i}", ".colunm_id", "Did you mean 'column_id'"),
        ("{column_id: true}", ".column_id", "should be text"),
        ("{column_id: ''}", ".column_id", "at least 1 character"),
        ("{impute_function: os.system}", ".impute_function", "dataframe_functions.impute"),
        ("{default_fc_parameters: eficient}", ".default_fc_parameters", "Did you mean 'efficient'"),
        ("{default_fc_parameters: [mean]}", ".default_fc_parameters", "or a mapping is expected"),
        ("{default_fc_parameters: {meen: }}", ".default_fc_parameters", "Did you mean 'mean'"),
        (
            "{default_fc_parameters: {c3: [{lag: -1}]}}",
            ".default_fc_parameters.c3.0.lag",
            "a whole number",
        ),
        ("{convolutions: 1}", ".convolutions", "should be true or false"),
        ("{kind_to_fc_parameters: minimal}", ".kind_to_fc_parameters", "should be a mapping"),
        (
            "{kind_to_fc_parameters: {x: {c3: [{lga: 1}]}}}",
            ".kind_to_fc_parameters.x.c3.0",
            "Did you mean 'lag'",
        ),
        ("{kind_to_fc_parameters: {x: 3}}", ".kind_to_fc_parameters.x", "or a mapping is expected"),
    ],
)
def test_refuses_an_extraction_and_says_where(section, field, said):
    error = refusal(f"{{pipeline_id: a, extract_features: {section}}}")
    assert (error.field, said in str(error)) == (f"extract_features{field}", True), error


@pytest.mark.parametrize(
    ("section", "field", "said"),
    [
        ("3", "", "should be a mapping"),
        ("{model: sklearn.svm.SVCC}", ".model", "Did you mean 'sklearn.svm.SVC'"),
        ("{model: os.system}", ".model", "not an estimator"),
        ("{model: 3}", ".model", "should be text"),
        ("{modle: x}", ".modle", "Did you mean 'model'"),
        ("{n_estimators: 3, model: sklearn.svm.SVC}", ".n_estimators", "not a key"),
        ("{generations: 3}", ".generations", "not a key"),
        ("{model_args: [1]}", ".model_args", "should be a mapping"),
        ("{model_args: {generatoins: 3}}", ".model_args.generatoins", "Did you mean 'generations'"),
        ("{model_args: {generations: 0}}", ".model_args.generations", "greater than or equal to 1"),
        ("{model_args: {max_time_mins: soon}}", ".model_args.max_time_mins", "should be a number"),
        ("{model_args: {search_space: all}}", ".model_args.search_space", "'linear' or 'linear-l"),
        ("{model_args: {n_jobs: 0}}", ".model_args.n_jobs", "-1, or 1 and above"),
        ("{model: sklearn.svm.SVC, model_args: {c: 1}}", ".model_args.c", "Did you mean 'C'"),
        ("{metric: rocauc}", ".metric", "Did you mean 'roc_auc'"),
        ("{cv: 1}", ".cv", "greater than or equal to 2"),
        ("{cv: true}", ".cv", "should be a whole number"),
        ("{test_fraction: 0.9}", ".test_fraction", "less than or equal to 0.5"),
        ("{split: timely}", ".split", "'random' or 'time'"),
        ("{class_weight: equal}", ".class_weight", "balanced, or a mapping"),
        ("{class_weight: {}}", ".class_weight", "balanced, or a mapping"),
        ("{class_weight: {a: 0}}", ".class_weight.a", "a number above 0"),
        ("{class_weight: {a: true}}", ".class_weight.a", "a number above 0"),
        (
            "{class_weight: balanced, model: SVC, model_args: {class_weight: balanced}}",
            ".class_weight",
            "are both given",
        ),
        (
            "{class_weight: balanced, model: sklearn.neighbors.KNeighborsClassifier}",
            ".class_weight",
            "takes no weights",
        ),
        ("{select_features: 1}", ".select_features", "should be true or false"),
        ("{random_state: -1}", ".random_state", "greater than or equal to 0"),
        ("{metric: r2, model: sklearn.svm.SVC}", ".metric", "two tasks"),
    ],
)
def test_refuses_a_training_and_says_where(section, field, said):
    error = refusal(f"{{pipeline_id: a, model_training: {section}}}")
    assert (error.field, said in str(error)) == (f"model_training{field}", True), error


def test_refuses_a_task_that_the_model_does_not_learn():
    error = refusal("{pipeline_id: a, task: regression, model_training: {model: sklearn.svm.SVC}}")
    assert error.field == "model_training.model"
    assert "task for regression and model_training.model for classification" in str(error)


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        f"{{pipeline_id: {LONG}}}",
        f"{{pipeline_id: a, {LONG}: 1}}",
        f"{{pipeline_id: a, {LONG}: .nan}}",
        f"{{pipeline_id: a, task: {LONG}}}",
        f"{{pipeline_id: a, extract_features: {{{LONG}: 1}}}}",
        f"{{pipeline_id: a, extract_features: {{default_fc_parameters: {LONG}}}}}",
        f"{{pipeline_id: a, extract_features: {{default_fc_parameters: {{{LONG}: 1}}}}}}",
        f"{{pipeline_id: a, extract_features: {{kind_to_fc_parameters: {{{LONG}: 1}}}}}}",
        f"{{pipeline_id: a, model_training: {{model: {LONG}}}}}",
        f"{{pipeline_id: a, model_training: {{metric: {LONG}}}}}",
        f"{{pipeline_id: a, model_training: {{model_args: {{{LONG}: 1}}}}}}",
        f"{{pipeline_id: a, model_training: {{model: SVC, model_args: {{{LONG}: 1}}}}}}",
        f"{{pipeline_id: a, model_training: {{model: SVC, model_args: {{kernel: {LONG}}}}}}}",
        f"a: *{LONG}",
        f"a: !{LONG} b",
    ],
    ids=lambda text: text.replace(LONG, "LONG"),
)
def test_a_message_does_not_echo_a_long_text(text):
    error = refusal(text)
    assert len(str(error)) < 1000
    assert len(error.field or "") < 200


def test_names_the_other_fields_at_fault_as_well():
    error = refusal("{budget: 1, task: x, extract_features: {columnid: a}}")
    assert error.field == "pipeline_id"
    assert "Also at fault: budget, extract_features.columnid, task." in str(error)


@pytest.mark.parametrize("name", ["raw_data", "labels", "store"])
def test_a_posted_spec_names_no_file_and_no_url(name):
    spec = read(**{name: "http://169.254.169.254/latest"})
    with pytest.raises(SpecError, match="no file and no URL") as caught:
        spec.require_posted()
    assert caught.value.field == name
    read().require_posted()


def test_a_local_spec_names_its_data():
    with pytest.raises(SpecError, match="names no data") as caught:
        read().require_local()
    assert caught.value.field == "raw_data"
    read(raw_data="series.csv").require_local()


MANY = """
pipeline_id: a
group_id: machine
until: {score: 0.9, seconds_without_gain: 5e+2}
extract_features: {convolutions: true}
model_training: {split: time, class_weight: {1: 2, 2: 1.5}, test_fraction: 0.2}
"""


def test_convolutions_beside_a_named_model_are_left_aside_and_it_says_so() -> None:
    wanted = {"pipeline_id": "x", "extract_features": {"convolutions": True}}
    named = {"model_training": {"model": "sklearn.linear_model.RidgeClassifier"}}
    [notice] = TrainingSpec.from_mapping({**wanted, **named}).notices
    assert notice.startswith("extract_features.convolutions is left aside: sklearn.linear_model.")
    assert TrainingSpec.from_mapping(wanted).notices == ()
    assert TrainingSpec.from_mapping({"pipeline_id": "x", **named}).notices == ()


@pytest.mark.parametrize("text", [FOREST, TPOT, MANY, "pipeline_id: a"])
def test_is_read_back_from_what_it_writes_with_the_same_notices(text):
    spec = TrainingSpec.from_yaml(text)
    written = json.loads(json.dumps(spec.to_mapping()))
    for again in (TrainingSpec.from_mapping(written), TrainingSpec.from_yaml(json.dumps(written))):
        assert again == spec
        assert again.notices == spec.notices
        assert again.to_mapping() == spec.to_mapping()

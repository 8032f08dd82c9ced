"""What becomes of the keys of older parameter files."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from tideline.errors import SpecError
from tideline.spec import TrainingSpec
from tideline.spec.search_arguments import KNOWN, SearchArguments, translated
from tideline.spec.translation import translate


def tpot_arguments() -> dict[str, object]:
    """Read TPOT's constructors without importing it, which takes seconds and warns."""
    package = find_spec("tpot")
    assert package
    assert package.origin
    folder = Path(package.origin).parent / "tpot_estimator"
    found: dict[str, object] = {}
    for source in (folder / "estimator.py", folder / "templates" / "tpottemplates.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                names = [a.arg for a in node.args.args][-len(node.args.defaults) :]
                values = (
                    d.value if isinstance(d, ast.Constant) else ... for d in node.args.defaults
                )
                found |= dict(zip(names, values, strict=True))
    return found


def spec(**training: object) -> TrainingSpec:
    return TrainingSpec.from_mapping({"pipeline_id": "a", "model_training": training})


def test_the_search_arguments_are_tpots():
    assert set(SearchArguments.model_fields) <= set(tpot_arguments())


def test_every_plain_argument_of_tpot_is_known():
    plain = {name for name, default in tpot_arguments().items() if default is not ...}
    objects = {
        # What they steer (objectives, pruning, budgets) is not to be set, or they are not plain.
        "bigger_is_better",
        "budget_range",
        "budget_scaling",
        "export_graphpipeline",
        "generations_until_end_budget",
        "generations_until_end_population",
        "min_history_threshold",
        "objective_function_names",
        "other_objectives_early_stop_tol",
        "population_scaling",
        "scorers_early_stop_tol",
        "selection_evaluation_pruning",
        "selection_evaluation_scaling",
        "stepwise_steps",
        "threshold_evaluation_pruning",
        "threshold_evaluation_scaling",
    }
    assert plain - KNOWN == objects


# Every argument of TPOT 0.12.
@pytest.mark.parametrize(
    ("written", "arguments", "training", "notices"),
    [
        ({"generations": 20}, {"generations": 20}, {}, 0),
        ({"max_time_mins": 0.1}, {"max_time_mins": 0.1}, {}, 0),
        ({"verbosity": 2}, {"verbose": 2}, {}, 1),
        ({"verbosity": 2, "verbose": 1}, {"verbose": 1}, {}, 1),
        ({"offspring_size": 10}, {}, {}, 1),
        ({"mutation_rate": 0.9}, {"mutate_probability": 0.9}, {}, 1),
        ({"crossover_rate": 0.1}, {"crossover_probability": 0.1}, {}, 1),
        ({"scoring": "roc_auc"}, {}, {"metric": "roc_auc"}, 1),
        ({"scoring": None}, {}, {}, 1),
        ({"scorers": ["f1", "accuracy"]}, {}, {"metric": "f1"}, 2),
        ({"cv": 5}, {}, {"cv": 5}, 1),
        ({"random_state": 42}, {}, {"random_state": 42}, 1),
        ({"subsample": 1.0}, {}, {}, 1),
        ({"n_jobs": -1}, {"n_jobs": -1}, {}, 0),
        ({"max_eval_time_mins": None}, {}, {}, 1),
        ({"config_dict": "TPOT light"}, {"search_space": "linear-light"}, {}, 1),
        ({"config_dict": None}, {}, {}, 1),
        ({"config_dict": {"sklearn.svm.SVC": {}}}, {}, {}, 1),
        ({"search_space": "graph"}, {"search_space": "linear"}, {}, 1),
        ({"search_space": "linear"}, {"search_space": "linear"}, {}, 0),
        ({"template": "Selector-Classifier"}, {}, {}, 1),
        ({"warm_start": False}, {}, {}, 1),
        ({"memory": "auto"}, {}, {}, 1),
        ({"use_dask": True}, {}, {}, 1),
        ({"periodic_checkpoint_folder": "/tmp/x"}, {}, {}, 1),
        ({"early_stop": 5}, {"early_stop": 5}, {}, 0),
        ({"log_file": None}, {}, {}, 1),
        ({"disable_update_check": True}, {}, {}, 1),
    ],
)
def test_an_argument_is_kept_translated_or_left_aside_with_a_notice(
    written, arguments, training, notices
):
    translation = translated(written)
    assert translation.arguments == arguments
    assert translation.training == training
    assert len(translation.notices) == notices
    assert all(next(iter(written)) in notice for notice in translation.notices[:1])


def test_what_is_moved_out_of_the_arguments_counts():
    found = spec(model_args={"scoring": "f1", "cv": 3, "random_state": 42}).model_training
    assert (found.metric, found.cv, found.random_state, found.model_args) == ("f1", 3, 42, {})


def test_scoring_is_another_word_for_metric():
    found = spec(scoring="accuracy")
    assert found.model_training.metric == "accuracy"
    assert found.notices == ("model_training.scoring is read as model_training.metric.",)


@pytest.mark.parametrize(
    ("training", "field"),
    [
        ({"metric": "f1", "scoring": "accuracy"}, "model_training.metric"),
        ({"metric": "f1", "model_args": {"scoring": "accuracy"}}, "model_training.metric"),
        ({"cv": 5, "model_args": {"cv": 4}}, "model_training.cv"),
    ],
)
def test_one_matter_said_twice_in_two_ways_is_refused(training, field):
    with pytest.raises(SpecError, match="Say it once") as caught:
        spec(**training)
    assert caught.value.field == field


def test_arguments_of_an_estimator_are_left_as_they_are():
    found = spec(model="xgboost.XGBClassifier", model_args={"verbosity": 2, "random_state": 4})
    assert found.model_training.model_args == {"verbosity": 2, "random_state": 4}
    assert found.notices == ()


def test_run_time_arguments_of_tsfresh_are_left_aside_with_a_notice():
    found = TrainingSpec.from_mapping(
        {"pipeline_id": "a", "extract_features": {"n_jobs": 4, "chunksize": None, "column_id": "i"}}
    )
    assert found.extract_features.column_id == "i"
    assert [notice.split()[0] for notice in found.notices] == [
        "extract_features.chunksize",
        "extract_features.n_jobs",
    ]


def test_the_exponent_that_yaml_reads_as_text_is_a_number_where_numbers_are():
    found = TrainingSpec.from_yaml(
        """
        pipeline_id: 1e5
        budget: 6e1
        column_label: 1e3
        extract_features: {default_fc_parameters: {large_standard_deviation: [{r: 1e-2}]}}
        model_training: {model: sklearn.linear_model.Lasso, model_args: {alpha: 1e-3}}
        """
    )
    assert (found.pipeline_id, found.column_label, found.budget) == ("1e5", "1e3", 60)
    assert found.extract_features.default_fc_parameters == {
        "large_standard_deviation": [{"r": 0.01}]
    }
    assert found.model_training.model_args == {"alpha": 0.001}


@pytest.mark.parametrize(
    "document",
    [
        {"extract_features": [1], "model_training": 3},
        {"extract_features": "x", "model_training": {"model_args": [1], "model": 4}},
    ],
)
def test_another_shape_is_passed_on_for_the_spec_to_refuse(document):
    assert translate(document).document == document


@pytest.mark.parametrize("section", ["extract_features", "model_training"])
def test_a_section_with_nothing_in_it_has_its_defaults(section):
    assert translate({section: None}).document == {}

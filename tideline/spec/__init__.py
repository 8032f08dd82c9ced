"""The training spec: the parameter file, validated."""

from tideline.spec.estimators import build_estimator, is_search, task_of
from tideline.spec.model_training import ModelTrainingSpec
from tideline.spec.names import pipeline_name
from tideline.spec.training_spec import ExtractionSpec, TrainingSpec, UntilSpec

__all__ = [
    "ExtractionSpec",
    "ModelTrainingSpec",
    "TrainingSpec",
    "UntilSpec",
    "build_estimator",
    "is_search",
    "pipeline_name",
    "task_of",
]

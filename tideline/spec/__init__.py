"""The training spec: the parameter file, validated."""

from tideline.spec.estimators import build_estimator, is_search, task_of
from tideline.spec.names import pipeline_name
from tideline.spec.training_spec import ExtractionSpec, ModelTrainingSpec, TrainingSpec

__all__ = [
    "ExtractionSpec",
    "ModelTrainingSpec",
    "TrainingSpec",
    "build_estimator",
    "is_search",
    "pipeline_name",
    "task_of",
]

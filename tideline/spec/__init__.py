"""The training spec: the parameter file, validated."""

from tideline.spec.estimators import build_estimator, is_search, task_of
from tideline.spec.names import pipeline_name
from tideline.spec.training_spec import ExtractionSpec, ModelTrainingSpec, Task, TrainingSpec

__all__ = [
    "ExtractionSpec",
    "ModelTrainingSpec",
    "Task",
    "TrainingSpec",
    "build_estimator",
    "is_search",
    "pipeline_name",
    "task_of",
]

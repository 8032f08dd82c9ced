"""The Python client, which knows the services by HTTP alone."""

from tideline.client.client import Client, Score
from tideline.client.job import Job
from tideline.client.problem import JobFailed, Problem, ServiceProblem, ServiceUnreachable
from tideline.client.upload import LabelData, RawData, SpecData
from tideline.progress import Best, Failure, Pipelines, Progress

__all__ = [
    "Best",
    "Client",
    "Failure",
    "Job",
    "JobFailed",
    "LabelData",
    "Pipelines",
    "Problem",
    "Progress",
    "RawData",
    "Score",
    "ServiceProblem",
    "ServiceUnreachable",
    "SpecData",
]

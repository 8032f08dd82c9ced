"""The Python client, which knows the services by HTTP alone."""

from tideline.client.client import Client, Score
from tideline.client.job import Job, Progress
from tideline.client.problem import JobFailed, Problem, ServiceProblem, ServiceUnreachable
from tideline.client.upload import LabelData, RawData, SpecData

__all__ = [
    "Client",
    "Job",
    "JobFailed",
    "LabelData",
    "Problem",
    "Progress",
    "RawData",
    "Score",
    "ServiceProblem",
    "ServiceUnreachable",
    "SpecData",
]

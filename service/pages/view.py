"""What the home page shows, as plain data.

The rows are frozen and hold text and numbers only, so that the page can be drawn, and tested,
without a store or a job.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True)
class HeldOutScore:
    """A score on cases that training never saw, beside what needs no model at all.

    Attributes
    ----------
    metric
        Its name as a reader knows it: `accuracy`, `R²`, `balanced accuracy`.
    value, baseline
        The model's score and the baseline's, both at most 1; some may be below 0, as R².
    baseline_name
        `majority class` or `mean`.
    low, high
        The 95 % interval of `value`, or None.
    n_cases
        On how many cases both were counted; 0 where that is not known.
    """

    metric: str
    value: float
    baseline: float
    baseline_name: str
    low: float | None = None
    high: float | None = None
    n_cases: int = 0


@dataclass(frozen=True)
class ModelRow:
    """One model, in its newest version.

    Attributes
    ----------
    estimator
        The kind of model that was fitted, without its module.
    about
        What it was trained on, in a few words.
    held_out
        The score to trust, or None where too few cases were there to hold any back.
    cross_validation
        The score of the search, which is optimistic, in words; or "".
    note
        What training had to say about the scores; or "".
    is_weak
        Whether simpler methods do as well as the model.
    report
        Where the report on this version is, from the page on; or "".
    """

    name: str
    version: str
    published: datetime
    estimator: str
    about: str
    held_out: HeldOutScore | None = None
    cross_validation: str = ""
    note: str = ""
    is_weak: bool = False
    report: str = ""


@dataclass(frozen=True)
class JobRow:
    """One run of training.

    Attributes
    ----------
    share
        How far it has come, 0 to 1.
    budget_share
        How much of its budget is spent, 0 to 1 and above; None where that is not known.
    doing
        What it is doing now, in words: the stage, and what is done in it.
    standing
        What the search has found so far, in words, a line for each thing; or "".
    reason
        Why it ended as it did, for a job that failed or was cancelled.
    report
        Where the report on what it published is, from the page on; or "".
    """

    id: str
    model: str
    state: JobState
    submitted: datetime
    ended: datetime | None = None
    share: float = 0.0
    budget_share: float | None = None
    doing: str = ""
    standing: str = ""
    reason: str = ""
    report: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the job still has something to do."""
        return self.state in ("queued", "running")


@dataclass(frozen=True)
class HomePage:
    """Everything on the page.

    Attributes
    ----------
    now
        The time of the drawing; ages are counted back from it.
    address
        Where the service answers, for the commands shown when there is no model yet.
    models
        By name.
    jobs
        The newest first.
    n_jobs
        How many jobs there are, of which `jobs` shows the newest.
    has_jobs
        False where the service runs none.
    troubles
        What kept the page from being whole, a sentence each.
    """

    now: datetime
    address: str
    models: tuple[ModelRow, ...] = ()
    jobs: tuple[JobRow, ...] = ()
    n_jobs: int = 0
    has_jobs: bool = True
    troubles: tuple[str, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether something on the page is about to change."""
        return any(job.is_open for job in self.jobs)

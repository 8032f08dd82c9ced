"""How jobs are run in a cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How jobs are run.

    Attributes
    ----------
    image
        The image to run; empty for the template's.
    trainer_url, secret
        Where the pods tell their progress, and the key that their tokens are made with; without
        both they tell none.
    at_once, queued, kept
        How many jobs have a Job, may wait for one, and are remembered when they are over.
    poll_seconds
        How often the cluster is looked at.
    margin_seconds
        What the deadline of a run leaves for pulling and starting, beyond the budget; and what
        the deadline of a Job leaves for waiting, beyond those of its runs.
    stall_seconds
        After how long without a word from its pod a job is called stalled.
    """

    image: str = ""
    trainer_url: str = ""
    secret: str = ""
    at_once: int = 20
    queued: int = 100
    kept: int = 1000
    poll_seconds: float = 2.0
    margin_seconds: float = 600.0
    stall_seconds: float = 90.0

    @property
    def is_told(self) -> bool:
        """Whether pods tell of their progress."""
        return bool(self.trainer_url and self.secret)

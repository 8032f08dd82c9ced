"""What the search works with: its clock, its workers, and what it keeps and tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.clock import Clock
from training.journal import Journal
from training.ledger import Ledger
from training.workers import Workers


@dataclass(frozen=True, eq=False)
class Tools:
    """What a search works with.

    Attributes
    ----------
    clock, journal
        What is left, and whom to tell.
    workers
        Who fit and answer.
    ledger
        Where trials are kept.
    scratch
        A folder for what need not be kept.
    """

    clock: Clock
    journal: Journal
    workers: Workers
    ledger: Ledger
    scratch: Path

"""What a run and its proposer say to each other over their connection: tuples, the name first.

run to proposer
    `("task", search, ProposerTask)`, which begins a search and ends the one before; then for each
    proposal `("scored", number, score)` or `("failed", number, reason)`.
proposer to run
    `("ready", search)` once TPOT is imported and the task read; then for each pipeline
    `("propose", search, number, steps)`; `("done", search, reason)` at the end of a search.

Searches are numbered, so that what was said of one that is over is not taken for the next.

They are pickled, which is safe between a process and the child that it started, and nowhere else.
"""

from __future__ import annotations

from typing import Literal

READY: Literal["ready"] = "ready"
TASK: Literal["task"] = "task"
PROPOSE: Literal["propose"] = "propose"
SCORED: Literal["scored"] = "scored"
FAILED: Literal["failed"] = "failed"
DONE: Literal["done"] = "done"

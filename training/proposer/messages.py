"""What a run and its proposer say to each other over their connection: tuples, the name first.

run to proposer
    `("task", ProposerTask)` once; then for each proposal `("scored", number, score)` or
    `("failed", number, reason)`.
proposer to run
    `("ready",)` once TPOT is imported; `("propose", number, steps)`; `("done", reason)` at the end.

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

"""What reading a file gives."""

from __future__ import annotations

from dataclasses import dataclass

from tideline.groups import GroupColumn
from tideline.labels import Labels, Task
from tideline.panel import Panel


@dataclass(frozen=True)
class Reading:
    """What a file of series holds.

    Attributes
    ----------
    panel : Panel
    labels : Labels or None
        Where the format has them (`.ts`).
    task : {"classification", "regression"} or None
        What the file says that its own labels are, where it says it: a `.ts` header announces
        classes (`@classLabel true`) or numbers (`@targetLabel true`). It says nothing of labels
        from elsewhere.
    groups : GroupColumn or None
        What a table says of the groups, where the roles name their column.
    """

    panel: Panel
    labels: Labels | None = None
    task: Task | None = None
    groups: GroupColumn | None = None

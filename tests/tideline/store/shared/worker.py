"""A process of its own that uses a shared store: a task a line in, an answer a line out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tideline.errors import VersionConflict
from tideline.store import ModelStore, open_store


def publish(store: ModelStore, folder: str, run_id: str) -> str:
    return store.publish(Path(folder), "waves", run_id=run_id).version


def move(store: ModelStore, version: int, expected: int) -> str:
    try:
        store.set_alias("waves", "production", version, expected=expected)
    except VersionConflict:
        return "lost"
    return "won"


TASKS = {"publish": publish, "move": move}

if __name__ == "__main__":
    for line in sys.stdin:
        task, arguments, environment = json.loads(line)
        os.environ.update(environment)
        url, *rest = arguments
        print(TASKS[task](open_store(url), *rest), flush=True)

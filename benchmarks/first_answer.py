"""The first answer of a process: `python -m benchmarks.first_answer HOME MODEL SERIES`.

Loads the newest version of a model from the store in HOME, prints what it says of the series in a
file, and nothing more.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tideline.readers import ColumnRoles, read_panel
from tideline.store import open_store


def main() -> None:
    """Print the answers."""
    home, name, series = sys.argv[1:]
    store = open_store(Path(home) / "bentoml")
    pipeline = store.load(store.resolve(name)).pipeline
    reading = read_panel(Path(series), ColumnRoles(column_id=None))
    print(*pipeline.predict(reading.panel).labels, flush=True)


if __name__ == "__main__":
    main()

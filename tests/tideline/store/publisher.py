"""A publisher in a process of its own: `python -m ... HOME FOLDER RUN_ID` prints the version."""

from __future__ import annotations

import sys
from pathlib import Path

from tideline.store import open_store

if __name__ == "__main__":
    home, folder, run_id = sys.argv[1:]
    store = open_store(home)
    print("ready", flush=True)
    sys.stdin.readline()
    print(store.publish(Path(folder), "waves", run_id=run_id).version, flush=True)

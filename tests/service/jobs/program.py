"""A small real program in the place of the training program: it does what its spec says."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

ENDLESS = [sys.executable, "-c", "import time; time.sleep(600)"]


def publish(arguments: argparse.Namespace, spec: dict[str, object]) -> int:
    data = Path("raw_data").read_text(encoding="utf-8")
    summary = {"modelId": spec["pipeline_id"], "version": 1, "trainShape": [len(data), 1]}
    Path(arguments.result).write_text(json.dumps({"published": summary}), encoding="utf-8")
    print("published", arguments.run_id)
    return 0


def refuse(arguments: argparse.Namespace, _: dict[str, object]) -> int:
    error = {"code": "bad-data", "message": "one class.", "mend": "Add one.", "field": "labels"}
    Path(arguments.result).write_text(json.dumps({"error": error}), encoding="utf-8")
    return 65


def crash(_: argparse.Namespace, __: dict[str, object]) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def hang(arguments: argparse.Namespace, _: dict[str, object]) -> int:
    """Hang with a child in a session of its own, as a search has one, deaf to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(ENDLESS, start_new_session=True)
    Path("pids").write_text(f"{os.getpid()} {child.pid}\n", encoding="utf-8")
    line = {"time": "2026-01-01T00:00:00Z", "stage": "search", "share": 0.5, "message": "hangs"}
    failures = [{"reason": "MemoryError", "count": 2}]
    line["pipelines"] = {"tried": 34, "failed": 2, "failures": failures}
    line["best"] = {"name": "ExtraTreesClassifier", "metric": "neg_log_loss", "value": -0.31}
    Path(arguments.progress).write_text(json.dumps(line) + '\n{"half', encoding="utf-8")
    time.sleep(600)
    return 0


def await_file(arguments: argparse.Namespace, spec: dict[str, object]) -> int:
    """Publish as soon as a file is there, which the test makes."""
    print("waits", flush=True)
    while not Path(str(spec.get("file", "go"))).exists():
        time.sleep(0.02)
    return publish(arguments, spec)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    for option in ("--result", "--progress", "--run-id"):
        parser.add_argument(option, required=True)
    arguments = parser.parse_args()
    spec = yaml.safe_load(Path(arguments.spec).read_text(encoding="utf-8"))
    # Over HTTP a spec has no key for it: there the pipeline's name says what to do.
    return globals()[spec.get("behaviour") or spec["pipeline_id"]](arguments, spec)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m service [laptop|trainer|predictor]`: serve on this machine until Ctrl-C.

Sets what BentoML reads from the environment, and becomes `bentoml serve`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

import service
from service.settings import LaptopSettings

DRAIN_SECONDS = "10"
BAD_SETTINGS = 64


def command(role: str, host: str, port: int) -> list[str]:
    """Return the command that serves one of the Bento services."""
    rooms = Path(service.__file__).resolve().parent.parent
    return [
        *(sys.executable, "-m", "bentoml", "serve"),
        f"service.bento:{role.capitalize()}",
        *("--working-dir", str(rooms)),
        *("--host", host, "--port", str(port)),
        *("--timeout-graceful-shutdown", DRAIN_SECONDS),
    ]


def environment(settings: LaptopSettings) -> dict[str, str]:
    """Return the environment in which BentoML keeps its state in ours, and tells nobody."""
    return os.environ | {
        "TIDELINE_HOME": str(settings.store_home.parent),
        "BENTOML_HOME": str(settings.store_home),
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONUNBUFFERED": "1",
    }


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Read the command line, and serve."""
    parser = argparse.ArgumentParser(prog="python -m service", description="Serve Tideline.")
    parser.add_argument(
        "role", nargs="?", default="laptop", choices=("laptop", "trainer", "predictor")
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 3000))
    options = parser.parse_args(arguments)
    try:
        settings = LaptopSettings()
    except ValidationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(BAD_SETTINGS)
    settings.store_home.mkdir(parents=True, exist_ok=True)
    sys.stderr.write(
        f"Tideline {options.role}: http://{options.host}:{options.port}, "
        f"state in {settings.store_home.parent}; Ctrl-C stops it.\n"
    )
    sys.stderr.flush()
    # The supervisor takes the place of this process, so that signals reach it.
    os.execve(  # noqa: S606 - no shell is wanted
        sys.executable, command(options.role, options.host, options.port), environment(settings)
    )


if __name__ == "__main__":
    main()

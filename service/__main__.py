"""`python -m service [laptop|trainer|predictor]`: serve on this machine until Ctrl-C.

Sets what BentoML reads from the environment, and becomes `bentoml serve`.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

import service
from service.settings import LaptopSettings, ServiceSettings
from tideline.home import why_unwritable

BAD_SETTINGS = 64
PORTS = range(1, 65536)


def command(role: str, host: str, port: int, drain_seconds: int) -> list[str]:
    """Return the command that serves one of the Bento services."""
    rooms = Path(service.__file__).resolve().parent.parent
    return [
        *(sys.executable, "-m", "bentoml", "serve"),
        f"service.bento:{role.capitalize()}",
        *("--working-dir", str(rooms)),
        *("--host", host, "--port", str(port)),
        *("--timeout-graceful-shutdown", str(drain_seconds)),
    ]


def environment(settings: LaptopSettings) -> dict[str, str]:
    """Return the environment in which BentoML keeps its state in ours, and tells nobody."""
    return os.environ | {
        "TIDELINE_HOME": str(settings.store_home.parent),
        "BENTOML_HOME": str(settings.store_home),
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONUNBUFFERED": "1",
    }


def is_own_machine(host: str) -> bool:
    """Return whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def exposure(host: str, port: int, settings: ServiceSettings) -> str:
    """Return a warning if others can reach the service and need no token, else nothing."""
    if settings.token is not None or is_own_machine(host):
        return ""
    return (
        f"WARNING: everybody who reaches {host}:{port} may train, predict and read, for there is "
        "no token. Set TIDELINE_TOKEN, or listen on 127.0.0.1.\n"
    )


def port_number(text: str) -> int:
    """Return a port as it is given on the command line.

    Raises
    ------
    argparse.ArgumentTypeError
        When it is none.
    """
    try:
        port = int(text)
    except ValueError:
        port = 0
    if port not in PORTS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port: --port, or PORT, is a whole number from 1 to {PORTS[-1]}"
        )
    return port


def require_free(host: str, port: int) -> None:
    """Make sure that an address can be listened on.

    Raises
    ------
    OSError
        When it cannot: it is taken, not this machine's, or not for this user.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        # As the server itself does, so that connections which have just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Read the command line, and serve."""
    options = _options(arguments)
    settings = _settings()
    sys.stderr.write(exposure(options.host, options.port, settings))
    try:
        require_free(options.host, options.port)
    except OSError as error:
        _refuse(_unusable(options.host, options.port, error))
    sys.stderr.write(
        f"Tideline {options.role}: http://{options.host}:{options.port}, "
        f"state in {settings.store_home.parent}; Ctrl-C stops it.\n"
    )
    sys.stderr.flush()
    # The supervisor takes the place of this process, so that signals reach it.
    os.execve(  # noqa: S606 - no shell is wanted
        sys.executable,
        command(options.role, options.host, options.port, settings.drain_seconds),
        environment(settings),
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m service", description="Serve Tideline.", epilog="Settings: docs/settings.md"
    )
    parser.add_argument(
        "role", nargs="?", default="laptop", choices=("laptop", "trainer", "predictor")
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("PORT") or "3000",
        help="the port to listen on; PORT, or 3000, when left out",
    )
    return parser.parse_args(arguments)


def _settings() -> LaptopSettings:
    """Return the settings, with a home that is there; or end the program, saying what is wrong."""
    try:
        settings = LaptopSettings()
    except ValidationError as error:
        _refuse(*map(_told, error.errors(include_url=False)))
    reason = why_unwritable(settings.store_home)
    if reason is not None:
        _refuse(
            f"The folder {settings.store_home} {reason}. "
            "Set TIDELINE_HOME to a folder that can be written to."
        )
    settings.store_home.mkdir(parents=True, exist_ok=True)
    return settings


def _unusable(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is taken, perhaps by another Tideline. Stop the program that "
            f"listens there, or choose another port: make serve PORT={port % PORTS[-1] + 1}"
        )
    return f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --host or --port."


def _told(fault: ErrorDetails) -> str:
    """Return what is wrong with a setting; of what was set, only what is no secret."""
    said = fault["msg"].removeprefix("Value error, ").rstrip(".")
    if len(fault["loc"]) == 1:
        name = str(fault["loc"][0])
        field = LaptopSettings.model_fields.get(name)
        is_open = field is not None and "Secret" not in str(field.annotation)
        found = f" is {fault['input']!r}" if is_open else ""
        said = f"TIDELINE_{name.upper()}{found}: {said}"
    return f"{said}. docs/settings.md lists the settings."


def _refuse(*lines: str) -> NoReturn:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.exit(BAD_SETTINGS)


if __name__ == "__main__":
    main()

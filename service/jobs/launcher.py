"""Runs one command and ends with all of its processes when the trainer goes away.

`python -m service.jobs.launcher COMMAND ...`, with a pipe from the trainer as standard input. The
pipe closes when the trainer dies, however it dies; SIGTERM asks for the same. Then the command
gets SIGTERM, some seconds, and SIGKILL; and so does whatever it has started, in this process
group or in another: on Linux the launcher adopts the orphans below it, so that none escapes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

import psutil  # type: ignore[import-untyped]  # its stubs are not among the pins

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
WATCHED = (signal.SIGTERM, signal.SIGCHLD)
GRACE_VARIABLE = "TIDELINE_STOP_SECONDS"
SIGNALLED = 128
"""An exit code above this is a signal's number plus this, as in a shell."""


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _in_child() -> None:
    # Between fork and exec: the watched signals are for the launcher, and a killed launcher
    # takes its command along.
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


def _watch_trainer() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _wait(command: subprocess.Popen[bytes]) -> bool:
    """Wait until the command has ended, or is to be ended; return whether the latter."""
    while command.poll() is None:
        if signal.sigwait(WATCHED) == signal.SIGTERM:
            return True
    return False


def _end(command: subprocess.Popen[bytes], grace: float) -> None:
    """End the command, gently first, then everything that is left below it."""
    started = psutil.Process().children(recursive=True)
    if command.poll() is None:
        command.terminate()
        try:
            command.wait(grace)
        except subprocess.TimeoutExpired:
            command.kill()
    # Before psutil looks at it: whoever waits first for a process takes its exit code away.
    command.wait()
    while left := _living([*started, *psutil.Process().children(recursive=True)]):
        for process in left:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=1)


def _living(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    return [p for p in set(processes) if p.is_running() and not _is_zombie(p)]


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code, or 128 and the number of the signal it died of.

    Of a command that was told to stop and had to be killed, that signal is SIGTERM.
    """
    # Blocked signals wait until they are asked for: none is lost between two statements.
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    grace = float(os.environ.get(GRACE_VARIABLE, "10"))
    # The launcher has one thread at this time, so that code between fork and exec is safe.
    command = subprocess.Popen(  # noqa: S603 - the command is the trainer's own
        arguments,
        stdin=subprocess.DEVNULL,
        preexec_fn=_in_child,  # noqa: PLW1509 - one thread, as said
    )
    threading.Thread(target=_watch_trainer, daemon=True).start()
    was_told = _wait(command)
    _end(command, grace)
    code = command.returncode
    if code >= 0:
        return code
    return SIGNALLED + (signal.SIGTERM if was_told else -code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

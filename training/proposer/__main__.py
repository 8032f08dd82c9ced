"""The proposer's own process: `python -m training.proposer <file descriptor>`.

Started by `training.proposer.handle`. It imports TPOT before it reads a task. The run ends it, or
its line does where the run is gone.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection

from training.proposer.line import Line, NextTask


def _import_tpot() -> None:
    import update_checker  # noqa: PLC0415 - belongs to what follows

    # TPOT asks PyPI for newer versions when it is imported; training needs no network.
    update_checker.update_check = lambda *_args, **_options: None
    import training.proposer.evolution  # noqa: F401, PLC0415 - these seconds are to pass now


def main() -> None:
    """Import, then propose for one task after the other, until the run is gone."""
    warnings.simplefilter("ignore")
    line = Line(Connection(int(sys.argv[1])))
    _import_tpot()
    from training.proposer.evolution import Evolution  # noqa: PLC0415 - it imports TPOT

    while True:
        task = line.next_task()
        with suppress(NextTask):
            line.done(Evolution(task, line).run())


if __name__ == "__main__":
    main()

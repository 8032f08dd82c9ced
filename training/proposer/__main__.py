"""The proposer's own process: `python -m training.proposer <file descriptor>`.

Started by `training.proposer.handle`. It imports TPOT before it reads the task.
"""

from __future__ import annotations

import os
import sys
import warnings
from multiprocessing.connection import Connection

from training.proposer.line import Line


def _import_tpot() -> None:
    import update_checker  # noqa: PLC0415 - belongs to what follows

    # TPOT asks PyPI for newer versions when it is imported; training needs no network.
    update_checker.update_check = lambda *_args, **_options: None
    import training.proposer.evolution  # noqa: F401, PLC0415 - these seconds are to pass now


def main() -> None:
    """Import, wait for the task, propose."""
    warnings.simplefilter("ignore")
    line = Line(Connection(int(sys.argv[1])))
    _import_tpot()
    from training.proposer.evolution import Evolution  # noqa: PLC0415 - it imports TPOT

    line.done(Evolution(line.ready(), line).run())
    sys.stdout.flush()
    # Neither the listening thread nor what TPOT has started is waited for.
    os._exit(0)


if __name__ == "__main__":
    main()

"""How many threads a caller asks for."""

from __future__ import annotations

import numpy as np

from tideline.cores import available_cores
from tideline.errors import SpecError
from tideline.wording import shown


def thread_count(asked: object, *, field: str) -> int:
    """Return how many threads share the work.

    Parameters
    ----------
    asked
        A whole number from 1, or -1 for as many as there are processors.
    field
        The argument, for a message.

    Raises
    ------
    SpecError
        When it is anything else.
    """
    if isinstance(asked, int | np.integer) and not isinstance(asked, bool):
        if asked >= 1:
            return int(asked)
        if asked == -1:
            return available_cores()
    raise SpecError(
        f"{field} is {shown(asked)}; a number of threads from 1, or -1 for one a processor, "
        "is expected.",
        mend="Write 1 to compute in one thread.",
        field=field,
    )

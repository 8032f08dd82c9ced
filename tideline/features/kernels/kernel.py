"""What a kernel is: the compiled form of one calculator with its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tideline.features.kernels.cache import announce, kept_here, unpack
from tideline.panel import FloatArray

unpack()
announce()

if TYPE_CHECKING:
    from tideline.features.batch import Batch

Arguments = Mapping[str, Any]
"""One set of parameters of a calculator, beside the series; empty where it takes none."""

Kernel = Callable[["Batch", FloatArray], None]
"""Fills an array of shape (n_cases, n_arguments) with the values for a batch, column by set."""

Prepare = Callable[[Sequence[Arguments]], Kernel]
"""Takes the sets of parameters that are asked for, looks at them once, and returns the kernel.

Each calculator with a kernel is a function of this type, of the calculator's own name.
"""

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function of numbers and arrays: kept on disk, and free of the interpreter's lock.

    Division by zero gives an infinity or NaN as numpy's does. Sums are not reordered (no
    `fastmath`): values must equal tsfresh's.
    """
    with kept_here() as kept:
        return cast("Function", njit(nogil=True, cache=kept, error_model="numpy")(function))


def each(fill: Callable[[FloatArray, NDArray[np.int64], FloatArray], None]) -> Prepare:
    """Return the calculator, without parameters, that a compiled loop over the cases computes.

    Parameters
    ----------
    fill
        Is called with the values, the offsets and the array of shape (n_cases, 1) to fill.
    """

    def prepare(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
        return lambda batch, out: fill(batch.values, batch.offsets, out)

    return prepare

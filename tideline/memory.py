"""How much memory this process may use, and how large a model may be that is loaded into it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where a container finds its limit: cgroups of version 2, and of version 1."""

SHARE_OF_A_MODEL = 64
"""A forest takes some 16 bytes of memory for each byte of its file, two versions of a model are
held while one takes the other's place, and the rest is for the program and for what is asked."""


def usable_memory(limits: Sequence[Path] = LIMITS) -> int:
    """Return the bytes that this process may use: the machine's, or its container's if fewer."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for path in limits if (limit := _limit(path)))])


def largest_model(memory: int | None = None) -> int:
    """Return the bytes of the largest published model that is loaded into a memory.

    Parameters
    ----------
    memory
        In bytes; what this process may use when left out.
    """
    return (usable_memory() if memory is None else memory) // SHARE_OF_A_MODEL


def _limit(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None  # no cgroup of this version
    return int(text) if text.isdigit() else None  # "max" is none

"""The memory that a command may take: of the machine, of a container, of the shell, or as the user says."""

from __future__ import annotations

import os
import re
import resource
from pathlib import Path

from ..errors import InputError

# What a command takes at least, of which a few hundred megabytes are reserved and never used. Below it the
# libraries that are imported abort, or try again for ever, before anything can be said.
MIN_ADDRESS_SPACE = 768 << 20
VARIABLE = "MEMORY"  # of the environment, which the word of the command line sets
CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")  # a container's limit: bytes, or "max"
_UNITS = {"m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def check_limit() -> None:
    """Raise InputError where the limit of the address space (ulimit -v) is below what any command takes."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < MIN_ADDRESS_SPACE:
        raise InputError(
            f"not enough memory: ulimit -v allows {limit >> 20} MiB, and {MIN_ADDRESS_SPACE >> 20} MiB are "
            "the least that a command takes"
        )


def parse_size(text: str) -> int:
    """Return the bytes of `8g`, `500m` or `1.5t`, in powers of 1,024. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([mgt])b?", text.strip().lower(), re.ASCII)
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if size < MIN_ADDRESS_SPACE:
        raise ValueError(f"expected a size such as 8g, and {MIN_ADDRESS_SPACE >> 20}m or more")
    return size


def memory(limit: Path = CONTROL_GROUP) -> int:
    """Return the bytes that a command is to stay within, whatever the size of the corpus.

    What the variable MEMORY says or, without it, what the machine or the container has.
    """
    if given := os.environ.get(VARIABLE):
        return parse_size(given)
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(size, int(limit.read_text()))
    except (OSError, ValueError):  # no file, or no limit: `max`
        return size


def note(kept: int, of: int, what: str = "rows") -> str:
    """Return what is to be said where so many of the rows are kept; "" where all are."""
    return f"{kept:,} of {of:,} {what}, as {memory() / 2**30:.1f} GB have room for" if kept < of else ""

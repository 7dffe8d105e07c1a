"""The memory that a command has: the machine's, a container's, the shell's, or what the user says."""

from __future__ import annotations

import os
import re
import resource
from contextlib import suppress
from pathlib import Path

from ..errors import InputError

# What a command takes at least, of which a few hundred megabytes are reserved and never used. Below it the
# libraries that are imported abort, or try again for ever, before anything can be said.
MIN_ADDRESS_SPACE = 768 << 20
CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")  # a container's limit: bytes, or "max"
_UNITS = {"": 1, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def check_limit() -> None:
    """Raise InputError where the limit of the address space (ulimit -v) is below what any command takes."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < MIN_ADDRESS_SPACE:
        raise InputError(
            f"not enough memory: ulimit -v allows {limit >> 20} MiB, and {MIN_ADDRESS_SPACE >> 20} MiB are "
            "the least that a command takes"
        )


def parse_size(text: str) -> int:
    """Return the bytes of `8g`, `500m`, `1.5t` or a number of bytes. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)([mgt]?)i?b?", text.strip().lower(), re.ASCII)
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if size < MIN_ADDRESS_SPACE:
        raise ValueError(f"expected a size such as 8g, and {MIN_ADDRESS_SPACE >> 20}m or more")
    return size


def available_memory(given: int | None = None, limit: Path = CONTROL_GROUP) -> int:
    """Return the bytes that are given or, if none are, those of the machine, the container or the shell."""
    if given:
        return given
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, ValueError):  # no file, or no limit: `max`
        sizes.append(int(limit.read_text()))
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return min(*sizes, soft) if soft != resource.RLIM_INFINITY else min(sizes)


def note(kept: int, of: int, what: str = "rows") -> str:
    """Return what is to be said where so many are kept, as the memory has no room for more; "" of all."""
    return f"{kept:,} of {of:,} {what}, all that fit into the memory (MEMORY=)" if kept < of else ""

"""The memory that a limit of the shell leaves this process."""

from __future__ import annotations

import resource

from ..errors import InputError

# What a command takes at least, of which a few hundred megabytes are reserved and never used. Below it the
# libraries that are imported abort, or try again for ever, before anything can be said.
MIN_ADDRESS_SPACE = 768 << 20


def check_limit() -> None:
    """Raise InputError where the limit of the address space (ulimit -v) is below what any command takes."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < MIN_ADDRESS_SPACE:
        raise InputError(
            f"not enough memory: ulimit -v allows {limit >> 20} MiB, and {MIN_ADDRESS_SPACE >> 20} MiB are "
            "the least that a command takes"
        )

"""How many cores this process may use."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup/cpu.max")  # a container's limit: microseconds of CPU a period, or max


def cores(limit: Path = CONTROL_GROUP) -> int:
    """Those of the machine that the process is not kept from by its affinity, or by its container."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share, period = limit.read_text().split()
        return max(1, min(allowed, ceil(int(share) / int(period))))
    except (OSError, ValueError):  # there is none, or it says max
        return allowed

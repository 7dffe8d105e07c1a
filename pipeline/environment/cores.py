"""The cores that this process may use, and the environment of a run that gets one thread."""

from __future__ import annotations

import os
import sys
import threading
from math import ceil
from pathlib import Path

# A container's limit: "<microseconds of CPU> <microseconds of period>", or "max ...".
CONTROL_GROUP = Path("/sys/fs/cgroup/cpu.max")
OPERATION_THREADS = "TF_NUM_INTRAOP_THREADS"  # TensorFlow's variable: the threads that share one operation
# For runs side by side: two networks at once are done sooner than one on two threads.
ONE_THREAD = {"OMP_NUM_THREADS": "1", OPERATION_THREADS: "1"}
BESIDE = 5  # the niceness of what is done beside a network's training: a third of its share of a core


def cores(limit: Path = CONTROL_GROUP) -> int:
    """Return how many CPUs this process may use, honouring its affinity and the cgroup limit.

    `joblib.cpu_count` returns the same, but its import would add a third of a second to every `predict`.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share, period = limit.read_text().split()
        return max(1, min(allowed, ceil(int(share) / int(period))))
    except (OSError, ValueError):  # no file, or no limit: `max`
        return allowed


def let_others_first() -> None:
    """Give way, in this thread and from here on, to the threads that need a core at the same time.

    What is fitted beside a network has time until that is trained. On Linux alone: elsewhere a thread has no
    niceness of its own.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(BESIDE, os.getpriority(os.PRIO_PROCESS, thread)))

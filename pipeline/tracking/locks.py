"""The locks of runs under way: a locked file for each, with its store and its id there.

The system releases the lock when the process dies, however it dies, and the file says what it left behind.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO


def record_holder(lock: TextIO, store: str, run_id: str) -> None:
    """Write into a lock's file which run is to be marked as killed if this process dies."""
    lock.truncate(0)
    json.dump([store, run_id], lock)
    lock.flush()


def abandoned_runs(folder: Path, store: str) -> Iterator[str]:
    """Yield the ids of the runs in `store` whose process is gone.

    Each lock is removed when the caller asks for the next run: one that the caller fails on is found again.
    """
    for path in sorted(folder.glob("*")):
        with suppress(OSError), path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ended_meanwhile = not os.fstat(file.fileno()).st_nlink
            holder = _holder(file)
            if (holder and holder[0] != store) or ended_meanwhile:
                continue
            if holder:
                yield holder[1]
            path.unlink(missing_ok=True)


def _holder(lock: TextIO) -> tuple[str, str] | None:
    """Return what `record_holder` wrote; None if the process had recorded nothing."""
    try:
        match json.load(lock):
            case [str(store), str(run_id)]:
                return store, run_id
    except (ValueError, RecursionError):
        pass
    return None

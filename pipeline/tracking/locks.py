"""Which runs are under way: each holds a lock on a file named after it, with the store and its id there. The
system lets go of the lock when the process dies, however it dies, and the file says what it leaves behind."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO


def note(file: TextIO, store: str, run: str) -> None:
    """What is to be marked, should this process die."""
    file.truncate(0)
    json.dump([store, run], file)
    file.flush()


def abandoned(folder: Path, store: str) -> Iterator[str]:
    """The runs of `store` whose process is gone; each is forgotten once the caller has dealt with it."""
    for path in sorted(folder.glob("*")):
        # A ValueError: nothing was noted yet.
        with suppress(OSError, ValueError), path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ended_meanwhile = not os.fstat(file.fileno()).st_nlink
            of, run = json.load(file)
            if of == store and not ended_meanwhile:
                yield run
                path.unlink(missing_ok=True)

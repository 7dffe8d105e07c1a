"""Which runs are under way: each holds a lock on a file named after it. The system lets go of the lock when
the process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def under_way(folder: Path, run: str, store: str) -> Iterator[None]:
    """Says so of a run of `store`, for as long as the block lasts and the process lives."""
    folder.mkdir(parents=True, exist_ok=True)
    path, unseen = folder / run, folder / f".{run}"
    with unseen.open("w", encoding="utf-8") as file:
        with suppress(OSError):  # some network file systems have no locks: there, nobody is found dead
            fcntl.flock(file, fcntl.LOCK_EX)
        file.write(store)
        file.flush()
        os.replace(unseen, path)  # whoever finds it finds it locked
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def abandoned(folder: Path, store: str) -> Iterator[str]:
    """The runs of `store` whose process is gone; each is forgotten once the caller has dealt with it."""
    for path in sorted(folder.glob("[!.]*")):
        with suppress(OSError), path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ended_meanwhile = os.fstat(file.fileno()).st_nlink == 0
            if file.read() == store and not ended_meanwhile:
                yield path.name
                path.unlink(missing_ok=True)


def is_under_way(folder: Path, run: str) -> bool:
    try:
        with (folder / run).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is no such file
        return False
    return False

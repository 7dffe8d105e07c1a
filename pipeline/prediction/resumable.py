"""Output files that an interrupted run leaves behind in such a way that the next run continues them.

While `<path>.partial` grows, the checkpoint `<path>.partial.json` records from time to time how many of its
bytes are good, and the state that the writer continues with. Only `finish` gives the file its name.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ..errors import InputError
from ..files import atomic_write

CHECKPOINT_SECONDS = 2.0  # from one checkpoint to the next


class Resumable:
    """Several files that grow together, such as the labelled rows and the rejected ones.

    `state` is that of the checkpoint from which this run continues, None if it starts from the beginning.
    """

    def __init__(self, paths: list[Path], recipe: dict[str, Any] | None) -> None:
        """Take as `recipe` all that the bytes depend on, fit for JSON: only an equal one is continued.

        With None, for an input that cannot be read twice, there are no checkpoints. Entering raises
        InputError if another process is writing the same file, and where its place is taken by a link.
        """
        self.state: Any = None
        self._paths = paths
        self._partials = partial_paths(paths)
        self._checkpoint = checkpoint_path(paths)
        self._recipe = recipe
        self._saved_at = 0.0

    def __enter__(self) -> Resumable:
        with ExitStack() as stack:
            for path in self._partials:
                if path.is_symlink() or (path.exists() and path.stat().st_nlink > 1):
                    raise InputError(
                        f"{path} is a link to another file, which would be lost: remove the link"
                    )
            self._files = [
                stack.enter_context(open(path, "ab", opener=_open_no_link)) for path in self._partials
            ]
            if not _lock(self._files[0], self._partials[0]):
                raise InputError(f"{self._paths[0]} is being written by another process: wait for it")
            lengths, self.state = self._read_checkpoint() or ([0] * len(self._files), None)
            if self.state is None:
                self._checkpoint.unlink(missing_ok=True)
            for file, length in zip(self._files, lengths, strict=True):
                file.truncate(length)
            stack.pop_all()
        self._saved_at = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error and self._checkpoint.exists():
            error.add_note("the same command goes on from there")
        elif error:
            for path in self._partials:
                path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # that of a write names no file
            error.filename = str(self._paths[0])
        for file in self._files:
            with suppress(OSError):  # what a full disk does not take is in no checkpoint either
                file.close()

    def write(self, pieces: list[bytes], state: Any) -> None:
        """Append one piece to each file; `state`, fit for JSON, continues after them, None if nothing can."""
        for file, piece in zip(self._files, pieces, strict=True):
            file.write(piece)
        due = time.monotonic() - self._saved_at >= CHECKPOINT_SECONDS
        if due and state is not None and self._recipe is not None:
            self.save_checkpoint(state)

    def save_checkpoint(self, state: Any) -> None:
        """Record that all that was written is good."""
        for file in self._files:
            file.flush()
        checkpoint = {"recipe": self._recipe, "bytes": [file.tell() for file in self._files], "state": state}
        with atomic_write(self._checkpoint) as partial:
            partial.write_text(json.dumps(checkpoint), "utf-8")
        self._saved_at = time.monotonic()

    def finish(self, kept: list[bool]) -> None:
        """Give the files their names; remove those not kept, and an older file of that name with them."""
        for file in self._files:
            file.flush()
        # The first file's name says that all is done: it comes last.
        for path, partial, keep in reversed([*zip(self._paths, self._partials, kept, strict=True)]):
            if keep:
                os.replace(partial, path)
            else:
                partial.unlink()
                path.unlink(missing_ok=True)
        self._checkpoint.unlink(missing_ok=True)

    def _read_checkpoint(self) -> tuple[list[int], Any] | None:
        """Return the lengths and the state of an earlier run of the same recipe, if its bytes are there."""
        try:
            checkpoint = json.loads(self._checkpoint.read_text("utf-8"))
            lengths, state = checkpoint["bytes"], checkpoint["state"]
            sizes = [os.fstat(file.fileno()).st_size for file in self._files]
            complete = all(0 <= length <= size for length, size in zip(lengths, sizes, strict=True))
            same = self._recipe is not None and checkpoint["recipe"] == self._recipe
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return (lengths, state) if complete and same and state is not None else None


def partial_paths(paths: list[Path]) -> list[Path]:
    """Return the names of the files while they grow."""
    return [Path(f"{path}.partial") for path in paths]


def checkpoint_path(paths: list[Path]) -> Path:
    """Return the name of the files' checkpoint."""
    return Path(f"{paths[0]}.partial.json")


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def _lock(file: IO[bytes], path: Path) -> bool:
    """Lock an open file; return False if another process holds it, or has renamed it since it was opened."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False

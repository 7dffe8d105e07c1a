"""An output file that an interruption leaves where a later pass can go on, and that is never half there.

While `<path>.partial` grows, `<path>.partial.json` says from time to time how much of it is good, and what
the writer needs to go on from there. Only `finish` gives the file its name.
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

SECONDS = 2.0  # between two notes


class Resumable:
    """Several files that grow together, such as the labelled rows and those set aside."""

    def __init__(self, paths: list[Path], recipe: dict[str, Any] | None) -> None:
        """`recipe` is all that the bytes depend on, fit for JSON: with another one nothing is gone on with.
        With None, for what cannot be read twice, nothing is noted.

        Raises InputError on entering where another process is writing the same file.
        """
        self._paths = paths
        self._partials = partials(paths)
        self._recipe = recipe
        self._journal = journal(paths)
        self.state: Any = None  # what was noted with the bytes that are kept
        self._noted = 0.0

    def __enter__(self) -> Resumable:
        with ExitStack() as stack:
            self._files: list[IO[bytes]] = []
            for path in self._partials:
                self._files.append(stack.enter_context(path.open("ab")))
                if not _locked(self._files[0], self._partials[0]):
                    raise InputError(f"{self._paths[0]} is being written by another process: wait for it")
            note = self._note()
            lengths = note["bytes"] if note else [0] * len(self._files)
            self.state = note["state"] if note else None
            for file, length in zip(self._files, lengths, strict=True):
                file.truncate(length)
            stack.pop_all()
        self._noted = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error and self.state is None:  # there is nothing to go on with
            for path in (self._journal, *self._partials):
                path.unlink(missing_ok=True)
        elif error:
            error.add_note("the same command goes on from there")
        if isinstance(error, OSError) and error.filename is None:  # that of a write names no file
            error.filename = str(self._paths[0])
        for file in self._files:
            with suppress(OSError):  # what a full disk does not take was not noted either
                file.close()

    def write(self, pieces: list[bytes], state: Any) -> None:
        """Add one piece to each file; `state`, fit for JSON, is what goes on behind them, None if nothing
        can."""
        for file, piece in zip(self._files, pieces, strict=True):
            file.write(piece)
        if state is not None and self._recipe is not None and time.monotonic() - self._noted >= SECONDS:
            self.note(state)

    def note(self, state: Any) -> None:
        """Note that all that was written is good."""
        for file in self._files:
            file.flush()
        lengths = [file.tell() for file in self._files]
        with atomic_write(self._journal) as partial:
            note = {"recipe": self._recipe, "bytes": lengths, "state": state}
            partial.write_text(json.dumps(note), "utf-8")
        self.state = state
        self._noted = time.monotonic()

    def finish(self, kept: list[bool]) -> None:
        """Give the files their names; those not kept are removed, and an older one of that name with them."""
        for file in self._files:
            file.flush()
        # The first file's name says that all is done: it comes last.
        for path, partial, keep in [*zip(self._paths, self._partials, kept, strict=True)][::-1]:
            if keep:
                os.replace(partial, path)
            else:
                partial.unlink()
                path.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)
        self.state = None

    def _note(self) -> Any:
        """What an earlier pass of the same recipe noted, if its bytes are all there."""
        if self._recipe is None:
            return None
        try:
            note = json.loads(self._journal.read_text("utf-8"))
            fits = note["recipe"] == self._recipe and note["state"] is not None
            fits = fits and all(
                0 <= length <= os.fstat(file.fileno()).st_size
                for file, length in zip(self._files, note["bytes"], strict=True)
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return note if fits else None


def partials(paths: list[Path]) -> list[Path]:
    """What the files are called while they grow."""
    return [Path(f"{path}.partial") for path in paths]


def journal(paths: list[Path]) -> Path:
    return Path(f"{paths[0]}.partial.json")


def _locked(file: IO[bytes], path: Path) -> bool:
    """Lock an open file. False if another process holds it, or gave it another name since it was opened."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False

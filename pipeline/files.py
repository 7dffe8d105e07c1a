"""Files and folders written atomically, and locked; `reading` reads them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from .csv_line import csv_line
from .errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Content = TypeVar("Content")


@contextmanager
def naming_errors(path: Path) -> Iterator[None]:
    """Have an OSError that names no file, such as that of a write on a full disk, name this one."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            # The reason is in the text; that of `copytree` has a source, a copy and a reason for each file.
            of_tree = isinstance(error, shutil.Error) and isinstance(error.args[0], list)
            reason = error.args[0][0][-1] if of_tree else error
            raise OSError(f"{path}: {reason}") from error
        error.filename = error.filename or str(path)
        raise


def partial_path(path: Path) -> Path:
    """Return a name beside a file for it to be written under, which nobody else has.

    Process ids would do on one machine; of several that share the folder, two may have the same.
    """
    return path.with_name(f".partial-{secrets.token_hex(4)}-{path.name}")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a path to write to, which atomically replaces `path` on success and is removed otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    try:
        with naming_errors(path):
            partial.touch(exist_ok=False)
            yield partial
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which replaces the one at `path` on success and is removed otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    old = partial.with_name(partial.name.replace("partial", "old", 1))
    partial.mkdir()
    try:
        with naming_errors(path):
            yield partial
        if path.exists():
            os.replace(path, old)
        os.replace(partial, path)
    finally:
        if old.exists() and not path.exists():  # interrupted between the two renames
            os.replace(old, path)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def appears(folder: Path) -> bool:
    """Return whether a folder is there, or in a moment will be, as `atomic_folder` is between its renames."""
    return _identity(folder) is not None


def read_replaceable(folder: Path, read: Callable[[], Content]) -> Content:
    """Return what `read` makes of a folder, read once more if `atomic_folder` replaced it meanwhile.

    What was read of two folders is either an InputError, of files that do not fit, or must not be used.
    """
    before = _identity(folder)
    try:
        content = read()
    except InputError:
        if _identity(folder) == before:
            raise
    else:
        if _identity(folder) == before:
            return content
    return read()


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return what tells a folder from the one that replaces it; None if none is there within 0.1 seconds."""
    for _ in range(10):
        with suppress(OSError):
            found = folder.stat()
            return found.st_ino, found.st_mtime_ns
        time.sleep(0.01)
    return None


def short_hash(settings: str) -> str:
    """Return a suffix for a folder's name, `-` and eight digits of a hash; "" for no settings."""
    return f"-{hashlib.sha256(settings.encode()).hexdigest()[:8]}" if settings else ""


def sha256(path: Path) -> str:
    """Return the file's digest in hexadecimal."""
    return digest(path, "sha256")


def digest(path: Path, algorithm: str) -> str:
    """Return the file's digest by one of hashlib's algorithms, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def sha256_of(digests: Iterable[str]) -> str:
    """Return one digest of several files' digests."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def write_json(path: Path, value: Any) -> None:
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str | int | float]]) -> None:
    with atomic_write(path) as partial, partial.open("wb") as file:
        for row in (header, *rows):
            file.write(csv_line([str(value) for value in row]))


def write_text(path: Path, text: str) -> None:
    with atomic_write(path) as partial:
        partial.write_text(text, "utf-8")


def write_changed_text(path: Path, text: str) -> None:
    """Leaves a file that holds the same already, so that Make redoes nothing for its sake."""
    if not path.exists() or path.read_text("utf-8") != text:
        write_text(path, text)


def write_table(path: Path, table: pd.DataFrame) -> None:
    with atomic_write(path) as partial:
        table.to_parquet(partial, index=False)


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


@contextmanager
def images_writer(path: Path, shape: tuple[int, int, int]) -> Iterator[Callable[[bytes], Any]]:
    """Give a function that appends one image, the bytes of uint8 [*shape], to a .npy file."""
    header = {"descr": "|u1", "fortran_order": False}
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header | {"shape": (0, *shape)})
        start = file.tell()
        yield file.write
        rows = (file.tell() - start) // prod(shape)
        file.seek(0)  # NumPy pads the header for any number of rows, so the new one is as long
        np.lib.format.write_array_header_1_0(file, header | {"shape": (rows, *shape)})


@contextmanager
def exclusive(path: Path, wait: bool = True) -> Iterator[TextIO]:
    """Lock a file for this process, give it open for reading and writing, and remove it afterwards.

    The system releases the lock when the process dies, however it dies; the file then stays, and also if the
    block fails. Where another process holds the lock, waits for it; without `wait` raises BlockingIOError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.close()
            raise
        except OSError:  # some network file systems have no locks: go on without
            break
        if os.fstat(file.fileno()).st_nlink:
            break
        file.close()  # the previous owner deleted it after it was opened here
    with file:
        yield file
        path.unlink(missing_ok=True)

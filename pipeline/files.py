"""Files written atomically, and read with errors that name the file."""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import json
import os
import shutil
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from .csv_line import csv_line
from .errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a path to write to, which atomically replaces `path` on success and is removed otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        # Of a name that others could foresee: what lies there, such as a link, is not written to.
        partial.unlink(missing_ok=True)
        partial.touch(exist_ok=False)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a failed write, as on a full disk, names none
        raise
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which replaces the one at `path` on success and is removed otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    old = path.with_name(f".old-{os.getpid()}-{path.name}")
    partial.mkdir()
    try:
        yield partial
        if path.exists():
            os.replace(path, old)
        os.replace(partial, path)
    finally:
        if old.exists() and not path.exists():  # interrupted between the two renames
            os.replace(old, path)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def short_hash(settings: str) -> str:
    """Return a suffix for a folder's name, `-` and eight digits of a hash; "" for no settings."""
    return f"-{hashlib.sha256(settings.encode()).hexdigest()[:8]}" if settings else ""


def sha256(path: Path) -> str:
    """Return the file's digest in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


def write_changed_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write the arrays unless the file holds them already, so that Make redoes nothing for its sake."""
    fresh = path.with_name(f".fresh-{os.getpid()}-{path.name}")
    try:
        write_arrays(fresh, **arrays)
        if not (path.exists() and filecmp.cmp(fresh, path, shallow=False)):
            os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


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

    The system releases the lock when the process dies, however it dies; the file then stays. Where another
    process holds the lock, waits for it; without `wait` raises BlockingIOError.
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


def read_json(path: Path) -> Any:
    with readable(path):
        return json.loads(path.read_text("utf-8"))


def read_table(path: Path) -> pd.DataFrame:
    import pandas as pd  # not at the top: `predict` starts without
    import pyarrow as pa

    with readable(path, pa.ArrowException, AttributeError):
        return pd.read_parquet(path)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    with readable(path), path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


# Raised for a damaged file by json and UTF-8 (ValueError), zipfile, zlib, and NumPy on reading a header.
DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def readable(path: Path, *damage: type[Exception]) -> Iterator[None]:
    """Turn whatever a library raises for a missing or damaged file into an InputError with the remedy."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: remove {path.parent} and train again") from error
    except MemoryError as error:
        raise InputError(
            f"{path} needs more memory than there is: free some; if it is damaged, remove {path.parent} and "
            "train again"
        ) from error
    except (*DAMAGE, *damage) as error:
        raise InputError(
            f"{path} cannot be read ({type(error).__name__}): remove {path.parent} and train again"
        ) from error

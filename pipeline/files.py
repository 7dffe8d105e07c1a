"""Files written atomically, and read with errors that name the file."""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import json
import os
import shutil
import stat
import struct
import time
import tokenize
import zipfile
import zlib
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

MAX_JSON_BYTES = 128 << 20  # eight million words; as objects of Python they take some twenty times as much
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


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a path to write to, which atomically replaces `path` on success and is removed otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        # Others could guess this name: whatever lies there, such as a link, is removed and not written to.
        partial.unlink(missing_ok=True)
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
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    old = path.with_name(f".old-{os.getpid()}-{path.name}")
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


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the content of a file. Raises InputError if it is larger than what it can be."""
    with readable(path):
        if path.stat().st_size > max_bytes:
            raise InputError(f"{path} is larger than {max_bytes >> 20} MiB: {remedy(path.parent)}")
        return path.read_bytes()


def read_json(path: Path) -> Any:
    with readable(path):
        return json.loads(read_bytes(path, MAX_JSON_BYTES).decode("utf-8"))


def read_table(path: Path) -> pd.DataFrame:
    import pandas as pd  # not at the top: `predict` starts without
    import pyarrow as pa

    with readable(path, pa.ArrowException, AttributeError):
        return pd.read_parquet(path)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `write_arrays` wrote: nothing is packed, so that the arrays are no larger than the file."""
    with readable(path), path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        check_unpacked(path, arrays.zip)
        return dict(arrays)


def check_unpacked(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise InputError unless the members of an archive take no more memory than its file does on disk."""
    members = archive.infolist()
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise InputError(f"{path} is packed, and would be larger in memory: {remedy(path.parent)}")


def map_array(path: Path) -> NDArray[Any]:
    """Map the array of a .npy file into memory, without reading it."""
    with readable(path), np.errstate(over="ignore"):  # a shape beyond all numbers is more than the file holds
        mapped: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
        return mapped


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
    """Turn whatever a library raises for a missing or damaged file into an InputError with the remedy.

    A pipe or a device is refused before the block, which might never end.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path} is no file: {remedy(path.parent)}")
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: {remedy(path.parent)}") from error
    except MemoryError as error:
        message = f"{path} needs more memory than there is: free some"
        raise InputError(f"{message}; if it is damaged, {remedy(path.parent)}") from error
    except (*DAMAGE, *damage) as error:
        message = f"{path} cannot be read ({type(error).__name__}): {remedy(path.parent)}"
        raise InputError(message) from error


def remedy(folder: Path) -> str:
    """Return what mends a folder of results that is damaged."""
    return f"remove {folder} and train again or, if it came from elsewhere, copy it again"

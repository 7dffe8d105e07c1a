"""Files read with errors that name the file and the remedy, and in no more memory than they can need."""

from __future__ import annotations

import json
import stat
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MAX_JSON_BYTES = 128 << 20  # eight million words; as objects of Python they take some twenty times as much
# What an array or a column of a user's file may unpack to, and how often the bytes that it is packed in.
UNPACKED_BYTES = 1 << 30
UNPACKED_RATIO = 500


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the content of a file. Raises InputError if it is larger than what it can be."""
    with readable(path):
        if path.stat().st_size > max_bytes:
            raise InputError(f"{path} is larger than {max_bytes >> 20} MiB: {remedy(path.parent)}")
        return path.read_bytes()


def read_json(path: Path) -> Any:
    with readable(path):
        return json.loads(read_bytes(path, MAX_JSON_BYTES).decode("utf-8"))


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a table, or these columns of it: of millions of rows, texts alone take gigabytes."""
    import pandas as pd  # not at the top: `predict` starts without
    import pyarrow as pa

    with readable(path, pa.ArrowException, AttributeError):
        return pd.read_parquet(path, columns=None if columns is None else list(columns))


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


def is_decompression_bomb(packed: int, unpacked: int) -> bool:
    """Return True if bytes unpack to absurdly many, as only those do that were made for it."""
    return unpacked > max(UNPACKED_BYTES, UNPACKED_RATIO * packed)

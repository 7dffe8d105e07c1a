"""Files written atomically, and read with errors that name the file."""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .csv_line import csv_line
from .errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A path to write to, moved onto `path` if the block ends well and removed if it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # that of a write, as on a full disk, names no file
        raise
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """The same for a folder, which replaces the one that was there."""
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
        if old.exists() and not path.exists():  # interrupted between the two
            os.replace(old, path)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def short_hash(settings: str) -> str:
    """What the name of a folder carries of the settings; nothing where there are none."""
    return f"-{hashlib.sha256(settings.encode()).hexdigest()[:8]}" if settings else ""


def sha256(path: Path) -> str:
    """The file's digest in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(digests: Iterable[str]) -> str:
    """One digest of several files' digests."""
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


def write_table(path: Path, table: pd.DataFrame) -> None:
    with atomic_write(path) as partial:
        table.to_parquet(partial, index=False)


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def write_changed_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Leaves a file that holds the same already, so that Make redoes nothing for its sake."""
    fresh = path.with_name(f".fresh-{os.getpid()}-{path.name}")
    try:
        write_arrays(fresh, **arrays)
        if not (path.exists() and filecmp.cmp(fresh, path, shallow=False)):
            os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def images_writer(path: Path, shape: tuple[int, int, int]) -> Iterator[Callable[[bytes], Any]]:
    """What takes images one after the other, each the bytes of uint8 [*shape], for a file of NumPy's."""
    header = {"descr": "|u1", "fortran_order": False}
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header | {"shape": (0, *shape)})
        start = file.tell()
        yield file.write
        rows = (file.tell() - start) // prod(shape)
        file.seek(0)  # the header again, as long as it was: NumPy leaves room in it for any number of rows
        np.lib.format.write_array_header_1_0(file, header | {"shape": (rows, *shape)})


def read_json(path: Path) -> Any:
    with readable(path):
        return json.loads(path.read_text("utf-8"))


def read_table(path: Path) -> pd.DataFrame:
    import pandas as pd  # here, as `predict` starts without

    with readable(path):
        return pd.read_parquet(path)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    with readable(path), path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Whatever a library makes of a damaged file becomes one line with the remedy."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: remove {path.parent} and run `make train`") from error
    except Exception as error:
        raise InputError(
            f"{path} cannot be read ({type(error).__name__}): remove {path.parent} and run `make train`"
        ) from error

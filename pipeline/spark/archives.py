"""Folders that Spark brings to its executors as archives, and unpacks there once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from pyspark import SparkFiles

COMPILED = "__pycache__"
_lock = Lock()


def send(session: Any, folder: Path, name: str) -> None:
    """Have the executors find a folder by that name: see `path`.

    Equal names are of equal content. One of the name of a package is imported, before any that is installed
    there, as Python's path begins with the folder of the archives.
    """
    with _lock:  # threads may share the driver
        archive = Path(_scratch().name, f"{name}.zip")
        if not archive.exists():
            _pack(folder, archive)
    session.addArtifacts(f"{archive}#{name}", archive=True)  # once, however often it is asked


def path(name: str) -> Path:
    """Return where the archive of that name is unpacked, on the driver or, in a task, on its executor."""
    return Path(SparkFiles.get(name))


def _pack(folder: Path, archive: Path) -> None:
    partial = archive.with_suffix(".partial")
    # Some systems date all files to 1970, which ZIP cannot.
    with ZipFile(partial, "w", ZIP_DEFLATED, compresslevel=1, strict_timestamps=False) as written:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and COMPILED not in file.parts:
                written.write(file, file.relative_to(folder))
    partial.rename(archive)


@cache
def _scratch() -> TemporaryDirectory[str]:
    """Return a folder that is kept until this process ends: executors may start, and ask, at any time."""
    return TemporaryDirectory(prefix="convtext-spark-")

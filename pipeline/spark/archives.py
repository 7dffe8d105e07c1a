"""Folders that Spark brings to its executors as archives, and unpacks there once."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from pyspark import SparkFiles

COMPILED = "__pycache__"


def send(session: Any, folder: Path, name: str) -> None:
    """Have the executors find a folder by that name: see `path`.

    Equal names are of equal content. One of the name of a package is imported, before any that is installed
    there, as Python's path begins with the folder of the archives.
    """
    session.addArtifacts(f"{_archive(folder, name)}#{name}", archive=True)  # once, however often it is asked


def path(name: str) -> Path:
    """Return where the archive of that name is unpacked, on the driver or, in a task, on its executor."""
    return Path(SparkFiles.get(name))


@cache
def _archive(folder: Path, name: str) -> Path:
    """Return the archive of a folder, which is kept until this process ends: executors start at any time.

    A folder whose content changes, as of a model that is trained again, has another name then.
    """
    archive = Path(_scratch().name, f"{len(os.listdir(_scratch().name))}.zip")
    with ZipFile(archive, "w", ZIP_DEFLATED, compresslevel=1) as written:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and COMPILED not in file.parts:
                written.write(file, file.relative_to(folder))
    return archive


@cache
def _scratch() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="convtext-spark-")

"""The image files below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg")  # of image files, in lower case


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders, ordered by name; none whose name begins with a dot."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))


def name_problem(file: Path) -> str:
    """Return why a file is not an image by its name, or ""."""
    if file.suffix.lower() not in SUFFIXES:
        return f"its name does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    return "" if str(file).isprintable() else "its name is not plain text"

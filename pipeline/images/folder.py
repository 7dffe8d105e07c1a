"""The image files below a folder."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")  # in lower case
FORMATS = "png, jpg, webp, gif, bmp or tiff"  # that they stand for, for people
_UNPRINTABLE_YET_PLAIN = ("Zs", "Zl", "Zp", "Cf")  # categories of blanks, and of what has no width


def files_below(folder: Path, _above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders, ordered by name; none whose name begins with a dot.

    Symbolic links are followed. One that leads to no file, or back to a folder that it lies in, is yielded
    itself, and so is a folder that cannot be read: `file_problem` says what they are.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    above = (*_above, folder.resolve())
    folders: list[Path] = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        # Not `entry.is_dir()`, which raises for a link to itself; and most entries are no links.
        is_folder = path.is_dir() if entry.is_symlink() else entry.is_dir()
        if is_folder and not (entry.is_symlink() and path.resolve() in above):
            folders.append(path)
        else:
            yield path
    for path in folders:
        yield from files_below(path, above)


def file_problem(file: Path) -> str:
    """Return why a file, before it is opened, is known to be no image, or ""."""
    if file.is_dir():
        is_link = file.is_symlink()
        return "a link back to a folder that it lies in" if is_link else "a folder that cannot be read"
    if file.is_symlink() and not file.exists():
        return "a link that leads to no file"
    if file.suffix.lower() not in SUFFIXES:
        return f"its name does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    return "" if is_plain(str(file)) else "its name is not plain text"


def is_plain(name: str) -> bool:
    """Tell whether a file's name holds printable characters and blanks alone, of whatever width."""
    return all(char.isprintable() or unicodedata.category(char) in _UNPRINTABLE_YET_PLAIN for char in name)


def size_in_bytes(file: Path) -> int:
    """Return the size of a file, 0 for a link that leads to none."""
    try:
        return file.stat().st_size
    except OSError:
        return 0

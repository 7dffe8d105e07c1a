"""Names as folders and options can hold them, whatever the names of a user's files are."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from ..artifacts import ChampionFiles, build_folder, links_folder
from ..environment.moved_data import lasting_path
from ..files import partial_path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # a name that a shell, make and a folder take unquoted
NAMES = "a name is of letters, digits, `.`, `_` and `-`, and begins with a letter or digit"


def conf_name(name: str) -> str:
    """Return the name of a file of conf/ as a folder's, with a hash in place of what Make cannot take."""
    return name if NAME.fullmatch(name) else _hashed(name, name)


def file_name(path: Path) -> str:
    """Return the name of the folder for a user's file.

    It has a hash of the whole path, so that two files of one name do not collide; where a project was moved
    or copied with its data, of the path before. Where the data alone were moved, to a folder in which the
    file lies, the name is as it was as well.
    """
    path = path.resolve()
    stem = path.name.partition(".")[0]
    name = _hashed(stem, path)
    return name if _is_known(name) else _hashed(stem, lasting_path(path))


def plain_path(path: str) -> str:
    """Return the path, or if it holds bytes that are not UTF-8, as no option can, that of a link to it."""
    with suppress(UnicodeEncodeError):
        path.encode()
        return path
    # With its end, by which a format is known.
    suffix = "".join(re.findall(r"\.\w+", Path(path).name, re.ASCII)[-2:])
    link = links_folder() / f"{_hashed('', lasting_path(Path(path)))}{suffix}"
    link.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(link)
    partial.symlink_to(Path(path).absolute())
    os.replace(partial, link)
    return str(link)


def _hashed(name: str, whole: str | Path) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed"
    return f"{stem}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:8]}"


def _is_known(name: str) -> bool:
    return (build_folder() / name).exists() or ChampionFiles(name).note.exists()

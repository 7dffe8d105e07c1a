"""The record of a run that no tracking server took: a folder with one JSON line for each entry, and copies of
the files. It can be replayed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import InputError
from . import location

Entry = dict[str, Any]


class Journal:
    """The journal of one run, which is named after it. Its folder begins with the first entry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines = folder / "entries.jsonl"

    @property
    def run(self) -> str:
        return self.folder.name

    def exists(self) -> bool:
        """Whether it has an entry."""
        return self._lines.exists() and b"\n" in self._lines.read_bytes()

    def append(self, entry: Entry) -> None:
        """Write an entry; what lies at its `path`, a file or a folder, is copied."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if "path" in entry:
            entry = entry | {"path": str(self._copied(Path(entry["path"])))}
        with self._lines.open("ab+") as file:
            file.truncate(_end_of_whole_lines(file))  # behind it lies what a kill or a full disk cut off
            file.write(json.dumps(entry).encode() + b"\n")

    def entries(self) -> list[Entry]:
        """All entries, their paths those of the copies. A last line that was cut off is left out.

        Raises InputError where any other line is damaged.
        """
        *lines, _cut = self._lines.read_bytes().split(b"\n")
        found: list[Entry] = []
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                found.append(entry | ({"path": str(self.folder / entry["path"])} if "path" in entry else {}))
            except (ValueError, TypeError) as error:
                raise InputError(f"{self._lines}, line {number}: damaged: remove {self.folder}") from error
        return found

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def _copied(self, path: Path) -> Path:
        """Where the copy lies, relative to the folder: each in one of its own, as names may recur."""
        files = self.folder / "files"
        files.mkdir(exist_ok=True)
        copy = files / str(len(list(files.iterdir()))) / path.name
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            copy.parent.mkdir()
            shutil.copyfile(path, copy)
        return copy.relative_to(self.folder)


def _end_of_whole_lines(file: BinaryIO) -> int:
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def unsent(run_id: str) -> Journal:
    """Where a run is written that cannot be sent."""
    return Journal(_folder() / run_id)


def all_unsent() -> list[Journal]:
    return [Journal(path) for path in sorted(_folder().glob("*")) if Journal(path).exists()]


def _folder() -> Path:
    return location.folder() / "unsent"

"""The journal of a run that the store did not take, from which `send` replays it.

It is a folder in data/tracking/unsent/ with one JSON line for each entry, and copies of the files.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from ..artifacts import checked_id
from ..errors import InputError
from ..files import naming_errors
from . import location

# One call of MLflow's: `do` names it, as in mlflow_calls, and the other keys are its arguments.
Entry = dict[str, Any]


class Journal:
    """The journal of one run, named after it. Its folder is created with the first entry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines = folder / "entries.jsonl"

    @property
    def run_id(self) -> str:
        return self.folder.name

    def exists(self) -> bool:
        """Return True if it has an entry."""
        return self._lines.exists() and b"\n" in self._lines.read_bytes()

    def append(self, entry: Entry) -> None:
        """Write an entry and copy the file or folder at its `path`, if it has one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if "path" in entry:
            entry = entry | {"path": str(self._copy(Path(entry["path"])))}
        with naming_errors(self._lines), self._lines.open("ab+") as file:
            file.truncate(_end_of_last_line(file))  # a kill or a full disk may have cut a line off
            file.write(json.dumps(entry).encode() + b"\n")

    def entries(self) -> list[Entry]:
        """Return all entries, with the paths of the copies. A last line that was cut off is left out.

        Raises InputError if any other line is damaged, or names a path outside the journal.
        """
        *lines, _cut_off = self._lines.read_bytes().split(b"\n")
        entries: list[Entry] = []
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                copy = {"path": str(self._inside(entry["path"]))} if "path" in entry else {}
                entries.append({**entry, **copy})
            except (ValueError, TypeError, RecursionError) as error:
                raise InputError(f"{self._lines}, line {number}: damaged: remove {self.folder}") from error
        return entries

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def _copy(self, path: Path) -> Path:
        """Copy into a folder of its own, as names may recur; return the copy relative to the journal."""
        files = self.folder / "files"
        files.mkdir(exist_ok=True)
        copy = files / str(len(list(files.iterdir()))) / path.name
        with naming_errors(copy):
            if path.is_dir():
                shutil.copytree(path, copy)
            else:
                copy.parent.mkdir()
                shutil.copyfile(path, copy)
        return copy.relative_to(self.folder)

    def _inside(self, path: str) -> Path:
        """Return the path of a copy. Raises ValueError if it leads out of the journal."""
        copy = self.folder / path
        copy.resolve().relative_to(self.folder.resolve() / "files")
        return copy


def _end_of_last_line(file: BinaryIO) -> int:
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def unsent_journal(run_id: str) -> Journal:
    """Return the journal of a run, which need not exist yet. Raises InputError for what is no id."""
    return Journal(_unsent_folder() / checked_id(run_id))


def unsent_journals() -> list[Journal]:
    """Return all journals that have an entry."""
    return [Journal(path) for path in sorted(_unsent_folder().glob("*")) if Journal(path).exists()]


def _unsent_folder() -> Path:
    return location.tracking_folder() / "unsent"

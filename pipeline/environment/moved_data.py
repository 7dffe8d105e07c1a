"""The data folder after it was moved or copied: names that last, and artifacts found where they are."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..artifacts import artifacts_folder, data_folder, first_place_file, local_store_file
from ..files import partial_path

EXPERIMENT_LOCATION = "select artifact_location from experiments where name = 'convtext'"
MEND_EXPERIMENTS = "update experiments set artifact_location = ? where artifact_location = ?"
LOCATIONS = {  # of artifacts, in MLflow's tables
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
LOCK_SECONDS = 60


def lasting_path(path: Path) -> Path:
    """Return a file's path; of one beside the data folder, as it was where that folder was first used.

    A project that is moved or copied with its data has the same ones, and so the same names of corpora.
    """
    path, beside = path.resolve(), data_folder().resolve().parent
    return first_place().parent / path.relative_to(beside) if path.is_relative_to(beside) else path


def first_place() -> Path:
    """Return where the data folder was first used, which is where it is if nothing says otherwise."""
    with suppress(OSError):
        return Path(os.fsdecode(first_place_file().read_bytes()))
    return _place_of_store() or data_folder().resolve()


def record_first_place() -> None:
    """Write down where the data folder was first used, unless that is done."""
    file, place = first_place_file(), first_place()
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(file)
    partial.write_bytes(os.fsencode(place))
    with suppress(FileExistsError):
        file.hardlink_to(partial)  # it appears whole, and never replaces that of another process
    partial.unlink()


def mend_store() -> None:
    """Have the store in data/tracking/ name the artifacts where they are now.

    MLflow stores absolute locations: a copy would write its artifacts into the original's folder. A run or
    model whose files are only where it says, as an earlier version wrote them from a copy, stays as it is.
    All happens in one transaction: of processes that begin at once, the first mends. Raises sqlite3.Error.
    """
    here = artifacts_folder().as_uri()
    with closing(sqlite3.connect(local_store_file(), LOCK_SECONDS, isolation_level=None)) as store:
        # Only what this program chose itself: a user's store may keep artifacts elsewhere.
        if (there := _location(store)) == here or not _is_own(there):
            return
        store.execute("begin immediate")
        if (there := _location(store)) != here:  # no other process was quicker
            _mend_rows(store, there, here)
            store.execute(MEND_EXPERIMENTS, (here, there))
        store.execute("commit")


def _mend_rows(store: sqlite3.Connection, there: str, here: str) -> None:
    for table, columns in LOCATIONS.items():
        for column in columns:
            # Names that are this program's own.
            rows = store.execute(f"select rowid, {column} from {table} where {column} glob ?", ("file:*",))
            for row, location in rows.fetchall():
                if not location.startswith(f"{there}/"):
                    continue
                mended = here + location.removeprefix(there)
                if _folder(mended).exists() or not _folder(location).exists():
                    store.execute(f"update {table} set {column} = ? where rowid = ?", (mended, row))


def _place_of_store() -> Path | None:
    """Return where the data folder was when a version that recorded no place created its store."""
    if not local_store_file().exists():
        return None
    with suppress(sqlite3.Error), closing(sqlite3.connect(local_store_file(), timeout=1)) as store:
        if _is_own(location := _location(store)):
            return _folder(location).parents[1]
    return None


def _is_own(location: str) -> bool:
    return location.startswith("file:") and _folder(location).parts[-2:] == ("tracking", "artifacts")


def _location(store: sqlite3.Connection) -> str:
    """Return where the artifacts of runs are said to be, or "" if the store has no such experiment."""
    (location,) = store.execute(EXPERIMENT_LOCATION).fetchone() or ("",)
    return str(location)


def _folder(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path, errors="surrogateescape"))

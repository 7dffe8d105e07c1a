"""Files written on this machine and uploaded when they are finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .remote_file import RemoteFile

NAME_CHARACTERS = 40  # of the end of a name, which says its form: those of stores are longer than a disk's


@contextmanager
def uploaded(target: RemoteFile, endings: Sequence[str]) -> Iterator[Path]:
    """Give the path of a file to write, which replaces `target` on success; else that stays as it is.

    So do files behind whose names stand the `endings`; one that was not written is removed from the store.
    All are written in the folder for temporary files (TMPDIR), and removed there.

    Each is replaced whole, but not all at once, which no store can do: the new files beside the target come
    first, then the target, and removals last. An end in between leaves new ones beside the old target, or,
    beside the new one, old ones that were to go.
    """
    with TemporaryDirectory(prefix="convtext-") as folder:
        path = Path(folder, target.name[-NAME_CHARACTERS:])
        yield path
        beside = [(Path(f"{path}{ending}"), RemoteFile(f"{target}{ending}")) for ending in endings]
        for written, file in beside:
            if written.exists():
                file.put(written)
        target.put(path)
        for written, file in beside:
            if not written.exists():
                file.remove()

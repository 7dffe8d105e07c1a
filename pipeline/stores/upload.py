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
    The target comes last. All are written in the folder for temporary files (TMPDIR), and removed there.
    """
    with TemporaryDirectory(prefix="convtext-") as folder:
        path = Path(folder, target.name[-NAME_CHARACTERS:])
        yield path
        for ending in endings:
            written, beside = Path(f"{path}{ending}"), RemoteFile(f"{target}{ending}")
            if written.exists():
                beside.put(written)
            else:
                beside.remove()
        target.put(path)

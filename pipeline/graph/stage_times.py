"""How long each stage of a make has taken."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

# The variable of the environment that names a folder of one make, in which its stages leave word.
MAKE_FOLDER = "CONVTEXT_MAKE_FOLDER"
_SECONDS = ".seconds"


def note_time(stage: str, seconds: float) -> None:
    """Leave word of how long a stage has taken, where there is such a folder."""
    if folder := os.environ.get(MAKE_FOLDER):
        with suppress(OSError):  # the stage is done all the same
            (Path(folder) / f"{stage}{_SECONDS}").write_text(str(seconds))


def times(folder: Path) -> dict[str, float]:
    """Return the seconds that each stage has taken, in the order in which they ended."""
    files = sorted(folder.glob(f"*{_SECONDS}"), key=lambda path: path.stat().st_mtime_ns)
    taken = {path.name.removesuffix(_SECONDS): path.read_text() for path in files}
    return {stage: float(seconds) for stage, seconds in taken.items() if seconds}  # of a full disk, none

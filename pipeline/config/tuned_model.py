"""The file of a model that a search has found, in conf/models: written whole, by one search at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import exclusive, write_text
from . import yaml_core
from .loading import shown

WRITTEN = "# Written by `make tune`"


@contextmanager
def reserved(path: Path) -> Iterator[None]:
    """No other search writes the file while the block lasts. Raises InputError where one does, where the file
    was written by hand, and where it cannot be written."""
    # Its name is no shorter than that under which the file is written.
    mark = path.with_name(f".search-under-way-{path.stem}.lock")
    with ExitStack() as held:
        try:
            if path.exists() and not path.read_bytes().startswith(WRITTEN.encode()):
                raise InputError(
                    f"{shown(path)} was not written by `make tune`: give the winner another name by NAME="
                )
            held.enter_context(exclusive(mark, wait=False))
        except BlockingIOError as error:
            raise InputError(
                f"another `make tune` is to write {shown(path)}: give this winner another name by NAME="
            ) from error
        except OSError as error:
            raise InputError(f"{shown(path)} cannot be written: {str(error.strerror).lower()}") from error
        held.callback(mark.unlink, missing_ok=True)  # nobody looks for a search that has ended badly
        yield


def write_model(path: Path, values: dict[str, Any], header: str) -> None:
    """A model's YAML below a header of comments."""
    comments = "".join(f"# {line}\n" for line in header.splitlines())
    text = yaml_core.write(values)
    write_text(path, f"{WRITTEN}; the next one may write over it.\n{comments}{text}")

"""The file in conf/models of the model that a search found: written atomically, by one search at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import exclusive, write_text
from . import yaml_core
from .conf_folders import shown_path

WRITTEN = "# Written by `make tune`"


@contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Keep other searches from writing the file while the block lasts.

    Raises InputError where one writes it, where it was written by hand, and where it cannot be written.
    """
    # The name is no shorter than that of the file's partial copy: what is too long for that one fails here.
    mark = path.with_name(f".search-under-way-{path.stem}.lock")
    name = shown_path(path)
    with ExitStack() as stack:
        try:
            if path.exists() and not path.read_bytes().startswith(WRITTEN.encode()):
                raise InputError(
                    f"{name} was not written by `make tune`: give the winner another name by NAME="
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(exclusive(mark, wait=False))
        except BlockingIOError as error:
            raise InputError(
                f"another `make tune` is to write {name}: give this winner another name by NAME="
            ) from error
        except OSError as error:
            raise InputError(f"{name} cannot be written: {str(error.strerror).lower()}") from error
        stack.callback(mark.unlink, missing_ok=True)  # nobody looks for a search that was killed
        yield


def write_model(path: Path, values: dict[str, Any], header: str) -> None:
    """Write a model's YAML below a header of comments."""
    comments = "".join(f"# {line}\n" for line in header.splitlines())
    text = yaml_core.write(values)
    write_text(path, f"{WRITTEN}; the next one may write over it.\n{comments}{text}")

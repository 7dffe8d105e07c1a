"""fsspec's file systems: one for each kind of store, with its own settings and its own package."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import wait
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import fsspec
from fsspec.callbacks import Callback

from ..files import partial_path

PART_BYTES, MAX_PARTS = 8 << 20, 10_000  # of an upload to S3, which has ten parts in memory
# They print on standard error, with tracebacks, what they also raise or mend, unless someone listens.
LOGGERS = ("adlfs", "asyncio", "azure", "fsspec", "gcsfs", "google", "s3fs")
ABORT_SECONDS = 10.0  # for which an interrupted upload may take back the parts that it has sent


def check_installed(package: str) -> None:
    """Raise ModuleNotFoundError with the name of a store's package: fsspec's own error has none."""
    import_module(package)


def of_address(scheme: str, address: str) -> Any:
    """Return the file system of an address, with the settings of the environment and of fsspec's files."""
    for name in LOGGERS:
        logging.getLogger(name).addHandler(logging.NullHandler())
    kind = fsspec.get_filesystem_class(scheme)
    options = kind._get_kwargs_from_urls(address)
    options.pop("version_aware", None)  # for what looks like a version at the end of a name
    system = kind(**options)
    if scheme == "s3":
        # botocore makes five attempts itself, or as many as AWS_MAX_ATTEMPTS says: five times as many would
        # wait for minutes where nothing answers.
        system.retries = 1
    return system


def put(system: Any, path: Path, target: str) -> None:
    """Replace a file of a store by a local one: it has its name when all of it is there.

    An object store replaces it at once. Hadoop renames to names that are free alone, so that Arrow removes
    the old file first: for a moment there is none of that name, and what fails then leaves the new one under
    the other name, which a note to the error tells.
    """
    if system.async_impl:  # an object store, which gives a name to whole objects alone
        _upload(system, path, target)
        return
    partial = str(partial_path(Path(target)))
    is_whole = False
    try:
        system.put_file(str(path), partial)
        is_whole = True
        system.mv(partial, target)
    except BaseException as error:
        is_needed = is_whole
        with suppress(Exception):
            is_needed = is_whole and not system.exists(target)
            if not is_needed:
                system.rm_file(partial)
        if is_needed:
            error.add_note(f"all of it is there as {partial}: rename it")
        raise


class _Progress(Callback):  # type: ignore[misc]  # fsspec has no types
    """How much of a file is uploaded, in `value`; fails where more arrives once the upload is to end."""

    is_stopped = False

    def call(self, hook_name: str | None = None, **kwargs: Any) -> None:
        if self.is_stopped:
            raise RuntimeError("the upload was interrupted")


def _upload(system: Any, path: Path, target: str) -> None:
    """Upload a file, and have an interrupt end it: `put_file` would go on in the thread that it runs in.

    An upload in parts that fails is aborted by the file system, which removes those that are there; one that
    is merely cancelled is not. What is put at once is cancelled, before it is there.
    """
    progress = _Progress()
    size = path.stat().st_size
    part = max(PART_BYTES, -(-size // MAX_PARTS))
    options = {"chunksize": part} if "s3" in system.protocol else {}
    upload = asyncio.run_coroutine_threadsafe(
        system._put_file(str(path), target, callback=progress, **options), system.loop
    )
    try:
        upload.result()
    except BaseException:
        progress.is_stopped = True
        if size >= 2 * part:
            wait([upload], ABORT_SECONDS)
        upload.cancel()
        raise

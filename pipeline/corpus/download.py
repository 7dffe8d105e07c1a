"""Corpus files, fetched once and checked: from the folder where they lie, a mirror, or their address."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import pooch

from ..errors import InputError
from ..files import sha256
from ..options import File

TIMEOUT = 30  # seconds without a byte


def fetch(address: str, file: File, folder: Path) -> Path:
    """The path of `file` under `folder`: the copy there if its sha256 is right, else a new one.

    A new copy comes from `MIRROR` (environment; a folder or an http address that holds `file.path`) or else
    from `address + file.path`. It takes its place only whole and checked; nothing is left of one that fails.

    Raises InputError for a path that leaves the folder, a file without sha256, a source that cannot be
    reached or does not hold the file, and bytes with another sha256.
    """
    plain = PurePosixPath(file.path)
    if plain.is_absolute() or ".." in plain.parts or not plain.parts or "\\" in file.path:
        raise InputError(
            f"'{file.path}' is no path inside {folder}: name the corpus's file relative to its "
            "address, without '..'"
        )
    if file.sha256 is None:
        raise InputError(
            f"{file.path} has no sha256: give the one that its publisher states, "
            "so that the copy from the network can be checked"
        )
    expected, target = file.sha256.lower(), folder / plain
    try:
        if target.is_file() and sha256(target) == expected:
            return target
        mirror = os.environ.get("MIRROR", "")
        source = f"{mirror.rstrip('/')}/{file.path}" if mirror else address + file.path
        folder.mkdir(parents=True, exist_ok=True)
        # A folder of its own beside the target: gone whatever happens, Ctrl-C included.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
            copy = Path(scratch) / plain.name
            _copy(source, copy, local=bool(mirror))
            _check(copy, expected, source, target)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(copy, target)
    except OSError as error:  # those of requests among them
        raise InputError(
            f"{file.path} could not be had ({_cause(error)}): put the file at {target} "
            f"(sha256 {expected}) or name a local mirror with MIRROR="
        ) from error
    return target


def _copy(source: str, copy: Path, local: bool) -> None:
    if source.startswith(("http://", "https://")):
        # Uncompressed in transit: the checksum is that of the file, and the bar's total that of its bytes.
        with ExitStack() as responses:  # pooch leaves those that fail open

            def close_later(response: Any, **_: Any) -> None:
                responses.callback(response.close)

            download = pooch.HTTPDownloader(
                progressbar=sys.stderr.isatty(), chunk_size=2**16, timeout=TIMEOUT,
                headers={"Accept-Encoding": "identity"}, hooks={"response": close_later},
            )  # fmt: skip
            download(quote(source, safe=":/?&=%@[]"), str(copy), None)
    elif local:
        shutil.copyfile(source, copy)
    else:
        raise OSError(f"'{source}' is no http address")


def _check(copy: Path, expected: str, source: str, target: Path) -> None:
    found = sha256(copy)
    if found != expected:
        raise InputError(
            f"{source} has sha256 {found} where {expected} was expected: "
            f"it was changed or garbled; put the right file at {target}, or, if the new "
            "one is right, state its sha256 in the corpus's file"
        )


def _cause(error: BaseException) -> str:
    """The innermost cause, in short: libraries wrap "Connection refused" four times over."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)[:200] or type(error).__name__

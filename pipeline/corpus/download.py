"""Corpus files, downloaded once and checked: from where they lie already, a mirror, or their address."""

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


def fetch(address: str, file: File, folder: Path, mirror: str = "") -> Path:
    """Return the path of `file` under `folder`: the copy there if its sha256 is right, else a new one.

    A new copy comes from `mirror` (a folder or an http address that holds `file.path`) or else from
    `address + file.path`. It takes its place only whole and checked; nothing is left of one that fails.

    Raises InputError for a path that leaves the folder, a file without sha256, a source that cannot be
    reached or does not hold the file, and bytes with another sha256.
    """
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in file.path:
        raise InputError(
            f"'{file.path}' is no path inside {folder}: name the corpus's file relative to its "
            "address, without '..'"
        )
    if file.sha256 is None:
        raise InputError(
            f"{file.path} has no sha256: give the one that its publisher states, "
            "so that the copy from the network can be checked"
        )
    expected, target = file.sha256.lower(), folder / path
    source = f"{mirror.rstrip('/')}/{file.path}" if mirror else address + file.path
    try:
        if target.is_file() and sha256(target) == expected:
            return target
        folder.mkdir(parents=True, exist_ok=True)
        # pooch.retrieve would leave its folders behind a failure, and the file readable by its owner alone.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
            copy = Path(scratch) / path.name
            _copy(source, copy, local=bool(mirror))
            actual = sha256(copy)
            if actual != expected:
                raise InputError(
                    f"{source} has sha256 {actual} where {expected} was expected: it was changed or garbled; "
                    f"put the right file at {target}, or, if the new one is right, state its sha256 in the "
                    "corpus's file"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(copy, target)
    except OSError as error:  # includes those of requests
        raise InputError(
            f"{file.path} could not be downloaded ({_innermost_cause(error)}): put the file at {target} "
            f"(sha256 {expected}) or name a local mirror",
            option="mirror",
        ) from error
    return target


def _copy(source: str, copy: Path, local: bool) -> None:
    if source.startswith(("http://", "https://")):
        with ExitStack() as responses:  # pooch leaves failed ones open

            def close_later(response: Any, **_: Any) -> None:
                responses.callback(response.close)

            # Uncompressed in transit, as both the checksum and the progress bar's total are of the file.
            download = pooch.HTTPDownloader(
                progressbar=sys.stderr.isatty(), chunk_size=2**16, timeout=TIMEOUT,
                headers={"Accept-Encoding": "identity"}, hooks={"response": close_later},
            )  # fmt: skip
            download(quote(source, safe=":/?&=%@[]"), str(copy), None)
    elif local:
        shutil.copyfile(source, copy)
    else:
        raise OSError(f"'{source}' is no http address")


def _innermost_cause(error: BaseException) -> str:
    """Return the first error of the chain in short: libraries wrap "Connection refused" four times."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)[:200] or type(error).__name__

"""Files of corpora and of vectors, downloaded once and checked: from a mirror, or from their address."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import quote

import pooch

from ..errors import InputError
from ..files import digest, exclusive
from ..options import File
from ..terminal import say
from ..vectors.vector_sources import ADDRESS, DOWNLOADS

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
    correction = ", or, if the new one is right, state its sha256 in the corpus's file"
    checksum = Checksum("sha256", file.sha256.lower(), correction)
    return _fetch(
        [_join(mirror, file.path) if mirror else address + file.path], file.path, checksum, folder, mirror
    )


def fetch_vectors(name: str, folder: Path, mirror: str = "") -> Path:
    """Return the path of vectors that have a name in DOWNLOADS, under `folder`: the copy there, or a new one.

    `mirror` is a folder or an http address that holds `<name>/<name>.gz`, as gensim keeps it, or `<name>.gz`.
    Of several processes that ask for the same one downloads it. Raises InputError as `fetch` does.
    """
    path = f"{name}/{name}.gz"
    sources = [_join(mirror, path), _join(mirror, f"{name}.gz")] if mirror else [ADDRESS + path]
    with exclusive(folder / f".{name}.lock"):
        if not (folder / path).exists():
            say(f"{name}: {DOWNLOADS[name].bytes / 1e6:,.0f} MB are downloaded, and kept in {folder}")
        return _fetch(sources, path, Checksum("md5", DOWNLOADS[name].md5), folder, mirror)


@dataclass(frozen=True)
class Checksum:
    """A file's digest as its publisher states it; `correction` says what to do if another one is right."""

    algorithm: Literal["sha256", "md5"]
    value: str
    correction: str = ""


def _join(mirror: str, path: str) -> str:
    return f"{mirror.rstrip('/')}/{path}"


def _fetch(sources: list[str], path: str, checksum: Checksum, folder: Path, mirror: str) -> Path:
    """Return `folder / path`, which is copied from the first source that has it, or is right already."""
    target, expected = folder / path, checksum.value
    try:
        if target.is_file() and digest(target, checksum.algorithm) == expected:
            return target
        folder.mkdir(parents=True, exist_ok=True)
        # pooch.retrieve would leave its folders behind a failure, and the file readable by its owner alone.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
            copy = Path(scratch) / target.name
            source = _copy_first(sources, copy, local=bool(mirror))
            actual = digest(copy, checksum.algorithm)
            if actual != expected:
                raise InputError(
                    f"{source} has {checksum.algorithm} {actual} where {expected} was expected: it was "
                    f"changed or garbled; put the right file at {target}{checksum.correction}"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(copy, target)
    except OSError as error:  # includes those of requests
        raise InputError(
            f"{path} could not be downloaded ({_innermost_cause(error)}): put the file at {target} "
            f"({checksum.algorithm} {expected}) or name a local mirror",
            option="mirror",
        ) from error
    return target


def _copy_first(sources: list[str], copy: Path, local: bool) -> str:
    """Copy the first source that can be reached, and return it."""
    *others, last = sources
    for source in others:
        with suppress(OSError):
            _copy(source, copy, local)
            return source
    _copy(last, copy, local)
    return last


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

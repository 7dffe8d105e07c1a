"""Files of object stores, with the part of `pathlib.Path` that readers of tables use."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ..errors import InputError, is_lack_of_memory
from ..terminal import has_secret, shorten, without_password

PACKAGES = {  # by scheme: where fsspec's file system for it is
    "s3": "s3fs",
    "gs": "gcsfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "az": "adlfs",
    "hdfs": "fsspec",
}
SCHEMES = ", ".join(f"{scheme}://" for scheme in PACKAGES)
BLOCK_BYTES = 8 << 20  # that a stream asks for at once: a request takes as long as a megabyte
READ_ATTEMPTS = 3
REASON_CHARACTERS = 300

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT = re.compile(r":\d+$")
_VERSION = re.compile(r"\?versionid=", re.IGNORECASE)


class Status(NamedTuple):
    """What is known of a file, by the name that `os.stat_result` has for it."""

    st_size: int


class RemoteFile:
    """A file of an object store, by its address, such as s3://bucket/key.csv; nothing is asked before a call.

    Raises InputError for an address that names no file of a store that is known, and every method for what
    the store does not do. No message shows a secret.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._scheme, _, rest = address.partition("://")
        bucket, _, key = rest.partition("/")
        _check_scheme(self._scheme)
        if has_secret(address):
            raise InputError(
                f"{self._scheme}://...: there is a key, a token or a signature in the address: "
                "leave them to the environment or a profile"
            )
        if ":" in (_PORT.sub("", bucket) if self._scheme == "hdfs" else bucket):
            raise InputError(
                f"{self._scheme}://...: there is a colon in the bucket's name, as before a password: "
                "leave keys to the environment or a profile"
            )
        if not key or (not bucket and self._scheme != "hdfs"):
            raise InputError(f"{address}: expected {self._scheme}://, a bucket, / and the name of a file")
        if key.endswith("/"):
            raise InputError(f"{address} is a folder: name a file; of images, copy the folder here")
        if {".", ".."} & set(key.split("/")):
            raise InputError(f"{address}: a part of the name is . or .., which stores take differently")
        if _VERSION.search(key):
            raise InputError(f"{address}: a version of a file is not read: copy it to a name of its own")
        self.name = key.rpartition("/")[2]

    def __str__(self) -> str:
        return self._address

    def __eq__(self, other: object) -> bool:
        """Compare by what is meant: az:// and abfs:// are two names of one store.

        Hosts and accounts have several names, too: files that differ in these alone are taken for one.
        """
        if not isinstance(other, RemoteFile):
            return NotImplemented
        mine, others = (PACKAGES[file._scheme] for file in (self, other))
        return mine == others and self._path == other._path

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix

    @property
    def identity(self) -> dict[str, str]:
        """What differs once the content does: the address, and a digest of all that the store says of it."""
        with self._errors("read"):
            return {"address": self._address, "state": str(self._system.ukey(self._path))}

    def exists(self) -> bool:
        return bool(self._kind)

    def is_file(self) -> bool:
        return self._kind == "file"

    def is_dir(self) -> bool:
        return self._kind == "directory"

    def stat(self) -> Status:
        return Status(self._info["size"])

    def open(self, mode: str = "rb", buffering: int = BLOCK_BYTES) -> io.BufferedReader:
        """Return the content as a stream that asks the store for `buffering` bytes at a time."""
        with self._errors("read"):
            stream = self._system.open(self._path, mode, cache_type="none")
            return io.BufferedReader(_Content(self, stream, int(stream.size)), buffering)

    def read(self, stream: Any, start: int, count: int) -> bytes:
        """Return up to `count` bytes of an open stream, at least one; fail only after a few attempts."""
        with self._errors("read"):
            for attempt in range(1, READ_ATTEMPTS + 1):
                try:
                    stream.seek(start)
                    if data := bytes(stream.read(count)):
                        return data
                except Exception:
                    if attempt == READ_ATTEMPTS:
                        raise
            raise EOFError(f"it ends after {start:,} bytes")

    def check_target(self) -> None:
        """Raise InputError if no file can be written here, as far as the store tells it."""
        bucket = self._path.partition("/")[0] or "/"
        with self._errors("written"):
            try:
                self._system.info(bucket)
                is_folder = self._system.isdir(self._path)
            except Exception as error:
                if _is_refusal(error):  # who may write need not be allowed to look
                    return
                if not isinstance(error, FileNotFoundError):
                    raise
                raise InputError(f"{self}: there is no {bucket}: create it first", option="output") from error
        if is_folder:
            raise InputError(f"{self} is a folder", option="output")

    def put(self, path: Path) -> None:
        """Replace the content by that of a local file: the old one is there, or the new, and never a part.

        In Hadoop alone there is neither for a moment.
        """
        from . import filesystems

        with self._errors("written"):
            filesystems.put(self._system, path, self._path)

    def remove(self) -> None:
        """Remove the file, if there is one: where the store does not let it be looked for, there is none."""
        with self._errors("removed"):
            try:
                is_there = self._system.exists(self._path)
            except Exception as error:
                if not _is_refusal(error):
                    raise
                return
            if is_there:
                self._system.rm_file(self._path)

    @cached_property
    def _system(self) -> Any:
        from . import filesystems

        filesystems.check_installed(PACKAGES[self._scheme])
        with self._errors("read"):
            return filesystems.of_address(self._scheme, self._address)

    @cached_property
    def _path(self) -> str:
        """The name of the file for its file system."""
        path = str(self._system._strip_protocol(self._address))
        if not path.endswith(self.name):
            raise InputError(f"{self}: {self._scheme}:// cannot have such a name: leave out ? and #")
        return path

    @cached_property
    def _info(self) -> dict[str, Any]:
        """What the store says of the file; of one that is not there, nothing."""
        with self._errors("read"):
            try:
                return dict(self._system.info(self._path))
            except FileNotFoundError:
                return {}

    @property
    def _kind(self) -> str:
        return str(self._info.get("type", ""))

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        """Turn whatever a store's library raises into an InputError that shows no secret."""
        try:
            yield
        except (InputError, ModuleNotFoundError):  # the command line says what to install
            raise
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            reason = shorten(without_password(str(error)) or type(error).__name__, REASON_CHARACTERS)
            reason = "; ".join([*getattr(error, "__notes__", []), reason])
            remedy = "check the address, the connection and the store's settings in the environment"
            if _is_refusal(error):
                remedy = "check the keys or the profile in the environment, and what they allow"
            raise InputError(f"{self} cannot be {done} ({reason}): {remedy}") from error


class _Content(io.RawIOBase):
    """The bytes of an open file, of which each is read, or an error is raised."""

    def __init__(self, file: RemoteFile, stream: Any, size: int) -> None:
        self._file, self._stream, self._size = file, stream, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._size - self._position)
        if count <= 0:
            return 0
        data = self._file.read(self._stream, self._position, count)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


Location: TypeAlias = Path | RemoteFile


def locate(text: str) -> Location:
    """Return the file or folder that a text names: a path of this machine, or an address."""
    return RemoteFile(text) if _ADDRESS.match(text) else Path(text)


def check_local(text: str) -> None:
    """Raise InputError for an address where only a path of this machine is read."""
    if _ADDRESS.match(text):
        raise InputError(
            f"{without_password(text)} is an address, and this is read from a path of this machine alone: "
            "download it (`predict` takes an address as INPUT and OUTPUT)"
        )


def _check_scheme(scheme: str) -> None:
    if scheme not in PACKAGES:
        raise InputError(f"{scheme}:// is no store that is known: expected a path, or one of {SCHEMES}")


def _is_refusal(error: BaseException | None) -> bool:
    """Return whether a store denied access, which libraries say in several ways.

    gcsfs raises a plain OSError, and FileNotFoundError after it for an empty bucket that is denied a look at;
    Azure's errors have a status.
    """
    if error is None:
        return False
    by_text = isinstance(error, OSError) and str(error).startswith("Forbidden")
    by_status = getattr(error, "status_code", None) == 403
    is_said = isinstance(error, PermissionError) or by_text or by_status
    return is_said or _is_refusal(error.__cause__ or error.__context__)

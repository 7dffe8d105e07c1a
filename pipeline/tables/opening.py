"""Opening what may be a CSV file: its kind, gzip or plain, its encoding and byte order mark."""

from __future__ import annotations

import codecs
import gzip
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import NamedTuple, cast

from ..errors import InputError

_GZIP = b"\x1f\x8b"
_KINDS = (
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive", "save the sheet as CSV (UTF-8), or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV (UTF-8)"),
    (b"PAR1\x15", "a Parquet file", "convert it to CSV, for example with pandas"),
    (b"%PDF-", "a PDF document", "export its table as CSV"),
    (b"\x89PNG", "a PNG image", "name the CSV file"),
    (b"\xff\xd8\xff", "a JPEG image", "name the CSV file"),
    (b"BZh91AY", "a bzip2 archive", "unpack it, or pack it with gzip"),
    (b"\xfd7zXZ", "an xz archive", "unpack it, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "unpack it, or pack it with gzip"),
)
_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
_UTF_8 = ("utf-8", "utf-8-sig")
_PIECE = 1 << 18  # bytes; the same for every reader, so that an error comes after the same rows
Stream = BufferedReader | gzip.GzipFile


class Opened(NamedTuple):
    """A file's bytes, and its codec by name."""

    raw: BufferedReader  # as they lie on disk; the position tells the progress
    stream: Stream  # unpacked
    codec: str
    size: int  # of the file, in bytes; 0 for standard input

    @property
    def is_utf_8(self) -> bool:
        return self.codec in _UTF_8

    @property
    def is_seekable(self) -> bool:
        """Whether a place in the text in UTF-8 is one in the file, to be gone to without reading."""
        return self.is_utf_8 and self.stream is self.raw and self.raw.seekable()

    def pieces(self) -> Iterator[bytes]:
        """The text in UTF-8, whole characters at a time. Bytes that cannot be decoded cost a row, not the
        file, wherever a codec can go on after them: they come as lone surrogates, of three bytes each.

        Raises UnicodeError where a codec cannot, and what the file system and gzip raise.
        """
        decode = partial(_decode_utf_8, bytearray()) if self.is_utf_8 else _decoder(self.codec)
        while piece := self.stream.read1(_PIECE):
            yield decode(piece, False)
        yield decode(b"", True)


@contextmanager
def open_csv(path: Path | None, encoding: str) -> Iterator[Opened]:
    """Open a file, or standard input, for one pass; closed on leaving. A byte order mark may still stand
    before the header.

    Raises InputError for what is no file, of a kind that is not CSV, or of another encoding by its mark, and
    for an unknown encoding; what the file system and gzip raise is the caller's to name.
    """
    name = str(path) if path else "standard input"
    if path and not path.is_file():
        other = "is not a regular file" if path.exists() else "does not exist"
        raise InputError(f"{path} {'is a folder' if path.is_dir() else other}: name a CSV file")
    with ExitStack() as stack:
        raw: BufferedReader = stack.enter_context(
            path.open("rb") if path else BufferedReader(_StandardInput())
        )
        size = os.fstat(raw.fileno()).st_size if path else 0
        stream: Stream = raw
        if (path and path.suffix == ".gz") or raw.peek(2).startswith(_GZIP):
            stream = stack.enter_context(gzip.GzipFile(fileobj=raw))
        start = stream.peek(16)
        _check_kind(start, name)
        yield Opened(raw, stream, _codec(start, name, encoding), size)


class _StandardInput(RawIOBase):
    """Reads are filled, so that the first bytes tell the kind however slowly they come, and counted."""

    def __init__(self) -> None:
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = cast(BufferedReader, sys.stdin.buffer).readinto(buffer)
        self._count += count
        return count

    def tell(self) -> int:
        return self._count


def _check_kind(start: bytes, name: str) -> None:
    """Refuse what is surely no text by its first bytes."""
    for magic, kind, remedy in _KINDS:
        if start.startswith(magic):
            raise InputError(f"{name} looks like {kind}, not like CSV: {remedy}")


def _codec(start: bytes, name: str, encoding: str) -> str:
    try:
        "".encode(encoding)  # refuses codecs that are not for text
        codec = codecs.lookup(encoding).name
        codecs.getincrementaldecoder(codec)
    except (LookupError, ValueError) as error:
        raise InputError(
            f"{name}: '{encoding}' is not a text encoding known to Python: "
            "expected, for example, utf-8, windows-1252 or utf-16",
            option="source.encoding",
        ) from error
    mark = next((family for bom, family in _BOMS if start.startswith(bom)), None)
    if mark and not codec.startswith(mark):
        raise InputError(f"{name} is {mark} by its byte order mark, not {encoding}", option="source.encoding")
    return codec


def _decode_utf_8(held: bytearray, piece: bytes, final: bool) -> bytes:
    """The piece as it is, where it is UTF-8; a character cut at its end is held for the next one."""
    if not held and piece.isascii():
        return piece
    data = bytes(held) + piece
    try:
        _, used = codecs.utf_8_decode(data, "strict", final)
        text = data[:used]
    except UnicodeDecodeError:
        characters, used = codecs.utf_8_decode(data, "surrogateescape", final)
        text = characters.encode("utf-8", "surrogatepass")
    held[:] = data[used:]
    return text


def _decoder(codec: str) -> Callable[[bytes, bool], bytes]:
    errors = "strict" if codec.startswith(("utf-16", "utf-32")) else "surrogateescape"
    decoder = codecs.getincrementaldecoder(codec)(errors)
    return lambda piece, final: decoder.decode(piece, final).encode("utf-8", "surrogatepass")

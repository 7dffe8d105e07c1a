"""Opening what may be a CSV file: its kind, gzip or plain, its encoding and byte order mark."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple, cast

from pipeline.errors import InputError

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


class Opened(NamedTuple):
    """The file's own bytes, whose position tells the progress; its text; and the codec's name."""

    raw: BufferedReader
    text: TextIOWrapper
    codec: str


@contextmanager
def open_csv(path: Path, encoding: str) -> Iterator[Opened]:
    """Open for one pass, closed on leaving. A byte order mark may still stand before the header.

    Raises InputError for what is no file, of a kind that is not CSV, or of another encoding by its mark, and
    for an unknown encoding; what the file system and gzip raise is the caller's to name.
    """
    if not path.is_file():
        other = "is not a regular file" if path.exists() else "does not exist"
        raise InputError(f"{path} {'is a folder' if path.is_dir() else other}: name a CSV file")
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        text, codec = _decoded(_plain(raw, path, stack), path, encoding)
        yield Opened(raw, stack.enter_context(text), codec)


def _plain(raw: BufferedReader, path: Path, stack: ExitStack) -> IO[bytes]:
    """The file's bytes, unpacked; what is surely no text is refused by its first bytes."""
    stream: BufferedReader | gzip.GzipFile = raw
    if path.suffix == ".gz" or raw.peek(2).startswith(_GZIP):
        stream = stack.enter_context(gzip.GzipFile(fileobj=raw))
    start = stream.peek(16)
    for magic, kind, remedy in _KINDS:
        if start.startswith(magic):
            raise InputError(f"{path} looks like {kind}, not like CSV: {remedy}")
    return cast(IO[bytes], stream)


def _decoded(stream: IO[bytes], path: Path, encoding: str) -> tuple[TextIOWrapper, str]:
    try:
        codec = codecs.lookup(encoding).name
        # Bytes that cannot be decoded cost a row, not the file, wherever a codec can go on after them.
        errors = "strict" if codec.startswith(("utf-16", "utf-32")) else "surrogateescape"
        text = TextIOWrapper(stream, encoding, errors, newline="")
    except (LookupError, ValueError) as error:
        raise InputError(
            f"{path}: '{encoding}' is not a text encoding known to Python: "
            "set ENCODING= to, for example, utf-8, windows-1252 or utf-16"
        ) from error
    start = cast(BufferedReader, stream).peek(4)
    mark = next((family for bom, family in _BOMS if start.startswith(bom)), None)
    if mark and not codec.startswith(mark):
        raise InputError(f"{path} is {mark} by its byte order mark, not {encoding}: set ENCODING={mark}")
    return text, codec

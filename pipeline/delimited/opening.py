"""The opening of a CSV file: its kind, gzip or plain, its encoding and byte order mark."""

from __future__ import annotations

import codecs
import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BufferedReader, RawIOBase
from typing import NamedTuple, cast

from ..errors import InputError
from ..stores.remote_file import Location

READ_ERRORS = (OSError, EOFError, zlib.error, UnicodeError)  # what reading an opened file may raise

_GZIP_MAGIC = b"\x1f\x8b"
_OTHER_KINDS = (  # the first bytes, the kind and the remedy
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive", "give its name the ending .xlsx, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV (UTF-8)"),
    (b"PAR1\x15", "a Parquet file", "give its name the ending .parquet"),
    (b"%PDF-", "a PDF document", "export its table as CSV"),
    (b"\x89PNG", "a PNG image", "name the CSV file"),
    (b"\xff\xd8\xff", "a JPEG image", "name the CSV file"),
    (b"BZh91AY", "a bzip2 archive", "unpack it, or pack it with gzip"),
    (b"\xfd7zXZ", "an xz archive", "unpack it, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "unpack it, or pack it with gzip"),
)
_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_UTF_8_CODECS = ("utf-8", "utf-8-sig")
_PIECE_BYTES = 1 << 18  # the same for every reader, so that an error comes after the same rows

Stream = BufferedReader | gzip.GzipFile


class CsvSource(NamedTuple):
    """An open file or standard input, and the name of its codec."""

    raw: BufferedReader  # the bytes as stored; its position tells the progress
    stream: Stream  # the bytes after decompression
    codec: str
    is_marked: bool  # it begins with a byte order mark, which says the codec
    size: int  # of the file, in bytes; 0 for standard input

    @property
    def is_utf_8(self) -> bool:
        return self.codec in _UTF_8_CODECS

    @property
    def is_seekable(self) -> bool:
        """True if offsets in the text in UTF-8 are offsets in the file, so that no reading is needed."""
        return self.is_utf_8 and self.stream is self.raw and self.raw.seekable()

    def pieces(self) -> Iterator[bytes]:
        """Yield the text in UTF-8, in pieces of whole characters.

        A byte that cannot be decoded becomes a lone surrogate of three bytes, so that it costs a row and not
        the file. Raises UnicodeError where a codec cannot continue after such a byte, and what the file
        system and gzip raise.
        """
        decode = partial(_decode_utf_8, bytearray()) if self.is_utf_8 else _make_decoder(self.codec)
        while piece := self.stream.read1(_PIECE_BYTES):
            yield decode(piece, False)
        yield decode(b"", True)


@contextmanager
def open_csv(path: Location | None, encoding: str) -> Iterator[CsvSource]:
    """Open a file, or standard input, for one pass, and close it on leaving.

    A byte order mark says the encoding, whatever `encoding` is; the text may still begin with it. Raises
    InputError for a path that is no file, a file that is not CSV, and an unknown encoding; `READ_ERRORS` pass
    through, for the caller to report with `read_error`.
    """
    name = str(path) if path else "standard input"
    if path and not path.is_file():
        problem = "is not a regular file" if path.exists() else "does not exist"
        raise InputError(f"{path} {'is a folder' if path.is_dir() else problem}: name a CSV file")
    with ExitStack() as stack:
        raw: BufferedReader = stack.enter_context(
            path.open("rb") if path else BufferedReader(_StandardInput())
        )
        size = path.stat().st_size if path else 0
        stream: Stream = raw
        if (path and path.suffix == ".gz") or raw.peek(2).startswith(_GZIP_MAGIC):
            stream = stack.enter_context(gzip.GzipFile(fileobj=raw))
        first_bytes = stream.peek(16)
        _check_kind(first_bytes, name)
        codec = _find_codec(name, encoding)
        marked = next((family for mark, family in _MARKS if first_bytes.startswith(mark)), None)
        yield CsvSource(raw, stream, marked or codec, marked is not None, size)


def read_error(error: Exception, name: str, line: int, encoding: str) -> InputError:
    """Return the error to report for one of `READ_ERRORS` that was raised after that line of the file."""
    if isinstance(error, UnicodeError):
        return InputError(f"{name}, after line {line}: not {encoding} ({error})", option="source.encoding")
    if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
        return InputError(
            f"{name}, after line {line}: damaged or no gzip data ({error}): "
            "copy the file again; drop .gz from its name if it is not packed"
        )
    reason = getattr(error, "strerror", None) or error
    return InputError(f"{name}: cannot be read ({reason}): check the file and its permissions")


class _StandardInput(RawIOBase):
    """Standard input that counts the bytes read.

    A read waits until the buffer is full, so that the first bytes tell the kind however slowly they arrive.
    """

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


def _check_kind(first_bytes: bytes, name: str) -> None:
    """Raise InputError if the first bytes are those of another kind of file."""
    for magic, kind, remedy in _OTHER_KINDS:
        if first_bytes.startswith(magic):
            raise InputError(f"{name} looks like {kind}, not like CSV: {remedy}")


def _find_codec(name: str, encoding: str) -> str:
    """Return the name of the encoding's codec. Raises InputError for an unknown encoding."""
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
    return codec


def _decode_utf_8(incomplete: bytearray, piece: bytes, final: bool) -> bytes:
    """Return the piece unchanged where it is UTF-8, without the character that is cut at its end.

    That character waits in `incomplete` for the next piece.
    """
    if not incomplete and piece.isascii():
        return piece
    data = bytes(incomplete) + piece
    try:
        _, used = codecs.utf_8_decode(data, "strict", final)
        text = data[:used]
    except UnicodeDecodeError:
        characters, used = codecs.utf_8_decode(data, "surrogateescape", final)
        text = characters.encode("utf-8", "surrogatepass")
    incomplete[:] = data[used:]
    return text


def _make_decoder(codec: str) -> Callable[[bytes, bool], bytes]:
    # UTF-16 and UTF-32 lose their alignment after a bad byte: nothing that follows could be trusted.
    errors = "strict" if codec.startswith(("utf-16", "utf-32")) else "surrogateescape"
    decoder = codecs.getincrementaldecoder(codec)(errors)
    return lambda piece, final: decoder.decode(piece, final).encode("utf-8", "surrogatepass")

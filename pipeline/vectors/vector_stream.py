"""Files of pretrained vectors as streams, opened and recognised by their content."""

from __future__ import annotations

import gzip
import io
import math
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import mode
from typing import BinaryIO, cast

from ..errors import InputError
from ..progress import Bar

MAX_DIMENSIONS = 10_000
MAX_WORD_BYTES = 10_000
MAX_NUMBER_BYTES = 50  # a number in digits and the blank before it
MAX_LINE_BYTES = MAX_WORD_BYTES + MAX_NUMBER_BYTES * MAX_DIMENSIONS
BLOCK_BYTES = 1 << 22  # read at a time
SAMPLE_LINES = 10  # from which the dimensions of a file without a header are taken

_HEADER = re.compile(rb"\s*(\d{1,100})\s+(\d{1,100})\s*")
_FORMATS = "word2vec (text or binary), GloVe or fastText's .vec, plain or gzipped"
_GZIP_MAGIC = b"\x1f\x8b"
_FOREIGN_MAGIC = {
    b"\x80": "a pickle (gensim's .kv or .model): export it with save_word2vec_format(path, binary=True)",
    b"\xba\x16\x4f\x2f": "fastText's .bin: use the .vec file of the same name",
    b"PK\x03\x04": "a zip archive: unpack it, and name the file inside",
    b"BZh": "a bzip2 file: unpack it",
    b"\xfd7zXZ": "an xz file: unpack it",
}


class VectorStream:
    """A file of vectors, unpacked, that stands at its first vector.

    `count` is the number of vectors that the header claims, None without a header. `dimensions` is the
    header's, or else the most common one among the first lines. `is_text` is false for the binary format.
    Once all lines were read, `ends_in_line` says whether the last one has no end.
    """

    def __init__(self, path: Path, raw: io.FileIO, stream: BinaryIO, bar: Bar) -> None:
        """`stream` is `raw` unpacked, behind the byte order mark; `bar` counts the bytes of `raw`."""
        self.path = path
        self.ends_in_line = False
        self._raw, self._stream, self._bar = raw, stream, bar
        start = stream.tell()
        if header := _HEADER.fullmatch(stream.readline(MAX_LINE_BYTES)):
            start = stream.tell()
        else:
            stream.seek(start)
        self.count = int(header[1]) if header else None
        self.dimensions = int(header[2]) if header else self._guess_dimensions()
        if self.count == 0 or not 0 < self.dimensions <= MAX_DIMENSIONS:
            claim = "has" if self.count is None else f"claims {self.count} words of"
            raise self.error(
                f"line 1 {claim} {self.dimensions} numbers",
                f"some words, of 1 to {MAX_DIMENSIONS:,} numbers each; choose another file",
            )
        stream.seek(start)
        first_line = next(filter(None, self.lines()), b"")
        self.is_text = not header or _has_digits(first_line, self.dimensions)
        stream.seek(start)

    def _guess_dimensions(self) -> int:
        """Return the most common count of numbers in the first lines; raise InputError if that is 0.

        Line 1 alone does not tell: it may be a phrase, `9 to 5 0.5 0.25`, or damaged.
        """
        sample = filter(None, islice(self.lines(), SAMPLE_LINES))
        dimensions = mode([_count_trailing_numbers(line) for line in sample] or [0])
        if not dimensions:
            raise self.error("line 1: no header, and no word with numbers", f"{_FORMATS}; export it so")
        return dimensions

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that follow, without their ends and with blanks for tabs.

        No word of a vocabulary holds a tab or a blank.
        """
        line = b"\n"
        for line in iter(partial(self._stream.readline, MAX_LINE_BYTES), b""):
            yield line.rstrip().replace(b"\t", b" ")
        self.ends_in_line = not line.endswith(b"\n")

    def read_block(self) -> bytes:
        """Return up to BLOCK_BYTES bytes that follow, none at the end of the file."""
        block = self._stream.read(BLOCK_BYTES)
        self.show_progress()
        return block

    def show_progress(self) -> None:
        self._bar.update(self._raw.tell() - self._bar.n)

    def error(self, finding: str, expected: str) -> InputError:
        """Return the error for a file that is not of the expected kind."""
        return InputError(f"{self.path}: {finding}; expected {expected}")

    def damage(self, place: str, finding: str, expected: str) -> InputError:
        """Return the error for a file that is damaged at a place, such as `line 2`."""
        return self.error(f"{place}: {finding}", f"{expected}; it is damaged: download or export it again")


@contextmanager
def open_vectors(path: Path) -> Iterator[VectorStream]:
    """Open a file of vectors, plain or gzipped.

    Raises InputError for a file that is missing or of a foreign format, and for whatever the file system or
    gzip report, in the `with` block too.
    """
    try:
        # A pipe would hang, and cannot be wound back.
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: not a file; expected {_FORMATS}; correct embed.vectors")
        with open(path, "rb", buffering=0) as raw:
            gzipped = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            raw.seek(0)
            # Buffered once more, since GzipFile is written in Python, and slow line by line.
            unpacked = cast(io.RawIOBase, gzip.GzipFile(fileobj=raw)) if gzipped else raw
            stream: BinaryIO = io.BufferedReader(unpacked, BLOCK_BYTES)
            beginning = stream.read(8)
            if not beginning:
                raise InputError(
                    f"{path}: the file is empty; expected {_FORMATS}; download or export it again"
                )
            for magic, description in _FOREIGN_MAGIC.items():
                if beginning.startswith(magic):
                    raise InputError(f"{path}: this is {description}; expected {_FORMATS}")
            stream.seek(len(BOM_UTF8) if beginning.startswith(BOM_UTF8) else 0)
            with Bar(path.name, path.stat().st_size, unit="B", unit_scale=True) as bar:
                yield VectorStream(path, raw, stream, bar)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected {_FORMATS}; correct embed.vectors") from None
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: cannot be read: {error}; expected a whole, readable file; download it again"
        raise InputError(message) from None


def parse_number(field: bytes) -> float:
    """Return the number that a field holds, NaN if it holds none."""
    try:
        return float(field)
    except ValueError:
        return math.nan


def is_number(field: bytes) -> bool:
    """Tell whether a field stands for a number, be it `nan` or `inf`."""
    return not math.isnan(parse_number(field)) or field.lower().lstrip(b"+-") == b"nan"


def _count_trailing_numbers(line: bytes) -> int:
    """Return how many numbers a line ends in, without the first field, which is a word in any case."""
    fields = line.split(b" ")[:0:-1]
    return next((count for count, field in enumerate(fields) if not is_number(field)), len(fields))


def _has_digits(line: bytes, dimensions: int) -> bool:
    """Tell whether a line is a word and numbers in digits, of which fewer than half may be damaged."""
    fields = line.rsplit(b" ", dimensions)[1:]
    return 2 * sum(map(is_number, fields)) > len(fields)

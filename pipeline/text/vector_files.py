"""Vectors from a file of pretrained ones, read as a stream."""

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
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..errors import InputError
from .learned_vectors import FIRST_WORD, Matrix, Rows, assembled

MOST_DIMENSIONS = 10_000
LONGEST_WORD = 10_000  # bytes
LONGEST_LINE = LONGEST_WORD + 50 * MOST_DIMENSIONS  # bytes
BLOCK = 1 << 22  # bytes a read
PLAUSIBLE = 1e6  # a larger number is damage
FIRST_LINES = 10  # that say how many numbers a line has, where no header does
PHRASE = 100  # bytes in which a word's blanks are looked for

_HEADER = re.compile(rb"\s*(\d{1,100})\s+(\d{1,100})\s*")
_PLAIN = re.compile(rb"[^\x00-\x20\x7f]+")
_FORMATS = "word2vec (text or binary), GloVe or fastText's .vec, plain or gzipped"
_FOREIGN = {
    b"\x80": "a pickle (gensim's .kv or .model): export it with save_word2vec_format(path, binary=True)",
    b"\xba\x16\x4f\x2f": "fastText's .bin: use the .vec file of the same name",
    b"PK\x03\x04": "a zip archive: unpack it, and name the file inside",
    b"BZh": "a bzip2 file: unpack it",
    b"\xfd7zXZ": "an xz file: unpack it",
}


def read_vectors(path: str | Path, words: list[str], seed: int) -> tuple[Matrix, NDArray[np.bool_]]:
    """The words' vectors from a file of pretrained ones, and bool [words]: which of them it has.

    Formats, told by content: word2vec binary, word2vec text and fastText's .vec (with a header line),
    GloVe (without); each may be gzipped. Text may have tabs for blanks, and begin with a byte order mark.
    A word that holds a blank is passed over in text; the binary form has no place for it, and is refused.
    The file is read as a stream, and only the vocabulary's vectors are kept. Words are looked up as they
    are, case included; of a word given twice the first counts. Words that it lacks, and the unknown word,
    are uniform with the variance of those it has (Kim 2014).

    Raises InputError for a file that is missing, of another format, damaged, cut off, or without any of
    the words.
    """
    path = Path(path)
    wanted = {word.encode("utf-8", "surrogatepass"): i for i, word in enumerate(words, FIRST_WORD)}
    with _opened(path) as file:
        rows = _read_text(file, wanted) if file.is_text else _read_binary(file, wanted)
    if not rows:
        raise InputError(
            f"{path}: none of the vocabulary's {len(words):,} words has a vector; expected vectors of the "
            "texts' language and case; choose another file, or embed.vectors=corpus"
        )
    found = np.zeros(len(words), np.bool_)
    found[np.array(list(rows)) - FIRST_WORD] = True
    return assembled(rows, len(words), seed), found


class _File:
    """A stream of vectors, standing at the first of them.

    `count` is what the header claims, None without one; `dimensions` is the header's or that of most of the
    first lines.
    """

    def __init__(self, path: Path, raw: io.FileIO, stream: BinaryIO, bar: tqdm[Any]) -> None:
        self.path, self.raw, self.stream, self.bar = path, raw, stream, bar
        begin = stream.tell()
        header = _HEADER.fullmatch(stream.readline(LONGEST_LINE))
        self.count = int(header[1]) if header else None
        if header:
            begin = stream.tell()
            self.dimensions = int(header[2])
        else:
            stream.seek(begin)
            numbers = [_trailing_numbers(line) for line in islice(self.lines(), FIRST_LINES) if line]
            # Line 1 alone may be a phrase, `9 to 5 0.5 0.25`, or damaged.
            self.dimensions = mode(numbers or [0])
            if not self.dimensions:
                raise self.error("line 1: no header, and no word with numbers", f"{_FORMATS}; export it so")
        if self.count == 0 or not 0 < self.dimensions <= MOST_DIMENSIONS:
            claimed = "has" if self.count is None else f"claims {self.count} words of"
            raise self.error(
                f"line 1 {claimed} {self.dimensions} numbers",
                f"some words, of 1 to {MOST_DIMENSIONS:,} numbers each; choose another file",
            )
        stream.seek(begin)
        self.is_text = not header or _is_written_out(next(filter(None, self.lines()), b""), self.dimensions)
        stream.seek(begin)

    def lines(self) -> Iterator[bytes]:
        """Those that follow, bare."""
        return map(_bare, iter(partial(self.stream.readline, LONGEST_LINE), b""))

    def error(self, found: str, expected: str) -> InputError:
        return InputError(f"{self.path}: {found}; expected {expected}")

    def damaged(self, place: str, found: str, expected: str) -> InputError:
        return self.error(f"{place}: {found}", f"{expected}; it is damaged: download or export it again")

    def progress(self) -> None:
        self.bar.update(self.raw.tell() - self.bar.n)


@contextmanager
def _opened(path: Path) -> Iterator[_File]:
    """Raises InputError for whatever the file system or gzip reports, in the `with` block too."""
    try:
        # A pipe would hang, and cannot be wound back.
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: not a file; expected {_FORMATS}; correct embed.vectors")
        with open(path, "rb", buffering=0) as raw:
            gzipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            # GzipFile is read as a raw stream: it is written in Python, and slow line by line.
            plain = cast(io.RawIOBase, gzip.GzipFile(fileobj=raw)) if gzipped else raw
            stream: BinaryIO = io.BufferedReader(plain, BLOCK)
            start = stream.read(8)
            stream.seek(len(BOM_UTF8) if start.startswith(BOM_UTF8) else 0)
            for magic, what in _FOREIGN.items():
                if start.startswith(magic):
                    raise InputError(f"{path}: this is {what}; expected {_FORMATS}")
            size = path.stat().st_size
            with tqdm(total=size, desc=path.name, unit="B", unit_scale=1, disable=None, leave=False) as bar:
                yield _File(path, raw, stream, bar)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected {_FORMATS}; correct embed.vectors") from None
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: cannot be read: {error}; expected a whole, readable file; download it again"
        raise InputError(message) from None


def _read_binary(file: _File, wanted: dict[bytes, int]) -> Rows:
    """`count` times a word, a blank, little-endian float32 numbers, and in some files a line end.

    Where a word holds a blank, the numbers are read from behind the first, and the next word begins with what
    is left of them. So a word that is no text is looked at more closely.
    """
    count, dimensions = file.count or 0, file.dimensions
    size = 4 * dimensions
    rows: Rows = {}
    buffer, at = b"", 0
    before = 0  # the start of the record before, for `_phrase`
    for number in range(1, count + 1):
        while (space := buffer.find(b" ", at, at + LONGEST_WORD)) < 0 or space + size >= len(buffer):
            if space < 0 and len(buffer) - at >= LONGEST_WORD:
                found = f"no blank in {LONGEST_WORD:,} bytes"
                raise file.damaged(f"word {number:,}", found, "a word and a blank")
            more = file.stream.read(BLOCK)
            if not more:
                expected = f"{count:,} words of {dimensions} numbers, as line 1 claims"
                raise file.damaged(f"word {number:,}", "the file ends", expected)
            buffer, before, at = buffer[before:] + more, 0, at - before
            file.progress()
        word = buffer[at:space].lstrip(b"\n")
        if not _is_plain(word) and (phrase := _phrase(buffer[before:space], at - before, size)):
            found = f"`{phrase}` holds a blank, where the word ends"
            raise file.error(f"word {number - 1:,}: {found}", "words without; export the file as text")
        row = wanted.get(word)
        if row is not None and row not in rows:
            values = np.frombuffer(buffer, "<f4", dimensions, space + 1).astype(np.float32)
            if not np.abs(values).max() < PLAUSIBLE:  # true of NaN, too
                expected = "ordinary numbers behind a word without blanks"
                raise file.damaged(f"word {number:,}", "NaN or beyond 1e6", expected)
            rows[row] = values
        before, at = at, space + 1 + size
    if buffer[at:].strip() or file.stream.read(BLOCK).strip():
        raise file.damaged(f"after word {count:,}", "the file goes on", f"{count:,} words, as line 1 claims")
    return rows


def _read_text(file: _File, wanted: dict[bytes, int]) -> Rows:
    """Lines of a word and its numbers, parted by single blanks or tabs."""
    dimensions = file.dimensions
    rows: Rows = {}
    lines = 0
    for number, line in enumerate(file.lines(), 2 if file.count else 1):
        if number % 4096 == 0:
            file.progress()
        if not line:
            continue
        lines += 1
        if (fields := line.count(b" ")) != dimensions:
            if fields > dimensions and _is_phrase(line, file):
                continue
            raise file.damaged(f"line {number:,}", f"{fields} numbers", f"a word and {dimensions} numbers")
        row = wanted.get(line[: line.index(b" ")])
        if row is not None and row not in rows:
            values = [_number(field) for field in line.split(b" ")[1:]]
            if not all(abs(value) < PLAUSIBLE for value in values):
                raise file.damaged(f"line {number:,}", "not a number, or beyond 1e6", "ordinary numbers")
            rows[row] = np.array(values, np.float32)
    if file.count not in (None, lines):
        raise file.damaged("line 1", f"claims {file.count:,} words", f"{lines:,}, as many as there are")
    return rows


def _bare(line: bytes) -> bytes:
    """The line without its end, parted by blanks alone. No word of the vocabulary holds either."""
    return line.rstrip().replace(b"\t", b" ")


def _number(field: bytes) -> float:
    """NaN for what is no number."""
    try:
        return float(field)
    except ValueError:
        return math.nan


def _is_number(field: bytes) -> bool:
    """`nan` and `inf` are numbers here: they stand where one should."""
    return not math.isnan(_number(field)) or field.lower().lstrip(b"+-") == b"nan"


def _trailing_numbers(line: bytes) -> int:
    """How many numbers the line ends in, after its first field, which is a word in any case."""
    fields = line.split(b" ")[:0:-1]
    return next((i for i, field in enumerate(fields) if not _is_number(field)), len(fields))


def _is_written_out(line: bytes, dimensions: int) -> bool:
    """Whether the line is a word and numbers in digits; some of them may be damaged."""
    fields = line.rsplit(b" ", dimensions)[1:]
    return 2 * sum(map(_is_number, fields)) > len(fields)


def _is_phrase(line: bytes, file: _File) -> bool:
    """Whether more than one word precedes the numbers: GloVe 840B has `. . .` and `at name@domain.com`.

    A number may be one of these words, as in `route 66`, where a header says how many others there are.
    """
    fields = line.split(b" ")
    words, numbers = fields[1 : -file.dimensions], fields[-file.dimensions :]
    return all(map(_is_number, numbers)) and (file.count is not None or not any(map(_is_number, words)))


def _is_plain(word: bytes) -> bool:
    """Whether it is text without blanks."""
    try:
        return bool(_PLAIN.fullmatch(word)) and (word.isascii() or bool(word.decode()))
    except UnicodeDecodeError:
        return False


def _farthest(numbers: bytes) -> int:
    """How many powers of two lie between 1 and the float32 that is farthest from it, be it large or small."""
    bits = np.frombuffer(numbers, "<u4") & 0x7FFFFFFF  # without the sign
    return int(np.abs((bits[bits > 0] >> 23).astype(np.int64) - 127).max(initial=0))


def _phrase(record: bytes, end: int, size: int) -> str | None:
    """The word at the beginning of a record, if it holds a blank; None if nothing says so.

    Then its numbers, `size` bytes, are odd ones where they were read, behind the first blank and up to `end`,
    and less so behind a later one: they go on in what was read as the next word, which ends `record`.
    """
    least, found = _farthest(record[end - size : end]), None
    parts = record[:PHRASE].split(b" ")
    for count in range(2, len(parts)):
        phrase = b" ".join(parts[:count])
        numbers = record[len(phrase) + 1 :][:size]
        if not _is_plain(parts[count - 1]) or len(numbers) < size:
            break
        if (farthest := _farthest(numbers)) < least:
            least, found = farthest, phrase.lstrip(b"\n").decode(errors="replace")
    return found

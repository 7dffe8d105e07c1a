"""Pretrained vectors of a vocabulary's words, read from a file in a text or binary format."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .matrix import FIRST_WORD, Matrix, assemble_matrix
from .vector_stream import MAX_WORD_BYTES, VectorStream, is_number, open_vectors, parse_number

MAX_MAGNITUDE = 1e6  # a number that is not smaller is damage
MAX_PHRASE_BYTES = 100  # a phrase is looked for in so many bytes of a binary record
PROGRESS_LINES = 4096  # between two updates of the progress bar

TOLERANCE = 0.01  # of the header's count of words, which some programs get wrong by one or a few
MIN_NUMBERS = 8  # that show how a file's numbers are written

_FLOAT32_BYTES = 4
_FLOAT32_MANTISSA_BITS = 23
_FLOAT32_EXPONENT_BIAS = 127
_FLOAT32_MAGNITUDE_MASK = 0x7FFFFFFF  # all bits but the sign
_PRINTABLE = re.compile(rb"[^\x00-\x20\x7f]+")


class FileVectors(NamedTuple):
    """The vectors of the words, whether the file has them, bool [words], and what is odd about the file."""

    matrix: Matrix
    in_file: NDArray[np.bool_]
    warnings: list[str]


def read_vectors(path: str | Path, words: list[str], seed: int, beside_word: str = "") -> FileVectors:
    """Return the vectors of the words from a file.

    Formats, told by content: word2vec binary, word2vec text and fastText's .vec (with a header line),
    GloVe (without); each may be gzipped. Text may have tabs for blanks, and begin with a byte order mark.
    A word that holds a blank is passed over in text; the binary form has no place for it, and is refused.
    The file is read as a stream, and only the vocabulary's vectors are kept. Words are looked up as they
    are, or else in the other case, unless that is a word of the vocabulary; of a word given twice the first
    counts. What matches the regular expression `beside_word` is no part of a word. Words that the file lacks,
    and the unknown word, are uniform with the variance of those it has (Kim 2014).

    Raises InputError for a file that is missing, of another format, damaged, cut off, or without any of
    the words.
    """
    path = Path(path)
    spellings = _spellings(words)
    kept = _Kept({spelling for each in spellings for spelling in each}, re.compile(beside_word.encode()))
    with open_vectors(path) as file:
        warnings = _read_text(file, kept) if file.is_text else _read_binary(file, kept)
    found = (next(filter(kept.vectors.__contains__, each), None) for each in spellings)
    vectors = {
        row: kept.vectors[spelling] for row, spelling in enumerate(found, FIRST_WORD) if spelling is not None
    }
    if not vectors:
        raise InputError(
            f"{path}: none of the vocabulary's {len(words):,} words has a vector; expected vectors of the "
            "texts' language and case; choose another file, or embed.vectors=corpus"
        )
    in_file = np.zeros(len(words), np.bool_)
    in_file[np.array(list(vectors)) - FIRST_WORD] = True
    return FileVectors(assemble_matrix(vectors, len(words), seed), in_file, warnings)


def _spellings(words: list[str]) -> list[list[bytes]]:
    """Return what each word may be in a file, the best first: of `paris` GoogleNews has only `Paris`."""
    vocabulary = set(words)
    spellings = []
    for word in words:
        other = word.capitalize() if word.islower() else word.lower()
        both = [word] if other in vocabulary else [word, other]
        spellings.append([spelling.encode("utf-8", "surrogatepass") for spelling in both])
    return spellings


class _Kept:
    """The first vector of each of the words that are wanted."""

    def __init__(self, wanted: set[bytes], beside_word: re.Pattern[bytes]) -> None:
        self.vectors: dict[bytes, NDArray[np.float32]] = {}
        self._wanted, self._beside_word = wanted, beside_word

    def lacks(self, word: bytes) -> bytes | None:
        """Return the word proper if it is wanted and has no vector yet."""
        if self._beside_word.pattern:
            word = self._beside_word.sub(b"", word)
        return word if word in self._wanted and word not in self.vectors else None


def _read_text(file: VectorStream, kept: _Kept) -> list[str]:
    """Keep the vectors from lines of a word and its numbers, parted by single blanks; return warnings."""
    dimensions = file.dimensions
    count, last, before = 0, b"", b""
    for number, line in enumerate(file.lines(), 2 if file.count else 1):
        if number % PROGRESS_LINES == 0:
            file.show_progress()
        if not line:
            continue
        count, last, before = count + 1, line, last
        if (blanks := line.count(b" ")) != dimensions:
            if blanks > dimensions and _begins_with_phrase(line, file):
                continue
            raise file.damage(f"line {number:,}", f"{blanks} numbers", f"a word and {dimensions} numbers")
        word = kept.lacks(line[: line.index(b" ")])
        if word is not None:
            values = [parse_number(field) for field in line.split(b" ")[1:]]
            if not all(abs(value) < MAX_MAGNITUDE for value in values):  # nor is NaN
                finding = f"not a number, or beyond {MAX_MAGNITUDE:,.0f}"
                raise file.damage(f"line {number:,}", finding, "ordinary numbers")
            kept.vectors[word] = np.array(values, np.float32)
    return [*_count_warnings(file, count), *_end_warnings(file, count, last, before)]


def _count_warnings(file: VectorStream, count: int) -> list[str]:
    """Return a warning if the header's count of words is off by little. Raises InputError if by more."""
    if file.count in (None, count):
        return []
    claim = f"claims {file.count:,} words"
    if not _is_little(file.count, count):
        raise file.damage("line 1", claim, f"{count:,}, as many as there are")
    return [f"line 1 {claim}, and there are {count:,}, which were read"]


def _is_little(claimed: int, count: int) -> bool:
    return abs(claimed - count) <= max(1, TOLERANCE * claimed)


def _end_warnings(file: VectorStream, count: int, last: bytes, before: bytes) -> list[str]:
    """Return a warning if the last line has no end, so that it may be cut. Raises InputError if it is.

    It is where words are missing as well, or its last number breaks off: where all other numbers of the last
    two lines have one count of decimals, and this one has fewer.
    """
    if not file.ends_in_line:
        return []
    *others, number = [*before.split(b" ")[1:], *last.split(b" ")[1:]]
    decimals = {_decimals(other) for other in others}
    is_short = len(others) >= MIN_NUMBERS and len(decimals) == 1 and _decimals(number) < min(decimals)
    if is_short or not is_number(number) or number.endswith(b".") or (file.count or 0) > count:
        finding = f"it ends in `{number.decode(errors='replace')}`, without a line end"
        raise file.damage("the last line", finding, "a whole number and a line end")
    warning = "the last line has no end: if the file was cut there, its last number is wrong"
    return [] if file.count == count else [warning]


def _decimals(number: bytes) -> int:
    return len(number.partition(b".")[2])


def _begins_with_phrase(line: bytes, file: VectorStream) -> bool:
    """Tell whether several words precede the numbers: GloVe 840B has `. . .` and `at name@domain.com`.

    A number may be one of these words, as in `route 66`, only if a header says how many numbers follow.
    """
    fields = line.split(b" ")
    words, numbers = fields[1 : -file.dimensions], fields[-file.dimensions :]
    return all(map(is_number, numbers)) and (file.count is not None or not any(map(is_number, words)))


def _read_binary(file: VectorStream, kept: _Kept) -> list[str]:
    """Keep the vectors from records of a word, a blank and little-endian float32 numbers; return warnings.

    Where a word holds a blank, its numbers are read from behind the first one, and so are wrong; the next
    word begins with what is left of them. So the record before a word that is no text is examined.
    """
    previous, number = (b"", b""), 0
    for number, (raw_word, numbers) in enumerate(_binary_records(file), 1):
        word = raw_word.lstrip(b"\n")
        if number > 1 and not _is_text(word) and (phrase := _find_phrase(*previous, raw_word)):
            finding = f"`{phrase}` holds a blank, where the word ends"
            raise file.error(f"word {number - 1:,}: {finding}", "words without; export the file as text")
        wanted = kept.lacks(word)
        if wanted is not None:
            vector = np.frombuffer(numbers, "<f4").astype(np.float32)
            if not np.abs(vector).max() < MAX_MAGNITUDE:  # nor is NaN
                finding = f"NaN or beyond {MAX_MAGNITUDE:,.0f}"
                raise file.damage(
                    f"word {number:,}", finding, "ordinary numbers behind a word without blanks"
                )
            kept.vectors[wanted] = vector
        previous = raw_word, numbers
    return _count_warnings(file, number)


def _binary_records(file: VectorStream) -> Iterator[tuple[bytes, bytes]]:
    """Yield each record's word, with the line end that may precede it, and the bytes of its numbers.

    Raises InputError if there are far fewer or more records than the header claims, or one is cut.
    """
    claimed, size = file.count or 0, _FLOAT32_BYTES * file.dimensions
    buffer, start = b"", 0
    for number in itertools.count(1):
        while True:
            blank = buffer.find(b" ", start, start + MAX_WORD_BYTES)
            end = blank + 1 + size
            if blank >= 0 and end <= len(buffer):
                break
            if blank < 0 and len(buffer) - start >= MAX_WORD_BYTES:
                finding = f"no blank in {MAX_WORD_BYTES:,} bytes"
                raise file.damage(f"word {number:,}", finding, "a word and a blank")
            block = file.read_block()
            if not block:
                _check_end(file, number - 1, buffer[start:])
                return
            buffer, start = buffer[start:] + block, 0
        word = buffer[start:blank]
        if number > claimed and not (_is_little(claimed, number) and _is_text(word.lstrip(b"\n"))):
            raise _more_than_claimed(file, number - 1)
        yield word, buffer[blank + 1 : end]
        start = end


def _check_end(file: VectorStream, count: int, rest: bytes) -> None:
    """Raise InputError where a file ends in a record, or long before it has the words that it claims."""
    claimed = file.count or 0
    if count >= claimed and rest.strip():
        raise _more_than_claimed(file, count)
    if count < claimed and (rest.strip() or not _is_little(claimed, count)):
        expected = f"{claimed:,} words of {file.dimensions} numbers, as line 1 claims"
        raise file.damage(f"word {count + 1:,}", "the file ends", expected)


def _more_than_claimed(file: VectorStream, count: int) -> InputError:
    return file.damage(
        f"after word {count:,}", "the file goes on", f"{file.count or 0:,} words, as line 1 claims"
    )


def _find_phrase(word: bytes, numbers: bytes, next_word: bytes) -> str | None:
    """Return the whole of a binary word that holds a blank, None if nothing shows that it does.

    `word` and `numbers` are what was read up to and behind its first blank. If it does hold one, the floats
    lie behind a later blank and end in `next_word`: read from there, their magnitudes are less extreme.
    """
    record = word + b" " + numbers + next_word
    least, phrase = _max_exponent(numbers), None
    parts = record[:MAX_PHRASE_BYTES].split(b" ")
    for count in range(2, len(parts)):
        candidate = b" ".join(parts[:count])
        shifted = record[len(candidate) + 1 :][: len(numbers)]
        if not _is_text(parts[count - 1]) or len(shifted) < len(numbers):
            break
        if (exponent := _max_exponent(shifted)) < least:
            least, phrase = exponent, candidate.lstrip(b"\n").decode(errors="replace")
    return phrase


def _max_exponent(numbers: bytes) -> int:
    """Return the largest binary exponent, without its sign, of float32 numbers; zeros do not count."""
    bits = np.frombuffer(numbers, "<u4") & _FLOAT32_MAGNITUDE_MASK
    exponents = (bits[bits > 0] >> _FLOAT32_MANTISSA_BITS).astype(np.int64) - _FLOAT32_EXPONENT_BIAS
    return int(np.abs(exponents).max(initial=0))


def _is_text(word: bytes) -> bool:
    """Tell whether a word is UTF-8 without blanks and ASCII control characters."""
    try:
        return bool(_PRINTABLE.fullmatch(word)) and (word.isascii() or bool(word.decode()))
    except UnicodeDecodeError:
        return False

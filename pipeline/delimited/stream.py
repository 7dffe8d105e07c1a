"""A moving window over the text of an opened CSV file, in UTF-8."""

from __future__ import annotations

import numpy as np

from ..arrays import Offsets
from .opening import READ_ERRORS, CsvSource

_SURROGATE_BYTES = 3  # in UTF-8, for one byte of the file that could not be decoded


class Utf8Stream:
    """The window `data`, which is extended at its end by `fill` and shortened at its start by `drop`.

    It holds whole characters. `surrogates`, int64 [n], are the positions in it of the lone surrogates that
    stand for bytes of the file that could not be decoded.
    """

    def __init__(self, file: CsvSource, block_size: int) -> None:
        self.data = bytearray()
        self.surrogates: Offsets = np.empty(0, np.int64)
        self.offset = 0  # of the data, in bytes of the unpacked file if it is UTF-8, else of its text
        self.final = False  # nothing follows the data
        self._file = file
        self._block_size = block_size
        self._pieces = file.pieces()
        self._pending = b""  # the part of the last piece that follows the data
        self._error: Exception | None = None  # what ended the reading early
        # How many more bytes a surrogate has than the byte in the file that it stands for.
        self._surplus = _SURROGATE_BYTES - 1 if file.is_utf_8 else 0

    def fill(self) -> None:
        """Extend the data by a block, or to twice their size if that is more.

        Raises what reading and decoding raised, once no text before the error is left to add.
        """
        size = max(self._block_size, 2 * len(self.data))
        if not self._extend(size - len(self.data)) and self._error:
            raise self._error

    def look_ahead(self, count: int) -> bool:
        """Extend the data to more bytes than these; return False if the text ends before.

        It may end by what reading and decoding raise: that waits for `fill`.
        """
        while len(self.data) <= count and not self.final and self._error is None:
            self._extend(count + 1 - len(self.data))
        return len(self.data) > count

    def _extend(self, missing: int) -> bool:
        """Extend the data by so many bytes, to whole characters; return False if none are left to add."""
        parts: list[bytes | bytearray] = [self.data]
        while missing > 0 and (self._pending or self._read_piece()):
            end = missing
            while end < len(self._pending) and self._pending[end] & 0xC0 == 0x80:  # inside a character
                end += 1
            parts.append(self._pending[:end])
            self._pending = self._pending[end:]
            missing -= len(parts[-1])
        self.data = bytearray().join(parts)
        self.surrogates = _find_surrogates(self.data)
        return len(parts) > 1

    def drop(self, count: int) -> None:
        """Remove that many bytes from the start of the data; arrays over the old data stay valid."""
        dropped = int(np.searchsorted(self.surrogates, count))
        self.offset += count - self._surplus * dropped
        self.data = self.data[count:]
        self.surrogates = self.surrogates[dropped:] - count

    def seek(self, offset: int) -> bool:
        """Move on to an offset that is not before the data's; return False if the text ends before it."""
        if self._file.is_seekable:
            self._file.stream.seek(offset)
            self.data, self.surrogates = bytearray(), self.surrogates[:0]
            self.offset, self.final = offset, False
            self._pieces, self._pending, self._error = self._file.pieces(), b"", None
            return offset <= self._file.size
        while (distance := offset - self.offset) > 0:
            file_positions = self.surrogates - self._surplus * np.arange(len(self.surrogates))
            count = distance + self._surplus * int(np.searchsorted(file_positions, distance))
            if count > len(self.data) and self.final:
                return False
            self.drop(min(count, len(self.data)))
            if not self.data:
                self.fill()
        return True

    def _read_piece(self) -> bool:
        """Read the next piece into `_pending`; return False at the end of the file or at an error."""
        if self._error:
            return False
        try:
            piece = next(self._pieces, None)
        except READ_ERRORS as error:
            self._error = error
            return False
        self.final = piece is None
        self._pending = piece or b""
        return not self.final


def _find_surrogates(data: bytearray) -> Offsets:
    if b"\xed" not in data:
        return np.empty(0, np.int64)
    array = np.frombuffer(data, np.uint8)
    # UTF-8 encodes U+D800 to U+DFFF, which no text contains, as ED followed by A0 or more.
    return np.flatnonzero((array[:-1] == 0xED) & (array[1:] >= 0xA0))

"""The text of an opened CSV file in UTF-8, as much of it at a time as is asked for."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from .opening import Opened


class Utf8Stream:
    """A stretch of the text, `data`, that is taken on at its end and left behind at its start.

    It holds whole characters. `strays` int64 [n] are the places in it of bytes that could not be decoded,
    each a lone surrogate of three bytes.
    """

    def __init__(self, file: Opened, block_size: int) -> None:
        self.data = bytearray()
        self.strays: NDArray[np.int64] = np.empty(0, np.int64)
        self.offset = 0  # that of the data, in bytes of the unpacked file if it is UTF-8, else of its text
        self.final = False  # whether nothing follows the data
        self._file = file
        self._block_size = block_size
        self._pieces = file.pieces()
        self._ahead = b""  # what follows the data, of the piece last read
        self._fault: Exception | None = None  # what ended the reading early
        self._extra = 2 if file.is_utf_8 else 0  # bytes that a stray byte has more here than in the file

    def fill(self) -> None:
        """Take on a block's bytes; as many as there are, if that is more.

        Raises what reading and decoding raise, once there is nothing before the fault.
        """
        parts: list[bytes | bytearray] = [self.data]
        missing = max(self._block_size, 2 * len(self.data)) - len(self.data)
        while missing > 0 and (self._ahead or self._read()):
            end = missing
            while end < len(self._ahead) and self._ahead[end] & 0xC0 == 0x80:
                end += 1
            parts.append(self._ahead[:end])
            self._ahead = self._ahead[end:]
            missing -= len(parts[-1])
        if self._fault and len(parts) == 1:
            raise self._fault
        self.data = bytearray().join(parts)
        self.strays = _strays(self.data)

    def leave(self, count: int) -> None:
        """Leave so many of the data's bytes behind; arrays over them stay as they are."""
        passed = int(np.searchsorted(self.strays, count))
        self.offset += count - self._extra * passed
        self.data = self.data[count:]
        self.strays = self.strays[passed:] - count

    def go_to(self, offset: int) -> bool:
        """Leave behind all before an offset that is not before the data's. False if the text ends before."""
        if self._file.is_seekable:
            self._file.stream.seek(offset)
            self.data, self.strays, self.offset, self.final = bytearray(), self.strays[:0], offset, False
            self._pieces, self._ahead, self._fault = self._file.pieces(), b"", None
            return offset <= self._file.size
        while (distance := offset - self.offset) > 0:
            offsets = self.strays - self._extra * np.arange(len(self.strays))
            count = distance + self._extra * int(np.searchsorted(offsets, distance))
            if count > len(self.data) and self.final:
                return False
            self.leave(min(count, len(self.data)))
            if not self.data:
                self.fill()
        return True

    def _read(self) -> bool:
        """Whether there was more to read."""
        if self._fault:
            return False
        try:
            piece = next(self._pieces, None)
        except (OSError, EOFError, zlib.error, UnicodeError) as fault:
            self._fault = fault
            return False
        self.final = piece is None
        self._ahead = piece or b""
        return not self.final


def _strays(data: bytearray) -> NDArray[np.int64]:
    if b"\xed" not in data:
        return np.empty(0, np.int64)
    array = np.frombuffer(data, np.uint8)
    return np.flatnonzero((array[:-1] == 0xED) & (array[1:] >= 0xA0))

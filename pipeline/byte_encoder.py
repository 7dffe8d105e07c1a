"""Texts as bytes, a million a second, to the ids that `text.TextEncoder` gives them one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import text_kernels as kernels
from pipeline.sequences import Sequences
from pipeline.text import TextEncoder

LONGEST = 40  # bytes of a chunk that is remembered
MOST = 1 << 18  # chunks, and tokens of chunks, that are held from one call to the next


class Encoded(NamedTuple):
    """`sequences` of the texts, and for each, int64 [texts], its number of tokens before it was cut to
    `maximum_length`, and how many of them are no words of the vocabulary."""

    sequences: Sequences
    lengths: NDArray[np.int64]
    outside: NDArray[np.int64]


class ByteEncoder:
    """What stands between two blanks is tokenized once, and then found by its bytes.

    No token spans a blank, so a text's ids are its chunks' ids in a row. For one thread at a time.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._forget()

    def encode(self, texts: Iterable[str]) -> Encoded:
        data = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([len(one) for one in data], dtype=np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if data else ends
        return self.encode_bytes(np.frombuffer(b"".join(data), np.uint8), np.stack([starts, ends], axis=1))

    def encode_bytes(self, data: NDArray[np.uint8], texts: NDArray[np.int64]) -> Encoded:
        """`data` is UTF-8; text i is `data[texts[i, 0]:texts[i, 1]]`, with `texts` int64 [texts, 2]."""
        if max(len(self._hashes), len(self._ids)) > MOST:
            self._forget()
        found, offsets, lacking = kernels.chunks(
            data, texts, kernels.BLANK, self._slots, self._hashes, self._keys, self._arena
        )
        if len(lacking):
            raw = data.tobytes()
            entries: dict[bytes, int] = {}
            first = len(self._hashes)
            numbers = [
                entries.setdefault(raw[start:end], first + len(entries)) for start, end in lacking.tolist()
            ]
            self._add(list(entries))
            missed = found < 0
            found[missed] = np.array(numbers, np.int32)[-1 - found[missed]]
        limit = self._encoder.options.maximum_length
        ids, bounds, lengths, outside = kernels.tokens(
            found, offsets, self._values, self._ids, self._outside, limit
        )
        return Encoded(Sequences(ids, bounds), lengths, outside)

    def _forget(self) -> None:
        self._slots = np.full(1 << 16, kernels.EMPTY, np.int32)
        self._hashes = np.empty(0, np.uint64)
        self._keys = np.empty((0, 2), np.int64)
        self._values = np.empty((0, 2), np.int64)
        self._outside = np.empty(0, np.int32)
        self._arena = np.empty(0, np.uint8)
        self._ids = np.empty(0, np.int32)

    def _add(self, chunks: list[bytes]) -> None:
        """An entry for each; long ones are not found again, as they hardly ever come again."""
        tokens = [self._encoder.tokens_of(chunk.decode("utf-8", "surrogatepass")) for chunk in chunks]
        ids = [[self._encoder.id(token) for token in each] for each in tokens]
        outside = [sum(token not in self._encoder for token in each) for each in tokens]
        kept = [chunk if len(chunk) <= LONGEST else b"" for chunk in chunks]
        first = len(self._hashes)
        self._keys = _bounds(self._keys, [len(key) for key in kept])
        self._values = _bounds(self._values, [len(each) for each in ids])
        self._arena = np.concatenate([self._arena, np.frombuffer(b"".join(kept), np.uint8)])
        self._ids = np.concatenate([self._ids, np.array([i for each in ids for i in each], np.int32)])
        self._outside = np.concatenate([self._outside, np.array(outside, np.int32)])
        self._hashes = np.concatenate([self._hashes, np.zeros(len(chunks), np.uint64)])
        while len(self._slots) < 2 * len(self._hashes):
            self._slots, first = np.full(2 * len(self._slots), kernels.EMPTY, np.int32), 0
        kernels.insert(first, self._slots, self._hashes, self._keys, self._arena)


def _bounds(bounds: NDArray[np.int64], lengths: list[int]) -> NDArray[np.int64]:
    """The bounds int64 [n, 2], and those of as many more pieces behind them."""
    ends = np.cumsum(lengths) + (bounds[-1, 1] if len(bounds) else 0)
    return np.concatenate([bounds, np.stack([ends - lengths, ends], axis=1)])

"""Encoding of texts as bytes, a million a second, to the ids that `TextEncoder` defines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..inputs import Sequences
from ..options import Tokenize
from . import chunk_kernels as kernels

MAX_CHUNK_BYTES = 40  # longer chunks are not remembered
CACHE_SIZE = 1 << 18  # chunks, and tokens of chunks, that are held from one call to the next
WARM_UP_TEXTS = (1024, 4096)  # from which an encoder without any memory learns first


class Tokenizer(Protocol):
    """A text encoder as far as `ByteEncoder` asks it: for the tokens of a chunk and their ids."""

    @property
    def options(self) -> Tokenize: ...

    def tokens_of(self, text: str, /) -> list[str]: ...

    def id(self, token: str, /) -> int: ...

    def __contains__(self, token: str, /) -> bool: ...


class Encoded(NamedTuple):
    """The sequences of texts, and two counts for each text, int64 [texts].

    `lengths` are the tokens before a text was cut to `maximum_length`; `outside` are those of them that the
    vocabulary does not have.
    """

    sequences: Sequences
    lengths: NDArray[np.int64]
    outside: NDArray[np.int64]


class _Memory(NamedTuple):
    """The chunks met so far, each by its number; see `chunk_kernels.chunks` and `chunk_kernels.tokens`.

    Never changed, as threads read it while another makes a larger one.
    """

    numbers: dict[bytes, int]  # of the short ones; shared with those that it grew from
    slots: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    keys: NDArray[np.int64]
    arena: NDArray[np.uint8]
    values: NDArray[np.int64]
    ids: NDArray[np.int32]
    outside: NDArray[np.int32]

    @classmethod
    def empty(cls) -> _Memory:
        bounds, slots = np.empty((0, 2), np.int64), np.full(1 << 16, kernels.EMPTY, np.int32)
        integers = np.empty(0, np.int32)
        hashes, arena = np.empty(0, np.uint64), np.empty(0, np.uint8)
        return cls({}, slots, hashes, bounds, arena, bounds, integers, integers)

    @property
    def full(self) -> bool:
        return max(len(self.hashes), len(self.ids)) > CACHE_SIZE

    def with_chunks(self, keys: list[bytes], ids: list[list[int]], outside: list[int]) -> _Memory:
        """Return a memory with these chunks as well; one whose key is empty is not found again."""
        slots, first = self.slots.copy(), len(self.hashes)
        hashes = np.concatenate([self.hashes, np.zeros(len(keys), np.uint64)])
        while len(slots) < 2 * len(hashes):
            slots, first = np.full(2 * len(slots), kernels.EMPTY, np.int32), 0
        bounds = _bounds(self.keys, [len(key) for key in keys])
        arena = np.concatenate([self.arena, np.frombuffer(b"".join(keys), np.uint8)])
        kernels.insert(first, slots, hashes, bounds, arena)
        return _Memory(
            self.numbers,
            slots,
            hashes,
            bounds,
            arena,
            _bounds(self.values, [len(values) for values in ids]),
            np.concatenate([self.ids, np.array([i for values in ids for i in values], np.int32)]),
            np.concatenate([self.outside, np.array(outside, np.int32)]),
        )


class ByteEncoder:
    """A text encoder that tokenizes each chunk between two blanks once, and then finds it by its bytes.

    No token spans a blank, so a text's ids are its chunks' ids in a row. Threads may share an encoder: what
    one of them learns, all know.
    """

    def __init__(self, encoder: Tokenizer) -> None:
        self._encoder = encoder
        self._memory = _Memory.empty()
        self._learning = Lock()

    def encode(self, texts: Iterable[str]) -> Encoded:
        data = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([len(text) for text in data], dtype=np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if data else ends
        return self.encode_bytes(np.frombuffer(b"".join(data), np.uint8), np.stack([starts, ends], axis=1))

    def encode_bytes(self, data: NDArray[np.uint8], texts: NDArray[np.int64]) -> Encoded:
        """Encode UTF-8: text i is `data[texts[i, 0]:texts[i, 1]]`, with `texts` int64 [texts, 2]."""
        if not len(self._memory.hashes):
            for count in WARM_UP_TEXTS:  # most chunks of the texts that follow are known then
                if len(texts) > count:
                    self._encode(data, texts[:count])
        return self._encode(data, texts)

    def _encode(self, data: NDArray[np.uint8], texts: NDArray[np.int64]) -> Encoded:
        memory = self._memory
        found, offsets, lacking = kernels.chunks(
            data, texts, kernels.BLANK, memory.slots, memory.hashes, memory.keys, memory.arena
        )
        if len(lacking):
            raw = data.tobytes()
            memory, numbers = self._learned(memory, [raw[start:end] for start, end in lacking.tolist()])
            missed = found < 0
            found[missed] = np.array(numbers, np.int32)[-1 - found[missed]]
        limit = self._encoder.options.maximum_length
        ids, bounds, lengths, outside = kernels.tokens(
            found, offsets, memory.values, memory.ids, memory.outside, limit
        )
        return Encoded(Sequences(ids, bounds), lengths, outside)

    def _learned(self, memory: _Memory, chunks: list[bytes]) -> tuple[_Memory, list[int]]:
        """Return a memory that has these chunks too, and their numbers in it."""
        with self._learning:
            shared = self._memory.numbers is memory.numbers  # it was not forgotten meanwhile
            memory, known = (self._memory, memory.numbers) if shared else (memory, {})
            new = [chunk for chunk in dict.fromkeys(chunks) if chunk not in known]
            numbers = dict(zip(new, itertools.count(len(memory.hashes))))
            known |= {chunk: number for chunk, number in numbers.items() if len(chunk) <= MAX_CHUNK_BYTES}
            tokens = [self._encoder.tokens_of(chunk.decode("utf-8", "surrogatepass")) for chunk in new]
            memory = memory.with_chunks(
                # Long ones are not found again, as they hardly ever come again.
                [chunk if len(chunk) <= MAX_CHUNK_BYTES else b"" for chunk in new],
                [[self._encoder.id(token) for token in chunk_tokens] for chunk_tokens in tokens],
                [sum(token not in self._encoder for token in chunk_tokens) for chunk_tokens in tokens],
            )
            if shared:
                self._memory = _Memory.empty() if memory.full else memory
            return memory, [numbers[chunk] if chunk in numbers else known[chunk] for chunk in chunks]


def _bounds(bounds: NDArray[np.int64], lengths: list[int]) -> NDArray[np.int64]:
    """Return the bounds int64 [n, 2] with those of further pieces, of the given lengths, appended."""
    sizes = np.array(lengths, np.int64)
    ends = np.cumsum(sizes) + (bounds[-1, 1] if len(bounds) else 0)
    return np.concatenate([bounds, np.stack([ends - sizes, ends], axis=1)])

"""Fast encoding of texts, as bytes, to the ids that `TextEncoder` defines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..inputs import Sequences, UnseenWords
from ..options import Tokenize
from . import chunk_kernels as kernels

MAX_CHUNK_BYTES = 40  # longer chunks are not remembered
CACHE_SIZE = 1 << 18  # chunks, and tokens of chunks, that are kept from call to call
CACHE_LETTERS = 1 << 24  # of the words outside the vocabulary, which are kept likewise, however long
WARM_UP_TEXTS = (1024, 4096)  # that an encoder with an empty memory encodes first
MIN_SLOTS = 1 << 16  # a power of two


class Tokenizer(Protocol):
    """The part of a text encoder that `ByteEncoder` uses."""

    @property
    def options(self) -> Tokenize: ...

    @property
    def vocabulary(self) -> int: ...

    def tokens_of_each(self, chunks: list[str], /) -> list[list[str]]: ...

    def id(self, token: str, /) -> int: ...

    def __contains__(self, token: str, /) -> bool: ...


class Encoded(NamedTuple):
    """The sequences of texts, with two counts per text, int64 [texts].

    `lengths` counts the tokens before a text was cut to `maximum_length`, and `outside` those of them that
    the vocabulary lacks. A boundary is no token.
    """

    sequences: Sequences
    lengths: NDArray[np.int64]
    outside: NDArray[np.int64]


class _Tokens(NamedTuple):
    """Tokens as `Sequences` has them, and whether each is outside the vocabulary, all [tokens]."""

    ids: NDArray[np.int32]
    words: NDArray[np.int32]
    is_outside: NDArray[np.bool_]


class _Memory(NamedTuple):
    """The entries of the chunks met so far, as `find_chunks` and `join_tokens` of `chunk_kernels` read them.

    The arrays are never changed, since threads read them while another thread makes larger ones.
    """

    entries: dict[bytes, int]  # of the short chunks; shared with the memories that this one grew from
    unseen: UnseenWords  # likewise
    slots: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    keys: NDArray[np.int64]
    arena: NDArray[np.uint8]
    values: NDArray[np.int64]
    ids: NDArray[np.int32]
    words: NDArray[np.int32]
    outside: NDArray[np.int32]

    @classmethod
    def empty(cls) -> _Memory:
        bounds, slots = np.empty((0, 2), np.int64), np.full(MIN_SLOTS, kernels.EMPTY_SLOT, np.int32)
        integers = np.empty(0, np.int32)
        hashes, arena = np.empty(0, np.uint64), np.empty(0, np.uint8)
        unseen = UnseenWords()
        return cls({}, unseen, slots, hashes, bounds, arena, bounds, integers, integers, integers)

    @property
    def is_full(self) -> bool:
        return max(len(self.hashes), len(self.ids)) > CACHE_SIZE or self.unseen.letters > CACHE_LETTERS

    def with_chunks(self, keys: list[bytes], sizes: list[int], tokens: _Tokens) -> _Memory:
        """Return a memory with these chunks as well, of so many `tokens` each, laid end to end.

        A chunk whose key is empty is not found again.
        """
        slots, first = self.slots.copy(), len(self.hashes)
        hashes = np.concatenate([self.hashes, np.zeros(len(keys), np.uint64)])
        while len(slots) < 2 * len(hashes):
            slots, first = np.full(2 * len(slots), kernels.EMPTY_SLOT, np.int32), 0
        bounds = _bounds(self.keys, [len(key) for key in keys])
        arena = np.concatenate([self.arena, np.frombuffer(b"".join(keys), np.uint8)])
        kernels.insert_entries(first, slots, hashes, bounds, arena)
        return _Memory(
            self.entries,
            self.unseen,
            slots,
            hashes,
            bounds,
            arena,
            _bounds(self.values, sizes),
            np.concatenate([self.ids, tokens.ids]),
            np.concatenate([self.words, tokens.words]),
            np.concatenate([self.outside, _sums(tokens.is_outside, sizes)]),
        )


class ByteEncoder:
    """A text encoder that tokenizes each chunk between two blanks once, and then looks it up by its bytes.

    No token spans a blank, so a text's ids are its chunks' ids in a row. Threads may share an encoder, and
    share its memory then.
    """

    def __init__(self, encoder: Tokenizer) -> None:
        self._encoder = encoder
        self._memory = _Memory.empty()
        self._lock = Lock()

    def encode(self, texts: Iterable[str]) -> Encoded:
        data = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([len(text) for text in data], dtype=np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if data else ends
        return self.encode_bytes(np.frombuffer(b"".join(data), np.uint8), np.stack([starts, ends], axis=1))

    def encode_bytes(self, data: NDArray[np.uint8], texts: NDArray[np.int64]) -> Encoded:
        """Encode UTF-8: text i is `data[texts[i, 0]:texts[i, 1]]`, with `texts` int64 [texts, 2]."""
        if not len(self._memory.hashes):
            for count in WARM_UP_TEXTS:  # so that most chunks of the other texts are known
                if len(texts) > count:
                    self._encode(data, texts[:count])
        return self._encode(data, texts)

    def _encode(self, data: NDArray[np.uint8], texts: NDArray[np.int64]) -> Encoded:
        memory = self._memory
        entries, offsets, missing = kernels.find_chunks(
            data, texts, kernels.IS_BLANK, memory.slots, memory.hashes, memory.keys, memory.arena
        )
        if len(missing):
            raw = data.tobytes()
            memory, new_entries = self._learn(memory, [raw[start:end] for start, end in missing.tolist()])
            is_missing = entries < 0
            entries[is_missing] = np.array(new_entries, np.int32)[-1 - entries[is_missing]]
        limit = self._encoder.options.maximum_length
        ids, words, bounds, lengths, outside = kernels.join_tokens(
            entries, offsets, memory.values, memory.ids, memory.words, memory.outside, limit
        )
        return Encoded(Sequences(ids, bounds, words, memory.unseen), lengths, outside)

    def _learn(self, memory: _Memory, chunks: list[bytes]) -> tuple[_Memory, list[int]]:
        """Return a memory that has these chunks too, and their entries in it.

        It is kept for later calls unless the given memory was dropped meanwhile, by another thread.
        """
        with self._lock:
            is_current = self._memory.entries is memory.entries
            memory, known = (self._memory, memory.entries) if is_current else (memory, {})
            new = [chunk for chunk in dict.fromkeys(chunks) if chunk not in known]
            entries = dict(zip(new, itertools.count(len(memory.hashes))))
            known |= {chunk: entry for chunk, entry in entries.items() if len(chunk) <= MAX_CHUNK_BYTES}
            tokens = self._encoder.tokens_of_each([chunk.decode("utf-8", "surrogatepass") for chunk in new])
            memory = memory.with_chunks(
                # Long chunks hardly ever come again.
                [chunk if len(chunk) <= MAX_CHUNK_BYTES else b"" for chunk in new],
                [len(chunk_tokens) for chunk_tokens in tokens],
                self._looked_up(list(itertools.chain.from_iterable(tokens)), memory.unseen),
            )
            if is_current:
                self._memory = _Memory.empty() if memory.is_full else memory
            return memory, [entries[chunk] if chunk in entries else known[chunk] for chunk in chunks]

    def _looked_up(self, tokens: list[str], unseen: UnseenWords) -> _Tokens:
        """Return tokens by number, each looked up once; what the vocabulary lacks is added to `unseen`."""
        encoder, numbers = self._encoder, dict[str, tuple[int, int]]()
        for token in tokens:
            if token not in numbers:
                own = encoder.id(token)
                word = own if token in encoder else encoder.vocabulary + unseen.add(token)
                numbers[token] = own, word
        pairs = np.array([numbers[token] for token in tokens], np.int32).reshape(-1, 2)
        return _Tokens(pairs[:, 0], pairs[:, 1], pairs[:, 1] >= encoder.vocabulary)


def _sums(flags: NDArray[np.bool_], sizes: list[int]) -> NDArray[np.int32]:
    """Return how many flags are set in each piece, of the given sizes."""
    counts = np.concatenate([[0], np.cumsum(flags)])
    ends = np.cumsum(sizes, dtype=np.int64)
    sums: NDArray[np.int64] = counts[ends] - counts[ends - np.array(sizes, np.int64)]
    return sums.astype(np.int32)


def _bounds(bounds: NDArray[np.int64], lengths: list[int]) -> NDArray[np.int64]:
    """Return the bounds int64 [n, 2] with those of further pieces, of the given lengths, appended."""
    sizes = np.array(lengths, np.int64)
    ends = np.cumsum(sizes) + (bounds[-1, 1] if len(bounds) else 0)
    return np.concatenate([bounds, np.stack([ends - sizes, ends], axis=1)])

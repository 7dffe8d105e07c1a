"""The compiled lookup of chunks, by hand and against `str.split`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.arrays import Bytes, Ints, Offsets, Sizes
from pipeline.text import chunk_kernels as kernels
from pipeline.text.chunk_kernels import Hashes

Table = tuple[Ints, Hashes, Sizes, Bytes]


def end_to_end(pieces: list[bytes]) -> tuple[Bytes, Offsets]:
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    starts = ends - np.array([len(piece) for piece in pieces], np.int64)
    return np.frombuffer(b"".join(pieces), np.uint8), np.stack([starts, ends], axis=1)


def table_of(keys: list[bytes], size: int = 16) -> Table:
    arena, bounds = end_to_end(keys)
    slots, hashes = np.full(size, kernels.EMPTY_SLOT, np.int32), np.zeros(len(keys), np.uint64)
    kernels.insert_entries(0, slots, hashes, bounds, arena)
    return slots, hashes, bounds, arena


def find(texts: list[bytes], table: Table) -> tuple[list[int], list[int], list[bytes]]:
    data, bounds = end_to_end(texts)
    entries, offsets, missing = kernels.find_chunks(data, bounds, kernels.IS_BLANK, *table)
    return entries.tolist(), offsets.tolist(), [bytes(data[start:end]) for start, end in missing.tolist()]


def test_the_blanks_are_those_of_str_split_in_ascii() -> None:
    blanks = [code for code in range(128) if not chr(code).split()]
    assert np.flatnonzero(kernels.IS_BLANK).tolist() == blanks


@pytest.mark.parametrize("size", [4, 16, 1024])  # from crowded to nearly empty
def test_chunks_are_their_entries_and_missing_ones_are_numbered(size: int) -> None:
    table = table_of([b"a", b"the", b"film"], size)
    entries, offsets, missing = find([b" the\tfilm ", b"", b"that a that", b"films"], table)
    assert entries == [1, 2, -1, 0, -2, -3]
    assert offsets == [0, 2, 2, 5, 6]
    assert missing == [b"that", b"that", b"films"]


def test_an_equal_hash_does_not_make_a_chunk_equal() -> None:
    slots, hashes, bounds, _ = table_of([b"ab"])
    entries, _, missing = find([b"ab"], (slots, hashes, bounds, np.frombuffer(b"xy", np.uint8)))
    assert entries == [-1] and missing == [b"ab"]


def test_an_entry_without_a_key_is_not_found() -> None:
    slots, *_ = table_of([b"", b"a", b""])
    assert slots[slots != kernels.EMPTY_SLOT].tolist() == [1]


def test_entries_are_added_to_those_of_the_table() -> None:
    slots, hashes, *_ = table_of([b"a"])
    arena, bounds = end_to_end([b"a", b"b"])
    grown = np.concatenate([hashes, np.zeros(1, np.uint64)])
    kernels.insert_entries(1, slots, grown, bounds, arena)
    assert find([b"b a"], (slots, grown, bounds, arena))[0] == [1, 0]


def test_a_boundary_parts_chunks_and_is_an_entry_of_its_own() -> None:
    boundary = kernels.BOUNDARY_ENTRY
    entries, offsets, missing = find([b"a\x1fa", b"\x1f \x1f\x1f", b"b\x1f"], table_of([b"a"]))
    assert entries == [0, boundary, 0, boundary, boundary, boundary, -1, boundary]
    assert (offsets, missing) == ([0, 3, 6, 8], [b"b"])


def test_a_boundary_is_padding_that_no_limit_counts() -> None:
    values, ids = np.array([[0, 2], [2, 3]]), np.array([5, 6, 7], np.int32)
    boundary = kernels.BOUNDARY_ENTRY
    entries = np.array([0, boundary, 0, boundary, 1], np.int32)
    joined = kernels.join_tokens(entries, np.array([0, 5]), values, ids, ids, np.zeros(2, np.int32), 3)
    assert [array.tolist() for array in joined] == [[5, 6, 0, 5, 0], [5, 6, 0, 5, 0], [0, 5], [5], [0]]


@given(st.lists(st.text("abc \t\n\x1c", max_size=20), max_size=5), st.sets(st.text("abc", min_size=1)))
def test_chunks_are_those_of_str_split(texts: list[str], words: set[str]) -> None:
    keys = sorted(words)
    table = table_of([key.encode() for key in keys], 1024)
    entries, offsets, missing = find([text.encode() for text in texts], table)
    chunks = [keys[entry] if entry >= 0 else missing[-1 - entry].decode() for entry in entries]
    assert [chunks[start:end] for start, end in pairwise(offsets)] == [text.split() for text in texts]
    assert not {chunk.decode() for chunk in missing} & words


def test_tokens_are_joined_cut_and_counted() -> None:
    # entry 0 has the ids 5 6, entry 1 has 7, entry 2 none
    values = np.array([[0, 2], [2, 3], [3, 3]])
    ids, outside = np.array([5, 6, 7], np.int32), np.array([1, 0, 0], np.int32)
    words = np.array([50, 6, 7], np.int32)  # 5 stands for a word outside the vocabulary
    entries, offsets = np.array([1, 0, 0, 2, 1], np.int32), np.array([0, 3, 3, 5])
    joined = kernels.join_tokens(entries, offsets, values, ids, words, outside, 2)
    assert [array.tolist() for array in joined] == [
        [7, 5, 7],
        [7, 50, 7],
        [0, 2, 2, 3],
        [5, 0, 1],
        [2, 0, 0],
    ]

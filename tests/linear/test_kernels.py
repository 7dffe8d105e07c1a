"""The kernels against a dictionary and plain NumPy."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import Sequences
from pipeline.linear.kernels import NOT_FOUND, find, hash_table, longest_row, tfidf_logits

PAIR = 2 << 32 | 3
keys_of = st.sets(st.integers(0, 2**62), max_size=60).map(lambda keys: np.array(sorted(keys), np.int64))


@given(keys_of, st.integers(0, 2**62))
def test_a_key_is_found_at_its_index_and_no_other_is(keys: np.ndarray, other: int) -> None:
    slots = hash_table(keys)
    assert len(slots) >= 2 * len(keys) and len(slots).bit_count() == 1
    assert [find(key, slots) for key in keys] == list(range(len(keys)))
    assert find(np.int64(other), slots) == (keys.tolist().index(other) if other in keys else NOT_FOUND)


@given(st.lists(st.lists(st.integers(1, 4), max_size=6), max_size=5))
def test_logits_are_those_of_plain_numpy(rows: list[list[int]]) -> None:
    keys = np.array([2, 3, PAIR, 3 << 32 | 3])
    idf = np.array([1, 2, 0.5, 3], np.float32)
    weights = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    bias = np.array([0.5, -1, 0], np.float32)
    sequences = Sequences.from_rows(rows)
    logits = tfidf_logits(sequences.ids, sequences.offsets, hash_table(keys), idf, weights, bias)
    for row, logit in zip(rows, logits, strict=True):
        counts = Counter([*row, *(first << 32 | second for first, second in pairwise(row))])
        x = np.array([counts[key] for key in keys.tolist()]) * idf
        np.testing.assert_allclose(logit, x @ weights / (np.linalg.norm(x) or 1) + bias, rtol=1e-5, atol=1e-5)


def test_the_longest_row_of_none_has_no_tokens() -> None:
    assert longest_row(np.array([0])) == 0
    assert longest_row(np.array([0, 2, 7, 8])) == 5

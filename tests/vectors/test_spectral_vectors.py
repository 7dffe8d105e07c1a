"""Vectors of a factorization: counts and information by hand, the decomposition beside numpy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.inputs import BOUNDARY, PADDING, Sequences
from pipeline.vectors.spectral_vectors import (
    SIZE,
    WINDOW,
    co_occurrences,
    factorize,
    positive_information,
)

ALL = 12_000_000  # tokens
assert (WINDOW, PADDING, BOUNDARY) == (10, 0, "\x1f")  # what the numbers below are of


def test_near_words_count_more_and_none_beyond_a_text_or_a_boundary() -> None:
    texts = Sequences.from_rows([[2, 3, 5, 2], [3], [2, PADDING, 3], [2, *[5] * 10, 3]])
    counts = co_occurrences(texts, np.array([2, 3]))
    # 2 3 . 2: distances 1 and 2 between the two words, 3 between the first; the last text's are 11 apart.
    np.testing.assert_allclose(counts.toarray(), [[2 * 0.8, 1.0 + 0.9], [1.0 + 0.9, 0]], rtol=1e-6)


def test_information_is_of_pairs_that_are_together_more_often_than_by_chance() -> None:
    texts = Sequences.from_rows([[2, 3]] * 3 + [[4, 5]] * 3 + [[2, 4]])
    counts = co_occurrences(texts, np.array([2, 3, 4, 5]))
    found = positive_information(counts).toarray()
    # Words 2 and 4 are in four pairs, 3 and 5 in three.
    contexts = np.array([4, 3, 4, 3]) ** 0.75
    assert found[0, 1] == pytest.approx(math.log(3 / 4 / (contexts[1] / contexts.sum())))
    assert found[1, 0] == pytest.approx(math.log(3 / 3 / (contexts[0] / contexts.sum())))
    assert found[0, 2] == 0  # log(1 / 4 / 0.28) is negative
    assert np.count_nonzero(found) == 4


def test_vectors_are_the_left_singular_ones_times_the_roots_of_the_values() -> None:
    rows = np.random.default_rng(3).zipf(1.5, (400, 12)).clip(max=40) + 1
    texts = Sequences.from_rows(rows.tolist())
    counts = np.bincount(texts.ids, minlength=42)
    frequent = np.flatnonzero(counts >= 3)
    left, values, _ = np.linalg.svd(positive_information(co_occurrences(texts, frequent)).toarray())
    expected = left[:, :5] * np.sqrt(values[:5])
    expected *= SIZE / np.sqrt(np.mean(expected**2))
    found = factorize(texts, 40, 5, ALL, seed=1)[frequent]
    # Singular vectors are unique up to their sign alone, and the decomposition is a randomized one.
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=0.02)


def test_of_more_tokens_than_may_be_read_a_sample_of_the_texts_is() -> None:
    rows = np.random.default_rng(4).integers(2, 12, (300, 10)).tolist()
    whole, sample = (factorize(Sequences.from_rows(rows), 10, 4, tokens, seed=1) for tokens in (3_000, 500))
    np.testing.assert_array_equal(whole, factorize(Sequences.from_rows(rows), 10, 4, ALL, seed=1))
    assert (whole[2:] != sample[2:]).any()


def test_a_word_that_is_beside_others_by_chance_alone_is_not_at_zero() -> None:
    vectors = factorize(Sequences.from_rows([[2, 3]] * 5 + [[4]] * 50), 3, 2, ALL, 1)
    assert vectors[4].any() and np.isfinite(vectors).all()


@pytest.mark.parametrize("rows", [[[2, 3], [3, 4], [4, 2]] * 3, [[2, 3, 4]] * 3])
def test_vectors_of_one_dimension_have_the_size_of_others(rows: list[list[int]]) -> None:
    assert 0 < np.abs(factorize(Sequences.from_rows(rows), 3, 1, ALL, 1)).max() < 1


def test_fewer_words_than_dimensions_leave_the_rest_at_zero() -> None:
    vectors = factorize(Sequences.from_rows([[2, 3]] * 3 + [[3, 4]] * 3 + [[2, 2, 4, 4]] * 3), 3, 8, ALL, 1)
    assert not vectors[2:, 3:].any()
    assert np.sqrt(np.mean(vectors[2:, :3] ** 2)) == pytest.approx(SIZE, rel=1e-5)

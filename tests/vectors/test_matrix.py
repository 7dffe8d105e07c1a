"""Random vectors, counts and samples of the corpus, and coverage."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.inputs import Sequences
from pipeline.vectors.matrix import coverage, random_vectors, sample, word_counts


def test_random_vectors_are_kims_uniform_with_a_zero_padding_row() -> None:
    matrix = random_vectors(1000, 50, seed=1)
    assert matrix.shape == (1002, 50) and matrix.dtype == np.float32
    assert not matrix[0].any() and matrix[1].any()
    assert np.abs(matrix).max() <= 0.25
    assert matrix[1:].std() == pytest.approx(0.25 / 3**0.5, rel=0.01)
    np.testing.assert_array_equal(matrix, random_vectors(1000, 50, seed=1))
    assert (matrix[1:] != random_vectors(1000, 50, seed=2)[1:]).mean() > 0.99


def test_coverage_counts_types_and_running_words_unknown_ones_included() -> None:
    covered = coverage(
        np.array([True, False, True, False]), Sequences.from_rows([[2, 2, 3], [], [4, 1, 1, 5]])
    )
    assert (covered.types, covered.tokens) == (0.5, 3 / 7)
    assert covered.summary == "vectors found: 50.0% of 4 words, 42.9% of 7 running words"
    assert coverage(np.zeros(0, np.bool_), Sequences.from_rows([])).tokens == 0


def test_coverage_summary_fits_a_terminal() -> None:
    covered = coverage(np.ones(100_000, np.bool_), Sequences.from_rows([[2]]))
    assert len(covered.summary.replace("1 run", "100,000,000 run")) <= 80


def test_words_are_counted_and_neither_padding_nor_the_unknown_word() -> None:
    texts = Sequences.from_rows([[2, 4, 1], [], [4, 0, 1, 4]])
    assert word_counts(texts, 4).tolist() == [0, 0, 1, 0, 3, 0]


def test_a_sample_has_as_many_tokens_as_are_asked_for_or_those_of_a_row_more() -> None:
    texts = Sequences.from_rows([[row + 2] * 3 for row in range(10)])
    assert len(sample(texts, 7, seed=1)) == 3 and len(sample(texts, 9, seed=1)) == 3
    assert sorted(sample(texts, 100, seed=1).ids.tolist()) == sorted(texts.ids.tolist())
    assert sample(texts, 7, seed=1).ids.tolist() != sample(texts, 7, seed=2).ids.tolist()

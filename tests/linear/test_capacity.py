"""How many rows linear models may learn: by what a row's n-grams take."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.inputs import Sequences, UnseenWords
from pipeline.linear.capacity import BYTES, SHARE, max_rows

ROWS = Sequences.from_rows([[2, 3, 2], [3]])  # "ab cde ab" and "cde"
WORDS = ["ab", "cde"]
# Four tokens with as many pairs, 4 * 2 - 2 n-grams of "ab", and 4 * 3 - 2 of "cde" in either row.
VALUES = (8 + 6 + 10 + 10) / 2


@pytest.mark.parametrize("memory", [1 << 30, 8 << 30])
def test_it_is_the_share_of_the_memory_by_the_values_of_a_row(memory: int) -> None:
    assert max_rows(ROWS, WORDS, memory) == int(SHARE * memory / (BYTES * VALUES))


def test_words_outside_the_vocabulary_have_ngrams_of_their_own() -> None:
    one, unseen = np.array([1], np.int32), UnseenWords(["fghi"])
    rows = Sequences(one, np.array([0, 1]), np.array([4], np.int32), unseen)
    assert max_rows(rows, WORDS, 8 << 30) == int(SHARE * 8 * 2**30 / (BYTES * (2 + 14)))


@pytest.mark.parametrize("rows", [[], [[], []]])
def test_rows_without_tokens_need_none(rows: list[list[int]]) -> None:
    assert max_rows(Sequences.from_rows(rows), WORDS, 1 << 30) >= 1

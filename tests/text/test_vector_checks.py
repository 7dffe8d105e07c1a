"""What is feared of vectors: another language, and one vector for many words."""

from __future__ import annotations

import numpy as np

from pipeline.inputs import Sequences
from pipeline.text.vector_checks import warnings

WORDS = [f"{first}{second}" for first in "abcdefghijkl" for second in "abcdefghij"]  # 120
EACH_ONCE = Sequences.from_rows([list(range(2, 122))])


def check(
    whole: np.ndarray,
    words: list[str] = WORDS,
    sentences: Sequences = EACH_ONCE,
    matrix: np.ndarray | None = None,
) -> list[str]:
    if matrix is None:
        matrix = np.arange(2 * (len(words) + 2), dtype=np.float32).reshape(-1, 2)
    return warnings(matrix, np.ones(len(words), np.bool_), whole, words, sentences)


def test_vectors_of_another_language_lack_more_than_a_quarter_of_the_frequent_words() -> None:
    assert check(np.arange(120) < 75) == []
    assert check(np.arange(120) < 74) == [
        "knows 74 of the 100 most frequent words; it seems to be of another language than the texts"
    ]


def test_the_frequent_words_are_those_of_the_texts_whatever_rare_words_are_known() -> None:
    last_hundred = Sequences.from_rows([list(range(2, 122)), list(range(22, 122))])
    assert check(np.arange(120) >= 45, sentences=last_hundred) == []  # 75 of them
    assert check(np.arange(120) >= 46, sentences=last_hundred)


def test_numbers_and_punctuation_tell_no_language() -> None:
    words = [*WORDS[:60], *map(str, range(60))]
    assert check(np.arange(120) < 45, words) == []  # of 60


def test_few_words_tell_no_language() -> None:
    assert check(np.zeros(19, np.bool_), WORDS[:19], Sequences.from_rows([list(range(2, 21))])) == []
    assert check(np.zeros(20, np.bool_), WORDS[:20], Sequences.from_rows([list(range(2, 22))]))


def test_many_words_of_one_vector_are_told_of() -> None:
    matrix = np.zeros((122, 2), np.float32)
    matrix[2:92, 0] = np.arange(90)  # 0 once, and once more in the 30 that follow
    everything = np.ones(120, np.bool_)
    assert check(everything, matrix=matrix) == []
    matrix[91] = 0
    assert check(everything, matrix=matrix) == [
        "has 89 different vectors for 120 words, and cannot tell the others apart"
    ]

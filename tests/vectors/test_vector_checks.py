"""What is feared of vectors: another language, and one vector for many words."""

from __future__ import annotations

from csv import DictReader
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from pipeline.inputs import Sequences
from pipeline.options import Tokenize
from pipeline.text.encoder import TextEncoder
from pipeline.vectors.vector_checks import warnings
from pipeline.vectors.vector_files import read_vectors

SHARED = Path(__file__).resolve().parents[3] / "shared"

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


@pytest.mark.skipif(not (SHARED / "vectors").is_dir(), reason="shared/vectors is not there")
@pytest.mark.parametrize(
    ("corpus", "words_of"), [("mr.csv", "English"), ("chnsenticorp_htl/all.csv", "Chinese")]
)
def test_real_vectors_are_told_from_those_of_another_language(corpus: str, words_of: str) -> None:
    with open(SHARED / "corpora" / corpus, encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in islice(DictReader(file), 2000)]
    encoder = TextEncoder.learn(texts, Tokenize())
    sentences = encoder.encode(texts)
    for language, name in (("English", "glove.840B.300d.10k"), ("Chinese", "tencent.char.200d")):
        matrix, found, _ = read_vectors(SHARED / "vectors" / f"{name}.txt.gz", encoder.words, seed=1)
        assert bool(warnings(matrix, found, found, encoder.words, sentences)) == (language != words_of)


def test_many_words_of_one_vector_are_told_of() -> None:
    matrix = np.zeros((122, 2), np.float32)
    matrix[2:92, 0] = np.arange(90)  # 0 once, and once more in the 30 that follow
    everything = np.ones(120, np.bool_)
    assert check(everything, matrix=matrix) == []
    matrix[91] = 0
    assert check(everything, matrix=matrix) == [
        "has 89 different vectors for 120 words, and cannot tell the others apart"
    ]

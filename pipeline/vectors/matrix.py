"""A vector for each word to start training from, and how many of them are pretrained.

Every matrix is float32 [words + 2, dimensions]: row 0 (padding) is zero, row 1 stands for unknown words,
row i + 2 for the vocabulary's word i.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..inputs import PADDING, UNKNOWN, Sequences

Matrix = NDArray[np.float32]
RowVectors = dict[int, NDArray[np.float32]]  # by their rows in the matrix

FIRST_WORD = UNKNOWN + 1
MAX_RANDOM = 0.25  # of either sign, in Kim's random vectors
MIN_COUNT = 3  # a word that occurs less often in the corpus learns no vector from it


def random_vectors(words: int, dimensions: int, seed: int) -> Matrix:
    """Return vectors from U(-0.25, 0.25), as Kim (2014) does where nothing is pretrained."""
    return _uniform(words, dimensions, MAX_RANDOM, seed)


def word_counts(sentences: Sequences, words: int) -> NDArray[np.int64]:
    """Return how often each word occurs, int64 [words + 2]; neither padding nor the unknown word is one."""
    counts = np.bincount(sentences.ids, minlength=words + FIRST_WORD)
    counts[:FIRST_WORD] = 0
    return counts


def sample(sentences: Sequences, tokens: int, seed: int) -> Sequences:
    """Return so many rows, in random order, that they have `tokens` tokens or little more, or all."""
    rows = np.random.default_rng(seed).permutation(len(sentences))
    enough = 1 + int(np.searchsorted(np.cumsum(sentences.lengths[rows]), tokens))
    return sentences.select(rows[:enough])


@dataclass(frozen=True)
class Coverage:
    """The shares of the vocabulary and of the training part's running words that have a pretrained vector."""

    found: int
    words: int
    running_found: int
    running: int

    @property
    def types(self) -> float:
        return self.found / max(1, self.words)

    @property
    def tokens(self) -> float:
        return self.running_found / max(1, self.running)

    @property
    def shares(self) -> dict[str, float]:
        return {"types": self.types, "tokens": self.tokens}

    @property
    def summary(self) -> str:
        return (
            f"vectors found: {self.types:.1%} of {self.words:,} words, "
            f"{self.tokens:.1%} of {self.running:,} running words"
        )


def coverage(in_file: NDArray[np.bool_], sentences: Sequences) -> Coverage:
    """Return the coverage of sentences; `in_file` is bool [words]: whether a word has a vector.

    Unknown words are running words without a vector.
    """
    counts = np.bincount(sentences.ids, minlength=len(in_file) + FIRST_WORD)
    running_found = int(counts[FIRST_WORD:][in_file].sum())
    running = int(np.count_nonzero(sentences.ids != PADDING))
    return Coverage(int(in_file.sum()), len(in_file), running_found, running)


def _uniform(words: int, dimensions: int, bound: float, seed: int) -> Matrix:
    matrix = np.random.default_rng(seed).random((words + FIRST_WORD, dimensions), np.float32)
    matrix -= 0.5
    matrix *= 2 * bound
    matrix[PADDING] = 0
    return matrix


def assemble_matrix(vectors: RowVectors, words: int, seed: int) -> Matrix:
    """Return a matrix of these vectors in their rows, and random ones of the same variance in the others.

    Those are from U(-a, a), where the variance is a²/3 (Kim 2014, section 4.3). Row 0 is zero.
    """
    values = np.stack(list(vectors.values()))
    bound = math.sqrt(3 * float(np.var(values, dtype=np.float64)))
    matrix = _uniform(words, values.shape[1], bound, seed)
    matrix[list(vectors)] = values
    return matrix

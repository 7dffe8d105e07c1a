"""How many rows linear models can learn within the memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..environment.memory import available_memory
from ..inputs import UNKNOWN, Sequences

SHARE = 0.15  # of the memory; models and opponents are fitted side by side, beside the corpus itself
BYTES = 24  # that a value of the features takes in all, while they are made and learned
SAMPLE = 1_000  # rows by which the values of a row are estimated


def max_rows(sequences: Sequences, vocabulary: Sequence[str], memory: int | None) -> int:
    """Return how many rows like these linear models can learn within so many bytes, one at least.

    None is what the machine has. `vocabulary` has the words with the ids 2, 3, ... of the rows. A row has a
    value for each token and pair, and for each n-gram of characters of its distinct words: of a word of n
    letters, 4 n - 2.
    """
    if not len(sequences):
        return 1
    words = [*vocabulary, *sequences.unseen.words]
    ngrams = np.zeros(UNKNOWN + 1 + len(words), np.int64)
    ngrams[UNKNOWN + 1 :] = [4 * len(word) - 2 for word in words]
    sample = sequences.select(np.unique(np.linspace(0, len(sequences) - 1, SAMPLE).astype(np.int64)))
    row = np.repeat(np.arange(len(sample)), sample.lengths)
    distinct = np.unique(np.stack([row, sample.words]), axis=1)[1]
    values = (2 * len(sample.words) + ngrams[distinct].sum()) / len(sample)
    return max(1, int(SHARE * available_memory(memory) / (BYTES * max(1, values))))

"""Word vectors learned from the corpus by a factorization of the words' co-occurrences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..inputs import PADDING, Sequences
from .matrix import MIN_COUNT, Matrix, assemble_matrix, random_vectors, sample, word_counts

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WINDOW = 10  # words on either side
SMOOTHING = 0.75  # the power of the contexts' frequencies, as in word2vec
POWER = 0.5  # of the singular values
ITERATIONS = 3  # of the randomized decomposition
SIZE = 0.25  # the root mean square of the vectors' elements, about that of word2vec's


def factorize(sentences: Sequences, words: int, dimensions: int, tokens: int, seed: int) -> Matrix:
    """Return vectors from the words' positive pointwise mutual information in the training part.

    They are U S^(1/2) of its singular value decomposition U S V' (Levy, Goldberg & Dagan 2015), scaled to
    word2vec's size, and cost a tenth of its time. A neighbour at distance d counts (WINDOW + 1 - d) / WINDOW.
    Of more than `tokens` a sample of the rows is read: time and memory grow with them, 1.1 million of IMDB
    take 2 seconds. Words too rare to learn, or beside others by chance alone, and the unknown word are
    uniform with the variance of those learned. The same seed gives the same bits.
    """
    from sklearn.utils.extmath import randomized_svd  # late: it takes half a second
    from threadpoolctl import threadpool_limits

    read = sample(sentences, tokens, seed) if len(sentences.ids) > tokens else sentences
    frequent = np.flatnonzero(word_counts(read, words) >= MIN_COUNT)
    information = positive_information(co_occurrences(read, frequent))
    rank = min(dimensions, len(frequent))
    if not information.nnz:
        return random_vectors(words, dimensions, seed)
    with threadpool_limits(1):  # with more of them the order of the sums would be the machine's
        left, values, _ = randomized_svd(information, rank, n_iter=ITERATIONS, random_state=seed)
    known = np.diff(information.indptr) > 0
    learned = np.zeros((np.count_nonzero(known), dimensions), np.float32)
    learned[:, :rank] = left[known] * values**POWER
    learned *= SIZE / np.sqrt(np.mean(np.square(learned[:, :rank])))
    return assemble_matrix(dict(zip(frequent[known].tolist(), learned, strict=True)), words, seed)


def co_occurrences(sentences: Sequences, words: NDArray[np.int64]) -> csr_matrix:
    """Return how often each two of the words are near one another, float32 [words, words], symmetric.

    `words` are ids, rising. The texts of two columns are two sentences.
    """
    from scipy.sparse import csr_matrix

    place = np.full(sentences.ids.max(initial=0) + 1, -1, np.int32)
    place[words] = np.arange(len(words))
    places = place[sentences.ids]
    sentence = np.repeat(np.arange(len(sentences)), sentences.lengths) + np.cumsum(sentences.ids == PADDING)
    found = csr_matrix((len(words), len(words)), dtype=np.float32)
    for distance in range(1, WINDOW + 1):
        first, second = places[:-distance], places[distance:]
        together = (sentence[:-distance] == sentence[distance:]) & (first >= 0) & (second >= 0)
        weight = np.full(np.count_nonzero(together), (WINDOW + 1 - distance) / WINDOW, np.float32)
        found = found + csr_matrix((weight, (first[together], second[together])), found.shape)
    return (found + found.T).tocsr()


def positive_information(counts: csr_matrix) -> csr_matrix:
    """Return max(0, log(p(w, c) / (p(w) p(c)))), where p(c) is of frequencies to the power SMOOTHING.

    It is float32 [words, words], sparse, as are the counts.
    """
    from scipy.sparse import csr_matrix

    pairs = counts.tocoo()
    of_words = np.asarray(counts.sum(axis=1)).ravel()
    of_contexts = of_words**SMOOTHING
    ratio = pairs.data * of_contexts.sum() / (of_words[pairs.row] * of_contexts[pairs.col])
    kept = ratio > 1
    information = np.log(ratio[kept]).astype(np.float32)
    return csr_matrix((information, (pairs.row[kept], pairs.col[kept])), counts.shape)

"""The vectors that both channels start from: random, or learned from the corpus; `pretrained` reads others.

Every matrix is float32 [words + 2, dimensions]: row 0 (padding) is zero, row 1 stands for unknown words,
row i + 2 for the vocabulary's word i. The only module that imports gensim.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..inputs import PADDING, UNKNOWN, Sequences

Matrix = NDArray[np.float32]
Rows = dict[int, Matrix]  # matrix row -> vector

FIRST_WORD = UNKNOWN + 1
KIM_RANGE = 0.25  # Kim's random vectors are U(-0.25, 0.25)
SEEN_ENOUGH = 3  # a word that occurs less often keeps a random vector
RUNNING_WORDS = 12_000_000  # what `learn_vectors` reads in all epochs together: 30 to 60 seconds' work
MOST_EPOCHS = 20
SUBWORD_RUNNING_WORDS = 2_000_000  # the same for `learn_subwords`: 10 seconds' work
SUBWORD_DIMENSIONS = 100
NGRAM_ROWS = 1 << 17  # n-grams share rows by their hash


def random_vectors(words: int, dimensions: int, seed: int) -> Matrix:
    """U(-0.25, 0.25), as Kim (2014) starts from where nothing is pretrained."""
    return _uniform(words, dimensions, KIM_RANGE, seed)


def learn_vectors(sentences: Sequences, words: int, dimensions: int, seed: int) -> Matrix:
    """Word2vec of the training part's sentences (Mikolov et al. 2013: skip-gram, negative sampling).

    A small corpus is read more often than a large one, at most 20 times. Words too rare to learn, and
    the unknown word, are uniform with the variance of those learned. The same seed gives the same bits.
    """
    counts = np.bincount(sentences.ids, minlength=words + FIRST_WORD)
    counts[:FIRST_WORD] = 0
    if counts.max() < SEEN_ENOUGH:
        return random_vectors(words, dimensions, seed)

    logging.getLogger("gensim").setLevel(logging.ERROR)  # it warns of small corpora
    from gensim.models.word2vec import Word2Vec  # here, since it takes 3 seconds

    # Of small corpora skip-gram learns more than CBOW, and more at twice the usual rate and with frequent
    # words hardly thinned out. MR, logistic regression on mean vectors: 77 %; CBOW at most 73 %.
    # With more than one worker the order of the updates is the operating system's.
    model = Word2Vec(
        vector_size=dimensions,
        sg=1,
        window=5,
        negative=5,
        alpha=0.05,
        sample=1e-2,
        min_count=SEEN_ENOUGH,
        seed=seed,
        workers=1,
    )
    model.build_vocab_from_freq({int(i): int(counts[i]) for i in counts.nonzero()[0]})
    epochs = min(MOST_EPOCHS, max(1, RUNNING_WORDS // int(counts.sum())))
    with tqdm(total=epochs * len(sentences), desc="word2vec", unit="row", disable=None, leave=False) as bar:
        passes = _Passes(sentences, range(words + FIRST_WORD), bar)
        model.train(passes, total_examples=len(sentences), epochs=epochs)
    return assembled(dict(zip(model.wv.index_to_key, model.wv.vectors, strict=True)), words, seed)


def learn_subwords(sentences: Sequences, words: list[str], seed: int) -> Matrix:
    """Return fastText's vectors of the training sentences (Bojanowski et al. 2017): float32 [words + 2, 100].

    A word's vector is the mean of its own and of those of its n-grams of 3 to 6 characters, so that a
    rare word is near those it is spelled like. Rows 0 and 1 are zero. Of a large corpus a sample of the
    rows is read. The same seed gives the same bits.
    """
    logging.getLogger("gensim").setLevel(logging.ERROR)
    from gensim.models.fasttext import FastText  # here, since it takes 3 seconds

    # MR and GloVe's vectors: the map explains 5.6 % of words held out; with a window of 5 5.3 %, at half
    # the rate 5.1 %, with CBOW 4.0 %, with 50 dimensions 4.6 %.
    model = FastText(
        vector_size=SUBWORD_DIMENSIONS,
        bucket=NGRAM_ROWS,
        sg=1,
        window=3,
        negative=5,
        alpha=0.1,
        sample=1e-3,
        min_count=1,
        seed=seed,
        workers=1,
    )
    counts = np.bincount(sentences.ids, minlength=len(words) + FIRST_WORD)[FIRST_WORD:]
    # A word that no sentence holds has its n-grams all the same.
    model.build_vocab_from_freq(dict(zip(words, np.maximum(counts, 1).tolist(), strict=True)))
    rows = np.random.default_rng(seed).permutation(len(sentences))
    read = np.cumsum(sentences.lengths[rows])
    sample = sentences.select(rows[: 1 + int(np.searchsorted(read, SUBWORD_RUNNING_WORDS))])
    epochs = min(MOST_EPOCHS, max(1, SUBWORD_RUNNING_WORDS // max(1, len(sample.ids))))
    with tqdm(total=epochs * len(sample), desc="fasttext", unit="row", disable=None, leave=False) as bar:
        model.train(_Passes(sample, ["", "", *words], bar), total_examples=len(sample), epochs=epochs)
    matrix = np.zeros((len(words) + FIRST_WORD, SUBWORD_DIMENSIONS), np.float32)
    matrix[FIRST_WORD:] = model.wv[words]
    return matrix


@dataclass(frozen=True)
class Coverage:
    """How much of the vocabulary, and of the running words of the training part, has a pretrained vector."""

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


def coverage(found: NDArray[np.bool_], sentences: Sequences) -> Coverage:
    """`found` is bool [words]: which have a vector. Unknown words are running words without one."""
    counts = np.bincount(sentences.ids, minlength=len(found) + FIRST_WORD)
    known = int(counts[FIRST_WORD:][found].sum())
    return Coverage(int(found.sum()), len(found), known, len(sentences.ids))


def _uniform(words: int, dimensions: int, bound: float, seed: int) -> Matrix:
    matrix = np.random.default_rng(seed).random((words + FIRST_WORD, dimensions), np.float32)
    matrix -= 0.5
    matrix *= 2 * bound
    matrix[PADDING] = 0
    return matrix


def assembled(rows: Rows, words: int, seed: int) -> Matrix:
    """The rows given; the others U(-a, a) with their variance, a²/3 (Kim 2014, section 4.3)."""
    vectors = np.stack(list(rows.values()))
    bound = math.sqrt(3 * float(np.var(vectors, dtype=np.float64)))
    matrix = _uniform(words, vectors.shape[1], bound, seed)
    matrix[list(rows)] = vectors
    return matrix


class _Passes:
    """Sentences as lists of ids' names, as often as gensim asks for them; the bar counts."""

    def __init__(self, sentences: Sequences, names: Sequence[Any], bar: tqdm[Any]) -> None:
        self.sentences = sentences
        self.names = names
        self.bar = bar

    def __iter__(self) -> Iterator[list[Any]]:
        ids, offsets = self.sentences.ids, self.sentences.offsets.tolist()
        for start, end in pairwise(offsets):
            yield [self.names[i] for i in ids[start:end].tolist()]
            self.bar.update()

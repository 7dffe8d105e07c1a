"""Word vectors learned from the corpus by word2vec, and by fastText: the only module that imports gensim."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..inputs import PADDING, Sequences
from ..progress import Bar
from .matrix import FIRST_WORD, MIN_COUNT, Matrix, assemble_matrix, random_vectors, sample, word_counts

MAX_EPOCHS = 20
MAX_SUBWORD_TOKENS = 2_000_000  # that `learn_subwords` reads in all epochs together: 10 seconds' work
SUBWORD_DIMENSIONS = 100
NGRAM_BUCKETS = 1 << 17  # n-grams share vectors by their hash


def learn_vectors(sentences: Sequences, words: int, dimensions: int, tokens: int, seed: int) -> Matrix:
    """Return word2vec's vectors of the training part (Mikolov et al. 2013: skip-gram, negative sampling).

    `tokens` bounds those that are read in all epochs together: 12,000,000 take 30 to 60 seconds. A small
    corpus is read more often than a large one, at most 20 times. Words too rare to learn, and
    the unknown word, are uniform with the variance of those learned. The same seed gives the same bits.
    """
    counts = word_counts(sentences, words)
    if counts.max() < MIN_COUNT:
        return random_vectors(words, dimensions, seed)

    logging.getLogger("gensim").setLevel(logging.ERROR)  # it warns of small corpora
    from gensim.models.word2vec import Word2Vec  # imported late: it takes 3 seconds

    # Skip-gram learns more than CBOW from small corpora, and more at twice the usual rate and with frequent
    # words hardly thinned out.
    # With more than one worker the order of the updates is the operating system's.
    model = Word2Vec(
        vector_size=dimensions,
        sg=1,
        window=5,
        negative=5,
        alpha=0.05,
        sample=1e-2,
        min_count=MIN_COUNT,
        seed=seed,
        workers=1,
    )
    model.build_vocab_from_freq({int(i): int(counts[i]) for i in counts.nonzero()[0]})
    epochs = min(MAX_EPOCHS, max(1, tokens // int(counts.sum())))
    with _Passes(sentences, range(words + FIRST_WORD), epochs, "word2vec") as passes:
        model.train(passes, total_examples=len(passes), epochs=epochs)
    return assemble_matrix(dict(zip(model.wv.index_to_key, model.wv.vectors, strict=True)), words, seed)


def learn_subwords(sentences: Sequences, words: list[str], seed: int) -> Matrix:
    """Return fastText's vectors of the training sentences (Bojanowski et al. 2017): float32 [words + 2, 100].

    A word's vector is the mean of its own and of those of its n-grams of 3 to 6 characters, so that a
    rare word is near those it is spelled like. Rows 0 and 1 are zero. Of a large corpus a sample of the
    rows is read. The same seed gives the same bits.
    """
    logging.getLogger("gensim").setLevel(logging.ERROR)
    from gensim.models.fasttext import FastText  # imported late: it takes 3 seconds

    # Chosen so that the map to GloVe's vectors (`missing_vectors`) explains most of held-out words on MR.
    model = FastText(
        vector_size=SUBWORD_DIMENSIONS,
        bucket=NGRAM_BUCKETS,
        sg=1,
        window=3,
        negative=5,
        alpha=0.1,
        sample=1e-3,
        min_count=1,
        seed=seed,
        workers=1,
    )
    counts = word_counts(sentences, len(words))[FIRST_WORD:]
    # A word that no sentence holds has its n-grams all the same.
    model.build_vocab_from_freq(dict(zip(words, np.maximum(counts, 1).tolist(), strict=True)))
    read = sample(sentences, MAX_SUBWORD_TOKENS, seed)
    epochs = min(MAX_EPOCHS, max(1, MAX_SUBWORD_TOKENS // max(1, len(read.ids))))
    with _Passes(read, ["", "", *words], epochs, "fasttext") as passes:
        model.train(passes, total_examples=len(passes), epochs=epochs)
    matrix = np.zeros((len(words) + FIRST_WORD, SUBWORD_DIMENSIONS), np.float32)
    matrix[FIRST_WORD:] = model.wv[words]
    return matrix


class _Passes:
    """An iterable of sentences as lists of names, for as many epochs as gensim reads, with a bar meanwhile.

    The texts of two columns are two sentences.
    """

    def __init__(self, sentences: Sequences, names: Sequence[Any], epochs: int, title: str) -> None:
        self.sentences = sentences
        self.names = names
        boundaries = np.flatnonzero(sentences.ids == PADDING)
        starts = np.sort(np.concatenate([sentences.offsets[:-1], boundaries + 1]))
        ends = np.sort(np.concatenate([sentences.offsets[1:], boundaries]))
        self._bounds = list(zip(starts.tolist(), ends.tolist(), strict=True))
        self.bar = Bar(title, epochs * len(self), unit="sentence")

    def __enter__(self) -> _Passes:
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.close()

    def __iter__(self) -> Iterator[list[Any]]:
        ids = self.sentences.ids
        for start, end in self._bounds:
            yield [self.names[i] for i in ids[start:end].tolist()]
            self.bar.update()

    def __len__(self) -> int:
        return len(self._bounds)

"""The vectors that both channels start from, of all the kinds that there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..inputs import Sequences
from ..options import Embed, derived_seed
from . import (
    learned_vectors,
    missing_vectors,
    sentence_encoder,
    spectral_vectors,
    vector_checks,
    vector_files,
    vector_sources,
)
from .matrix import Matrix, coverage, random_vectors

Mask = NDArray[np.bool_]  # of words
LEARNERS = {"corpus": learned_vectors.learn_vectors, "spectral": spectral_vectors.factorize}


class StartVectors(NamedTuple):
    """Vectors float32 [vocabulary + 2, dimensions], and what there is to say of those that are pretrained.

    `found`, bool [vocabulary + 2], is true for those that are pretrained, or for all if none is. `shares` are
    the shares of words that have one, by file, and `lines` are for the user.
    """

    vectors: Matrix
    found: Mask
    shares: dict[str, Any]
    lines: list[str]


class _Pretrained(NamedTuple):
    """A matrix; which words have a vector; which are known whole; what is odd about the file."""

    matrix: Matrix
    found: Mask
    whole: Mask
    odd: list[str]


def start_vectors(
    embed: Embed, words: list[str], sentences: Sequences, seed: int, fetch: Callable[[str], Path]
) -> StartVectors:
    """Return the vectors of `words`, learned from the training rows `sentences` or read, side by side.

    `fetch` returns the file of vectors that have a name in `vector_sources.DOWNLOADS`. Raises InputError for
    what cannot be read.
    """
    learned_subwords = cache(lambda: learned_vectors.learn_subwords(sentences, words, seed))
    matrices: list[Matrix] = []
    found, lines, files = np.zeros(len(words), np.bool_), list[str](), dict[str, Any]()
    for number, start in enumerate(embed.vectors):
        own_seed = derived_seed(seed, number)
        if start == "random":
            matrix = random_vectors(len(words), embed.dimensions, own_seed)
        elif start in LEARNERS:
            learn = LEARNERS[start]
            matrix = learn(sentences, len(words), embed.dimensions, embed.corpus_tokens, own_seed)
        else:
            matrix, in_file, whole, odd = _read(start, words, own_seed, fetch)
            filling = missing_vectors.Filling()
            if embed.missing == "subwords":
                matrix, filling = missing_vectors.fill_missing(matrix, in_file, learned_subwords(), own_seed)
            found |= in_file
            covered = coverage(in_file, sentences)
            warnings = odd + vector_checks.warnings(matrix, in_file, whole, words, sentences)
            lines += [covered.summary, filling.summary, *(f"caution: {start} {text}" for text in warnings)]
            files[start] = covered.shares | {"missing": asdict(filling), "warnings": warnings}
        matrices.append(matrix)
    shares = coverage(found, sentences).shares | {"files": files} if files else {}
    known = np.concatenate([[True, not files], found | (not files)])
    return StartVectors(np.concatenate(matrices, axis=1), known, shares, lines)


def _read(start: str, words: list[str], seed: int, fetch: Callable[[str], Path]) -> _Pretrained:
    if vector_sources.is_encoder(start):
        encoded = sentence_encoder.encode_words(start, words, seed)
        return _Pretrained(encoded.matrix, encoded.found, encoded.whole, [])
    path, beside_word = Path(start), ""
    if download := vector_sources.download(start):
        path, beside_word = fetch(start), download.beside_word
    matrix, in_file, odd = vector_files.read_vectors(path, words, seed, beside_word)
    return _Pretrained(matrix, in_file, in_file, odd)

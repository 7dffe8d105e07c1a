"""Warnings of pretrained vectors that will hardly help: of another language, or the same for many words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..inputs import Sequences
from .matrix import FIRST_WORD, Matrix

FREQUENT = 100  # words by which a language is told
MIN_FREQUENT = 20  # from fewer it is not
# English files of 10,000 and of 150,000 words, and an English encoder, know 83 to 100 % of the frequent words
# of English corpora, and 2 to 60 % of those of ten other languages.
MIN_KNOWN = 0.75
MIN_DISTINCT = 0.75  # `The` may share the vector of `the`


def warnings(
    matrix: Matrix, found: NDArray[np.bool_], whole: NDArray[np.bool_], words: list[str], sentences: Sequences
) -> list[str]:
    """Return the warnings about pretrained vectors, float32 [words + 2, dimensions].

    `found` is bool [words], whether a word has one; `whole`, whether the word as such is known to them, which
    a sentence encoder may have spelled from parts.
    """
    both = _language_warning(whole, words, sentences), _sharing_warning(matrix[FIRST_WORD:][found])
    return [warning for warning in both if warning]


def _language_warning(whole: NDArray[np.bool_], words: list[str], sentences: Sequences) -> str:
    """Return a warning if few of the frequent words are known, else "".

    These tell a language better than running words do: a file of it has them however small it is, and lists
    of English words from the web have many foreign ones, but the short words of no one other language.
    """
    counts = np.bincount(sentences.ids, minlength=len(words) + FIRST_WORD)[FIRST_WORD:]
    by_count = np.argsort(-counts, kind="stable").tolist()
    frequent = [row for row in by_count if words[row].isalpha()][:FREQUENT]
    known = int(whole[frequent].sum())
    if len(frequent) < MIN_FREQUENT or known >= MIN_KNOWN * len(frequent):
        return ""
    return (
        f"knows {known} of the {len(frequent)} most frequent words; it seems to be of another language than "
        "the texts"
    )


def _sharing_warning(vectors: Matrix) -> str:
    """Return a warning if many of the vectors, float32 [words, dimensions], are equal, else ""."""
    distinct = len({hash(vector.tobytes()) for vector in vectors})
    if distinct >= MIN_DISTINCT * len(vectors):
        return ""
    return f"has {distinct:,} different vectors for {len(vectors):,} words, and cannot tell the others apart"

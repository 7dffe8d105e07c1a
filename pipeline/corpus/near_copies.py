"""Texts that are nearly those of the training part: what they teach, a test would measure again."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Sequence
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from .split import folded

SHINGLE = 3  # words
CANDIDATES = 100
_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # each a word: they are written without spaces
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+")


def near_copies(texts: Sequence[str], training: NDArray[np.bool_]) -> dict[int, tuple[int, float]]:
    """Row outside training -> the training row most like it and their resemblance, where that is 0.8 or more.

    Resemblance is Jaccard's index of the sets of shingles, three successive words each, case and punctuation
    aside (Broder 1997, On the resemblance and containment of documents). A shorter text is one shingle.

    Two sets that resemble by 0.8 share one of their rarest fifth (Chaudhuri, Ganti and Kaushik 2006, A
    primitive operator for similarity joins), so only texts that do are compared, and exactly. A row is
    compared with CANDIDATES that share its rarest: only among more variants of one text can a copy be missed.
    """
    text, shingle = _shingles(texts, training)
    size = np.bincount(text, minlength=len(texts))
    start = np.concatenate([[0], np.cumsum(size)])
    sets = np.split(shingle, start[1:-1])
    rare = np.flatnonzero(np.arange(len(text)) - start[text] <= size[text] // 5)

    # The index: training texts by rare shingle, then size, so that a range of it holds the right sizes only.
    sizes = int(size.max(initial=0)) + 1
    key = shingle[rare] * sizes + size[text[rare]]
    inside = training[text[rare]]
    order = np.argsort(key[inside], kind="stable")
    index, indexed = key[inside][order], text[rare][inside][order]

    asking, own = text[rare][~inside], key[~inside]
    least = own - size[asking] // 5
    most = own + np.minimum(size[asking] // 4, sizes - 1 - size[asking])
    middle = np.searchsorted(index, own)
    low = np.maximum(np.searchsorted(index, least), middle - CANDIDATES)
    high = np.minimum(np.searchsorted(index, most, "right"), middle + CANDIDATES)
    candidates: dict[int, list[NDArray[np.int64]]] = defaultdict(list)
    for entry in np.flatnonzero(low < high).tolist():
        candidates[int(asking[entry])].append(indexed[low[entry] : high[entry]])

    found = {}
    for row, lists in candidates.items():
        others = pd.unique(np.concatenate(lists))[:CANDIDATES]
        similarity, other = max((_resemblance(sets[row], sets[other]), -other) for other in others.tolist())
        if similarity >= 0.8:
            found[row] = (-other, similarity)
    return found


def _resemblance(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


def _shingles(texts: Sequence[str], training: NDArray[np.bool_]) -> tuple[NDArray[np.int64], ...]:
    """Text and shingle of each different pair, by text, and in it from rare in training to frequent."""
    vocabulary: dict[str, int] = defaultdict(count().__next__)
    ids, lengths = array("q"), []
    for text in tqdm(texts, "near copies", unit="text", leave=False, disable=None):
        words = _WORD.findall(folded(text))
        words += [""] * (SHINGLE - len(words)) if words else []
        ids.extend(map(vocabulary.__getitem__, words))
        lengths.append(len(words))
    words_of = np.repeat(np.arange(len(texts)), lengths)
    begins = np.flatnonzero(words_of[: 1 - SHINGLE] == words_of[SHINGLE - 1 :])
    word = np.array(ids, np.uint64)
    code = word[begins]
    for offset in range(1, SHINGLE):  # exact up to 2.6 million words; beyond, a hash modulo 2^64
        code = code * np.uint64(len(vocabulary)) + word[begins + offset]
    shingle, different = pd.factorize(code)
    text_of = words_of[begins]
    frequency = np.bincount(shingle[training[text_of]], minlength=len(different))
    rank = np.empty(len(different), np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(different))
    pairs = np.sort(text_of * len(different) + rank[shingle])  # numpy.unique's hash takes five times as long
    return np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], max(1, len(different)))

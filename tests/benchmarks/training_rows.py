"""Labelled rows to train on, made by seed, of any number: learnable, and too noisy to be learned in full.

The words have Zipf's frequencies, and a stem and an ending each, so that the characters of a rare word tell
something of it. A text has a few words of its class, and fewer of another, however long it is; where there
are many classes, they share words. Some labels are wrong. The first class is twice as frequent as the last.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

SHORT, LONG = 27, 250  # tokens of a text, in the mean
SPREAD = 0.5  # of the logarithm of their number
EXPONENT = 1.25  # of Zipf's law: 10,000 short texts have as many different words as those of films
ENDINGS = ["", "s", "ed", "ing"]
STEMS = 50_000
OWN_STEMS = 100  # of a class
OWN_AMONG = slice(10, 5_000)  # of the stems by frequency: neither "the" nor rare ones
OWN_WORDS, OTHER_WORDS = 4.0, 1.0  # of a text, in the mean: of its class, and of another one
WRONG_LABELS = 0.04
PIECE = 50_000  # rows made at a time


def write_rows(path: Path, rows: int, classes: int, length: int = SHORT, seed: int = 1) -> None:
    """Write a CSV with columns `id`, `text` and `label`; one seed gives one file."""
    language = _Language(classes, length, seed)
    schema = pa.schema([("id", pa.int64()), ("text", pa.string()), ("label", pa.string())])
    with csv.CSVWriter(path, schema) as writer:
        for start in range(0, rows, PIECE):
            ids = np.arange(start, min(start + PIECE, rows))
            texts, labels = language.rows(len(ids))
            writer.write_batch(pa.record_batch([pa.array(ids), texts, labels], schema=schema))


class _Language:
    """Texts and labels, from one source of chance."""

    def __init__(self, classes: int, length: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._length = length
        self._words = pa.array(stem + ending for stem in _stems() for ending in ENDINGS)
        self._names = pa.array(f"class {number}" for number in range(1, classes + 1))
        self._ranks = _Zipf(len(self._words))
        self._own_ranks = _Zipf(OWN_STEMS * len(ENDINGS))
        among = np.arange(STEMS)[OWN_AMONG]
        stems = np.array([self._random.choice(among, OWN_STEMS, replace=False) for _ in range(classes)])
        endings = np.arange(len(ENDINGS))
        # The words of each class by frequency, int64 [classes, own words].
        self._own = (stems[:, :, None] * len(ENDINGS) + endings).reshape(classes, -1)

    def rows(self, count: int) -> tuple[pa.Array, pa.Array]:
        """Return texts and labels, strings [count]."""
        random, classes = self._random, len(self._names)
        labels = (classes * (2 ** random.random(count) - 1)).astype(np.int64)
        lengths = self._length * random.lognormal(-(SPREAD**2) / 2, SPREAD, count)
        ends = np.cumsum(np.maximum(3, np.rint(lengths)).astype(np.int64))
        ids = self._ranks.draw(random, ends[-1])
        self._say(ids, ends, random.integers(0, classes, count), OTHER_WORDS)
        self._say(ids, ends, labels, OWN_WORDS)
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        words = pa.ListArray.from_arrays(pa.array(offsets), self._words.take(pa.array(ids)))
        wrong = random.random(count) < WRONG_LABELS
        labels[wrong] = random.integers(0, classes, wrong.sum())
        return pc.binary_join(words, " "), self._names.take(pa.array(labels))

    def _say(self, ids: np.ndarray, ends: np.ndarray, classes: np.ndarray, mean: float) -> None:
        """Put words of a class, int64 [rows], into each text; the texts, int64 [tokens], end at `ends`."""
        row = np.repeat(np.arange(len(ends)), self._random.poisson(mean, len(ends)))
        starts = np.concatenate([[0], ends[:-1]])
        places = starts[row] + (self._random.random(len(row)) * (ends - starts)[row]).astype(np.int64)
        ids[places] = self._own[classes[row], self._own_ranks.draw(self._random, len(row))]


class _Zipf:
    """Ranks, from 0, of which each is drawn about as often as rank ** -EXPONENT."""

    def __init__(self, ranks: int) -> None:
        weights = (np.arange(ranks) + 2.7) ** -EXPONENT  # as Mandelbrot has it of texts
        self._cumulative = np.cumsum(weights / weights.sum())

    def draw(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Return ranks, int64 [count]."""
        ranks = np.searchsorted(self._cumulative, random.random(count))
        return np.minimum(ranks, len(self._cumulative) - 1)


def _stems() -> list[str]:
    """Return the stems, the short ones first, as frequent words are short."""
    syllables = [first + second for first, second in product("bdfghjklmnprstvz", "aeiou")]
    stems = [*syllables, *map("".join, product(syllables, repeat=2))]
    longer = ("".join(parts) for parts in product(syllables, repeat=3))
    return stems + [stem for stem, _ in zip(longer, range(STEMS - len(stems)), strict=False)]

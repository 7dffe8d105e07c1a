"""The kernels by hand, and against a dictionary and plain NumPy."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import Sequences
from pipeline.linear.kernels import (
    NOT_FOUND,
    character_logits,
    find,
    hash_table,
    longest_row,
    ngram_keys,
    rows_with,
    token_logits,
    token_ngram_keys,
    word_rows,
)

PAIR = 2 << 32 | 3
TRIPLES = {(2, 3, 3): 1 << 62 | 2 << 40 | 3 << 20 | 3, (3, 3, 3): 1 << 62 | 3 << 40 | 3 << 20 | 3}
keys_of = st.sets(st.integers(0, 2**62), max_size=60).map(lambda keys: np.array(sorted(keys), np.int64))
words_of = st.lists(st.text("abé ", max_size=8) | st.text(max_size=8), max_size=5)


@given(keys_of, st.integers(0, 2**62))
def test_a_key_is_found_at_its_index_and_no_other_is(keys: np.ndarray, other: int) -> None:
    slots = hash_table(keys)
    assert len(slots) >= 2 * len(keys) and len(slots).bit_count() == 1
    assert [find(key, slots) for key in keys] == list(range(len(keys)))
    assert find(np.int64(other), slots) == (keys.tolist().index(other) if other in keys else NOT_FOUND)


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_no_n_gram_reaches_over_the_end_of_a_row(longest: int) -> None:
    rows = Sequences.from_rows([[1, 2], [], [3], [4, 5, 6, 7]])
    keys, starts = token_ngram_keys(rows.ids, rows.offsets, longest)
    pairs = [first << 32 | second for first, second in pairwise(range(8))]
    six, seven = 1 << 62 | 4 << 40 | 5 << 20 | 6, 1 << 62 | 5 << 40 | 6 << 20 | 7
    ending_in = [[1], [2, pairs[1]], [3], [4], [5, pairs[4]], [6, pairs[5], six], [7, pairs[6], seven]]
    of_tokens = [ngrams[:longest] for ngrams in ending_in]
    assert keys.tolist() == [key for of_token in of_tokens for key in of_token]
    sizes = [len(of_token) for of_token in of_tokens]
    assert starts.tolist() == [0, sum(sizes[:2]), sum(sizes[:2]), sum(sizes[:3]), sum(sizes)]


@given(
    st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=5),
    st.lists(st.sets(st.integers(0, 5)), min_size=4),
)
def test_a_row_counts_once_for_each_n_gram_of_its_words(rows: list[list[int]], words: list[set[int]]) -> None:
    of_rows, of_words = Sequences.from_rows(rows), Sequences.from_rows(list(map(sorted, words)))
    found = rows_with(of_rows.offsets, of_rows.ids, of_words.offsets, of_words.ids, 6)
    counts = Counter(ngram for row in rows for ngram in set().union(*(words[word] for word in row)))
    assert found.tolist() == [counts[ngram] for ngram in range(6)]


@given(st.lists(st.lists(st.integers(1, 4), max_size=6), max_size=5))
def test_logits_are_those_of_plain_numpy(rows: list[list[int]]) -> None:
    keys = np.array([2, 3, PAIR, 3 << 32 | 3])
    idf = np.array([1, 2, 0.5, 3], np.float32)
    weights = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    bias = np.array([0.5, -1, 0], np.float32)
    sequences = Sequences.from_rows(rows)
    logits = token_logits(sequences.ids, sequences.offsets, hash_table(keys), idf, weights, bias, 2)
    for row, logit in zip(rows, logits, strict=True):
        counts = Counter([*row, *(first << 32 | second for first, second in pairwise(row))])
        found = np.array([counts[key] for key in keys.tolist()])
        x = np.where(found > 0, 1 + np.log(np.maximum(found, 1)), 0) * idf
        np.testing.assert_allclose(logit, x @ weights / (np.linalg.norm(x) or 1) + bias, rtol=1e-5, atol=1e-5)


@given(st.lists(st.lists(st.integers(1, 4), max_size=7), max_size=5))
def test_triples_count_too_where_they_are_the_longest(rows: list[list[int]]) -> None:
    """Of "3 3 3" the pair "3 3" is known, and of "2 3 3" both pairs are."""
    keys = np.array([2, 3, PAIR, 3 << 32 | 3, *TRIPLES.values()])
    idf = np.array([1, 2, 0.5, 3, 1, 2], np.float32)
    weights = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    bias = np.array([0.5, -1, 0], np.float32)
    sequences = Sequences.from_rows(rows)
    logits = token_logits(sequences.ids, sequences.offsets, hash_table(keys), idf, weights, bias, 3)
    for row, logit in zip(rows, logits, strict=True):
        triples = [TRIPLES.get(run) for run in zip(row, row[1:], row[2:], strict=False)]
        counts = Counter([*row, *(first << 32 | second for first, second in pairwise(row)), *triples])
        found = np.array([counts[key] for key in keys.tolist()])
        x = np.where(found > 0, 1 + np.log(np.maximum(found, 1)), 0) * idf
        np.testing.assert_allclose(logit, x @ weights / (np.linalg.norm(x) or 1) + bias, rtol=1e-5, atol=1e-5)


def test_the_longest_row_of_none_has_no_tokens() -> None:
    assert longest_row(np.array([0])) == 0
    assert longest_row(np.array([0, 2, 7, 8])) == 5


# n-grams of characters


def letters(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    points = np.array([ord(letter) for word in words for letter in word], np.int32)
    return points, np.cumsum([0, *map(len, words)])


def fnv(text: str) -> int:
    """The 64-bit FNV-1a hash of code points, as int64."""
    code = 14695981039346656037
    for letter in text:
        code = (code ^ ord(letter)) * 1099511628211 % 2**64
    return code - 2**64 if code >= 2**63 else code


def ngrams_of(word: str) -> list[str]:
    """The n-grams in the order of their first characters."""
    padded = f" {word} "
    return [
        padded[start : start + size]
        for start in range(len(padded))
        for size in range(2, 6)
        if start + size <= len(padded)
    ]


def test_the_n_grams_of_a_word_are_the_runs_of_two_to_five_characters_between_its_blanks() -> None:
    assert ngrams_of("ab") == [" a", " ab", " ab ", "ab", "ab ", "b "]
    keys, starts = ngram_keys(*letters(["ab"]))
    assert starts.tolist() == [0, 6]
    assert keys.tolist() == [fnv(text) for text in (" a", " ab", " ab ", "ab", "ab ", "b ")]


def test_an_n_gram_at_an_end_is_another_than_inside_and_equal_ones_have_equal_keys() -> None:
    keys, starts = ngram_keys(*letters(["ab", "abc", "xab"]))
    inside = {fnv("ab")}
    ab, abc, xab = (set(keys[start:end].tolist()) for start, end in pairwise(starts))
    assert ab & abc == inside | {fnv(" a"), fnv(" ab")}
    assert ab & xab == inside | {fnv("ab "), fnv("b ")}
    assert abc & xab == inside
    assert len({*keys.tolist()}) == len({*ngrams_of("ab"), *ngrams_of("abc"), *ngrams_of("xab")})


@pytest.mark.parametrize(("word", "count"), [("", 1), ("a", 3), ("ab", 6), ("abc", 10), ("abcd", 14)])
def test_a_word_has_as_many_n_grams_as_counted_by_hand(word: str, count: int) -> None:
    """Of " abc " there are four, three, two and one of two to five characters; of a longer word four more."""
    keys, starts = ngram_keys(*letters([word]))
    assert len(keys) == starts[-1] == count


@given(words_of)
def test_the_keys_are_the_hashes_of_the_n_grams(words: list[str]) -> None:
    keys, starts = ngram_keys(*letters(words))
    assert keys.tolist() == [fnv(text) for word in words for text in ngrams_of(word)]
    assert np.diff(starts).tolist() == [len(ngrams_of(word)) for word in words]


@given(words_of)
def test_a_words_row_is_that_of_plain_numpy(words: list[str]) -> None:
    known = ["ab", " a", "aa", "é ", "bb", "aba"]
    order = np.argsort([fnv(text) for text in known])
    known = [known[place] for place in order]
    idf = np.array([1, 2, 0.5, 3, 1, 1.5], np.float32)
    weights = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    slots = hash_table(np.array([fnv(text) for text in known]))
    rows = word_rows(*ngram_keys(*letters(words)), slots, idf, weights)
    assert rows.shape == (len(words), 4) and rows.dtype == np.float32
    for word, row in zip(words, rows, strict=True):
        counts = Counter(ngrams_of(word))
        u = np.array([counts[text] for text in known]) * idf
        np.testing.assert_allclose(row, [*(u @ weights), u @ u], rtol=1e-5, atol=1e-5)


def test_logits_of_words_are_those_computed_by_hand() -> None:
    """Two classes and a squared length: words 0 and 1 are of the vocabulary, word 2 is outside it."""
    known = np.array([[0, 0, 0], [3, 6, 9]], np.float32)
    unseen = np.array([[4, -4, 16]], np.float32)
    words, offsets = np.array([1, 1, 2, 0, 1, 2], np.int32), np.array([0, 1, 1, 4, 6])
    logits = character_logits(words, offsets, known, unseen, np.array([0.5, -1], np.float32))
    expected = [
        [3 / 3, 6 / 3],
        [0, 0],  # no words
        [(3 + 4) / 5, (6 - 4) / 5],  # 9 + 16 = 25; word 0 adds nothing
        [(3 + 4) / 5, (6 - 4) / 5],
    ]
    np.testing.assert_allclose(logits, np.array(expected) + np.array([0.5, -1]), rtol=1e-6)


@given(st.lists(st.lists(st.integers(0, 6), max_size=6), max_size=5))
def test_logits_of_words_are_those_of_plain_numpy(rows: list[list[int]]) -> None:
    table = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
    table[:, -1] **= 2
    bias, texts = np.array([0.5, -1, 0], np.float32), Sequences.from_rows(rows)
    logits = character_logits(texts.ids, texts.offsets, table[:4], table[4:], bias)
    for row, logit in zip(rows, logits, strict=True):
        total = table[np.array(row, int)].sum(axis=0)
        expected = total[:3] / (np.sqrt(total[3]) if total[3] > 0 else 1) + bias
        np.testing.assert_allclose(logit, expected, rtol=1e-4, atol=1e-4)

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.arrays import sample
from pipeline.corpus.near_copies import (
    BYTES,
    MAX_CANDIDATES,
    MAX_MASKED,
    MIN_MASKED,
    MIN_WORDS,
    SHARE,
    NearTexts,
)

ALPHABET = "abcdefghijklmnopqrstuvwxyz".upper()
WORDS = [f"{first}{second}" for first in "klmn" for second in ALPHABET]  # 104


def near_texts(texts: list[str]) -> NearTexts:
    return NearTexts(pd.Series(texts, dtype="str"), 1 << 30)


def near(query: str, training: str) -> float | None:
    found = near_texts([training, query]).copies_of(np.array([True, False]))
    return found[1][1] if found else None


def words(count: int, start: int = 0) -> str:
    return " ".join(WORDS[start : start + count])


def test_resemblance_is_that_of_the_sets_of_three_word_shingles() -> None:
    assert near(words(12), words(10)) == 0.8  # 8 of 10 shingles
    assert near(words(12), words(9)) is None  # 7 of 10


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Please cancel order 4711", "please cancel order 99"),
        ("your code is 12 34", "your code is 5"),
        ("paid 1,000.50 EUR to us", "paid 7 EUR to us"),
        ("room b12 is free", "room b7 is free"),
    ],
)
def test_texts_that_differ_in_numbers_are_copies(first: str, second: str) -> None:
    assert near(first, second) == 1


def test_numbers_alone_make_no_copies() -> None:
    assert near("12 34", "56") is None
    assert near("call 12", "call 56") is None  # fewer words than MIN_WORDS
    assert near("call me 12", "call me 56") is None
    assert near("do call me 12", "do call me 56") == 1


def test_texts_of_six_words_or_more_are_copies_if_one_word_differs() -> None:
    assert near("how do I track my parcel", "how do I return my parcel") == pytest.approx(5 / 6)
    assert near("how do I track parcels", "how do I return parcels") is None
    assert near("order 12 from Ann Smith went to Bern", "order 7 from Ann Jones went to Bern") == 7 / 8
    assert near("how do I track my parcel", "how did I return my parcel") is None


@pytest.mark.parametrize("length", [*range(MIN_MASKED, MAX_MASKED + 3), 60])
@pytest.mark.parametrize("place", [0, 3, -1])
def test_one_other_word_is_found_at_every_length(length: int, place: int) -> None:
    """By its mask up to MAX_MASKED words, and by shingles beyond."""
    other = words(length).split()
    other[place] = "other"
    assert near(" ".join(other), words(length)) is not None


def test_short_texts_do_not_chain_a_corpus_together() -> None:
    texts = [f"what is {first} {second}" for first in WORDS[:20] for second in WORDS[20:40]]
    assert len(near_texts(texts).pairs().first) == 0


def test_a_language_without_spaces_is_compared_by_characters_two_to_a_word() -> None:
    text = "酒店的房間很乾淨服務也不錯下次還會住"
    assert near(text + "的", text) == pytest.approx(16 / 17)
    assert near(text.replace("淨", "凈"), text) == pytest.approx(17 / 18)
    assert near("房間很乾淨", "房間很骯髒") is None
    assert near("房間很好呀", "房間很差呀") is None


def test_the_most_alike_training_text_is_chosen_and_only_of_training() -> None:
    text = words(20)
    texts = [text + " one two", text + " one", text + " one 1", text, text + " one 2"]
    found = near_texts(texts).copies_of(np.array([True, True, False, False, True]))
    assert found == {2: (4, 1.0), 3: (1, 18 / 19)}


def test_a_copy_is_found_among_more_variants_than_are_compared() -> None:
    variants = [f"{words(30)} {words(1, 40 + n % 60)} {words(1, 40 + n // 60)}" for n in range(300)]
    texts = near_texts([*variants, f"{variants[200]} 7"])
    assert len(variants) > 2 * MAX_CANDIDATES
    (found,) = texts.copies_of(np.array([True] * len(variants) + [False])).items()
    assert found[0] == len(variants) and found[1][1] > 0.9


@pytest.mark.parametrize("training", [True, False])
def test_no_texts_on_one_side_have_no_copies(training: bool) -> None:
    assert near_texts(["a b c", "a b c d"]).copies_of(np.array([training] * 2)) == {}
    assert near_texts([]).copies_of(np.zeros(0, bool)) == {}
    assert len(near_texts([]).pairs().first) == 0


def similarity(one: list[str], other: list[str]) -> float:
    """By the definition, pair by pair."""
    if min(len(one), len(other)) < MIN_WORDS:
        return 0.0
    first, second = ({tuple(text[n : n + 3]) for n in range(len(text) - 2)} for text in (one, other))
    found = len(first & second) / len(first | second)
    agreeing = sum(a == b for a, b in zip(one, other, strict=False))
    if len(one) == len(other) and MIN_MASKED <= len(one) <= MAX_MASKED and agreeing == len(one) - 1:
        return max(found if found >= 0.8 else 0, 1 - 1 / len(one))
    return found if found >= 0.8 else 0.0


TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=9), max_size=14, unique_by=tuple)


@settings(deadline=None)
@given(TEXTS, st.data())
def test_a_comparison_of_all_pairs_finds_the_same_copies(texts: list[list[str]], data: st.DataObject) -> None:
    training = np.array([data.draw(st.booleans()) for _ in texts], bool)
    expected: dict[int, tuple[int, float]] = {}
    for row in np.flatnonzero(~training).tolist():
        for other in np.flatnonzero(training).tolist():
            found = similarity(texts[row], texts[other])
            if found > expected.get(row, (0, 1e-9))[1] + 1e-12:
                expected[row] = other, found
    assert near_texts(list(map(" ".join, texts))).copies_of(training) == expected


@settings(deadline=None)
@given(TEXTS)
def test_pairs_connect_what_a_comparison_of_all_pairs_connects(texts: list[list[str]]) -> None:
    def groups(pairs: list[tuple[int, int]]) -> set[frozenset[int]]:
        found = [{text} for text in range(len(texts))]
        for pair in pairs:
            touched = [group for group in found if group & {*pair}]
            found = [group for group in found if group not in touched] + [set().union(*touched)]
        return {frozenset(group) for group in found}

    pairs = near_texts(list(map(" ".join, texts))).pairs()
    of_all = [
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if similarity(texts[one], texts[other])
    ]
    assert groups(list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))) == groups(of_all)


def test_of_more_texts_than_fit_into_the_memory_a_sample_is_searched() -> None:
    texts = [f"{words(20, number)} {end}" for number in range(50) for end in "ab"]
    assert near_texts(texts).searched == 100
    few = int(60.5 * BYTES * len(texts[0]) / SHARE)
    found = NearTexts(pd.Series(texts, dtype="str"), few)
    assert found.searched == 60
    searched = set(sample(np.arange(100), 60, seed=1).tolist())
    expected = {(n, n + 1) for n in range(0, 100, 2) if {n, n + 1} <= searched}
    pairs = {*map(frozenset, zip(found.pairs().first.tolist(), found.pairs().second.tolist(), strict=True))}
    assert {*map(frozenset, expected)} <= pairs
    assert frozenset().union(*pairs) <= searched

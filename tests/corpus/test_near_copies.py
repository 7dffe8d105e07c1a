from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpus.near_copies import MAX_CANDIDATES, near_copies

ALPHABET = " ".join("abcdefghijklmnopqrstuvwxyz")  # 26 words, 24 shingles


def near(query: str, training: str) -> float | None:
    found = near_copies([training, query], np.array([True, False]))
    return found[1][1] if found else None


def test_resemblance_is_that_of_the_sets_of_three_word_shingles() -> None:
    words = ALPHABET.split()
    assert near(" ".join(words[:12]), " ".join(words[:10])) == 0.8  # 8 of 10 shingles
    assert near(" ".join(words[:12]), " ".join(words[:9])) is None  # 7 of 10
    assert near("Thank you!", "thank you") == 1
    assert near("thank you so", "thank you") is None
    assert near("thank\u00adful so much", "Thankful, so much!") == 1
    assert near("!!!", "...") is None  # no words, no resemblance


def test_a_language_without_spaces_is_compared_by_characters() -> None:
    text = "酒店的房間很乾淨服務也不錯下次還會住"
    assert near(text + "。", text) == 1
    assert near(text + "的", text) == pytest.approx(16 / 17)


def test_the_most_alike_training_row_is_chosen_and_only_of_training() -> None:
    texts = [ALPHABET + " one two", ALPHABET + " one", ALPHABET + " one.", ALPHABET, ALPHABET + " one!"]
    found = near_copies(texts, np.array([True, True, False, False, True]))
    assert found == {2: (1, 1.0), 3: (1, 24 / 25)}


def test_a_copy_is_found_among_more_variants_than_are_compared() -> None:
    variants = [f"{ALPHABET} {n}" for n in range(3 * MAX_CANDIDATES)]
    found = near_copies([*variants, f"{ALPHABET} 200!"], np.array([True] * len(variants) + [False]))
    assert found == {len(variants): (200, 1.0)}


@pytest.mark.parametrize("training", [True, False])
def test_no_texts_on_one_side_have_no_copies(training: bool) -> None:
    assert near_copies(["a b c", "a b c d"], np.array([training] * 2)) == {}
    assert near_copies([], np.zeros(0, bool)) == {}


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return {tuple(words[n : n + 3]) for n in range(max(1, len(words) - 2))} if words else set()


@given(st.lists(st.tuples(st.text("abc ", max_size=30), st.booleans()), max_size=25))
def test_a_comparison_of_all_pairs_finds_the_same_copies(rows: list[tuple[str, bool]]) -> None:
    texts, training = [" ".join(text) for text, _ in rows], np.array([inside for _, inside in rows], bool)
    expected: dict[int, tuple[int, float]] = {}
    for row in np.flatnonzero(~training).tolist():
        for other in np.flatnonzero(training).tolist():
            one, two = shingles(texts[row]), shingles(texts[other])
            similarity = len(one & two) / max(1, len(one | two))
            if similarity >= max(0.8, expected.get(row, (0, 0.0))[1] + 1e-12):
                expected[row] = (other, similarity)
    assert near_copies(texts, training) == expected

"""Words outside the vocabulary."""

from __future__ import annotations

from os.path import commonprefix

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import UNKNOWN
from pipeline.options import Tokenize
from pipeline.text.encoder import TextEncoder
from pipeline.text.similar_words import MIN_PREFIX, MIN_SHARE, SimilarWords

WORDS = ["watch", "remake", "watched", "watches", "film", "unwatchable"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("remakes", "remake"),
        ("remade", None),  # three in common
        ("watching", None),  # `watch` is less than 0.7 of it
        ("watchers", "watched"),  # as near as `watches`, and before it
        ("filmographies", None),  # `film` is less than 0.7 of it
        ("films", "film"),
        ("fil", None),
        ("unwatchables", "unwatchable"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_word_with_the_longest_beginning_in_common_stands_for_another(
    word: str, expected: str | None
) -> None:
    like = SimilarWords(WORDS).find(word)
    assert (None if like is None else WORDS[like]) == expected


def test_of_words_equally_near_the_most_frequent_is_taken() -> None:
    assert SimilarWords(["tested", "tester"]).find("testes") == 0
    assert SimilarWords(["tester", "tested"]).find("testes") == 0


@given(st.lists(st.text("abcé", max_size=9), unique=True), st.text("abcé", max_size=9))
def test_what_is_found_is_the_best_of_all_words(words: list[str], word: str) -> None:
    found = SimilarWords(words).find(word)
    prefixes = [commonprefix([word, known]) for known in words]  # noqa: RUF071  (they are no paths)
    lengths = [
        len(prefix) if len(known) >= MIN_PREFIX else 0 for prefix, known in zip(prefixes, words, strict=True)
    ]
    longest = max(lengths, default=0)
    candidates = [
        (abs(len(known) - len(word)), rank)
        for rank, known in enumerate(words)
        if lengths[rank] == longest >= MIN_PREFIX and max(len(known), len(word)) <= longest / MIN_SHARE
    ]
    assert found == (min(candidates)[1] if candidates else None)


def test_the_encoder_uses_it_unless_told_otherwise() -> None:
    texts = ["the remake", "the remake"]
    assert TextEncoder.learn(texts, Tokenize()).encode(["remakes xyz"]).ids.tolist() == [2, UNKNOWN]
    plain = TextEncoder.learn(texts, Tokenize(unseen="unknown"))
    assert plain.encode(["remakes xyz"]).ids.tolist() == [UNKNOWN, UNKNOWN]


def test_a_single_character_of_a_spaceless_script_is_never_like_another() -> None:
    encoder = TextEncoder.learn(["我爱你我爱你"], Tokenize(unit="character"))
    assert encoder.encode(["他"]).ids.tolist() == [UNKNOWN]

"""Texts as bytes give the ids that texts as strings give."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import Sequences
from pipeline.options import Tokenize
from pipeline.text import fast_encoder
from pipeline.text.encoder import TextEncoder
from pipeline.text.fast_encoder import ByteEncoder
from tests.text.tokens import encoded_tokens

TEXTS = st.text() | st.text(
    "aAn't'sdD ,!?().`é\u0301\u200d\u2019ß我ำ👍🏽\ufe0f1\u00a0\u2003\x1c\x85\t\n", max_size=90
)
OPTIONS = st.builds(
    Tokenize,
    unit=st.sampled_from(["word", "character"]),
    cleaning=st.sampled_from(["none", "kim"]),
    lowercase=st.booleans(),
    maximum_length=st.integers(1, 9),
    minimum_count=st.just(1),
)


def encoder(options: Tokenize) -> TextEncoder:
    return TextEncoder.learn(["a a A don't don't anna é 1 我 👍🏽 's n't"], options)


def spelled(encoder: TextEncoder, sequences: Sequences) -> list[list[str]]:
    """The rows' words as text, by their numbers."""
    words = sequences.spell(sequences.words, encoder.words)
    return [words[start:end] for start, end in pairwise(sequences.offsets)]


def encode_plainly(encoder: TextEncoder, texts: list[str]) -> Sequences:
    """Encode token by token, as the definition says."""
    return Sequences.from_rows(
        [[encoder.id(token) for token in encoded_tokens(encoder, text)] for text in texts]
    )


@given(st.lists(TEXTS, max_size=5), st.lists(TEXTS, max_size=5), OPTIONS)
def test_it_gives_the_ids_of_the_text_encoder(first: list[str], second: list[str], options: Tokenize) -> None:
    plain = encoder(options)
    fast = ByteEncoder(plain)
    for texts in (first, second, first):  # what was remembered, and what was not
        encoded = fast.encode(texts)
        expected = encode_plainly(plain, texts)
        np.testing.assert_array_equal(encoded.sequences.ids, expected.ids)
        np.testing.assert_array_equal(encoded.sequences.offsets, expected.offsets)
        assert spelled(plain, encoded.sequences) == [encoded_tokens(plain, text) for text in texts]
        tokens = [plain.tokens_of(text) for text in texts]
        assert encoded.lengths.tolist() == [len(row) for row in tokens]
        assert encoded.outside.tolist() == [sum(token not in plain for token in row) for row in tokens]


def test_what_it_remembers_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_encoder, "CACHE_SIZE", 100)
    plain = encoder(Tokenize(minimum_count=1, maximum_length=10**6))
    fast = ByteEncoder(plain)
    for start in range(0, 1000, 90):
        texts = [" ".join(f"a{i}" for i in range(start, start + 90)), "anna don't " + 50 * "b"]
        sequences = fast.encode(texts).sequences
        np.testing.assert_array_equal(sequences.ids, encode_plainly(plain, texts).ids)
        assert spelled(plain, sequences) == [encoded_tokens(plain, text) for text in texts]
        assert len(fast._memory.hashes) <= 200


def test_words_have_their_ids_and_others_the_numbers_behind_the_vocabulary() -> None:
    plain = TextEncoder(["good", "film"], Tokenize(unit="word", unseen="unknown"))  # ids 2 and 3
    sequences = ByteEncoder(plain).encode(["good zzz film", "", "yyy good zzz"]).sequences
    assert sequences.ids.tolist() == [2, 1, 3, 1, 2, 1]
    assert sequences.words.tolist() == [2, 4, 3, 5, 2, 4]
    assert sequences.words.dtype == np.int32
    assert sequences.unseen.words == ["zzz", "yyy"]


def test_a_word_that_has_the_id_of_a_similar_one_is_told_from_it() -> None:
    plain = TextEncoder(["awful", "films"], Tokenize(unit="word", unseen="similar"))
    sequences = ByteEncoder(plain).encode(["awfully awful"]).sequences
    assert sequences.ids.tolist() == [2, 2]
    assert sequences.words.tolist() == [4, 2] and sequences.unseen.words == ["awfully"]


def test_later_calls_know_the_words_outside_the_vocabulary_of_earlier_ones() -> None:
    plain = TextEncoder(["good"], Tokenize(unit="word", unseen="unknown"))
    fast = ByteEncoder(plain)
    first = fast.encode(["zzz yyy"]).sequences
    second = fast.encode(["yyy xxx good"]).sequences
    assert first.unseen is second.unseen
    assert second.words.tolist() == [4, 5, 2]
    assert spelled(plain, first) == [["zzz", "yyy"]]
    assert spelled(plain, second) == [["yyy", "xxx", "good"]]


def test_a_memory_that_is_dropped_leaves_earlier_texts_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_encoder, "CACHE_SIZE", 3)
    plain = TextEncoder(["good"], Tokenize(unit="word", unseen="unknown"))
    fast = ByteEncoder(plain)
    before = fast.encode(["a b"]).sequences
    dropped = fast.encode(["b c d"]).sequences  # the fourth chunk is too many
    after = fast.encode(["d good c"]).sequences
    assert before.unseen is dropped.unseen and after.unseen is not before.unseen
    assert after.words.tolist() == [3, 2, 4]
    assert [spelled(plain, one) for one in (before, dropped, after)] == [
        [["a", "b"]],
        [["b", "c", "d"]],
        [["d", "good", "c"]],
    ]


@pytest.mark.parametrize("length", [fast_encoder.MAX_CHUNK_BYTES, fast_encoder.MAX_CHUNK_BYTES + 1, 100_000])
def test_long_words_are_told_apart_too(length: int) -> None:
    plain = TextEncoder(["good"], Tokenize(unit="word", unseen="unknown"))
    fast = ByteEncoder(plain)
    one, other = "a" * length, "a" * (length - 1) + "b"
    for _ in range(2):
        sequences = fast.encode([f"{one} {other} good", one]).sequences
        assert spelled(plain, sequences) == [[one, other, "good"], [one]]
        assert len(sequences.unseen) == 2


def test_long_words_are_forgotten_by_their_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few chunks may hold as many letters as a memory has."""
    monkeypatch.setattr(fast_encoder, "CACHE_LETTERS", 10_000)
    plain = TextEncoder(["good"], Tokenize(unit="word", unseen="unknown"))
    fast = ByteEncoder(plain)
    for number in range(50):
        word = chr(ord("a") + number % 26) * (900 + number)
        assert spelled(plain, fast.encode([f"{word} good"]).sequences) == [[word, "good"]]
        assert fast._memory.unseen.letters <= 10_000


def test_threads_share_what_they_learn_and_what_they_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_encoder, "CACHE_SIZE", 500)
    monkeypatch.setattr(fast_encoder, "WARM_UP_TEXTS", (5, 20))
    plain = encoder(Tokenize(minimum_count=1, maximum_length=10**6))
    fast = ByteEncoder(plain)
    random = np.random.default_rng(1)
    blocks = [[f"a{i} don't a{i % 7}" for i in random.integers(0, 400, 50)] for _ in range(200)]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(fast.encode, blocks))
    for block, encoded in zip(blocks, results, strict=True):
        expected = encode_plainly(plain, block)
        np.testing.assert_array_equal(encoded.sequences.ids, expected.ids)
        np.testing.assert_array_equal(encoded.sequences.offsets, expected.offsets)
        assert spelled(plain, encoded.sequences) == [encoded_tokens(plain, text) for text in block]


def test_the_table_grows_with_the_chunks() -> None:
    plain = encoder(Tokenize(minimum_count=1, maximum_length=10**6))
    fast = ByteEncoder(plain)
    texts = [" ".join(f"a{i}" for i in range(50_000))]
    for _ in range(2):
        np.testing.assert_array_equal(fast.encode(texts).sequences.ids, encode_plainly(plain, texts).ids)

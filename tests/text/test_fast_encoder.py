"""Texts as bytes give the ids that texts as strings give."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import Sequences
from pipeline.options import Tokenize
from pipeline.text import fast_encoder
from pipeline.text.encoder import TextEncoder
from pipeline.text.fast_encoder import ByteEncoder

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


def encode_plainly(encoder: TextEncoder, texts: list[str]) -> Sequences:
    """Encode token by token, as the definition says."""
    return Sequences.from_rows([[encoder.id(token) for token in encoder.tokens(text)] for text in texts])


@given(st.lists(TEXTS, max_size=5), st.lists(TEXTS, max_size=5), OPTIONS)
def test_it_gives_the_ids_of_the_text_encoder(first: list[str], second: list[str], options: Tokenize) -> None:
    plain = encoder(options)
    fast = ByteEncoder(plain)
    for texts in (first, second, first):  # what was remembered, and what was not
        encoded = fast.encode(texts)
        expected = encode_plainly(plain, texts)
        np.testing.assert_array_equal(encoded.sequences.ids, expected.ids)
        np.testing.assert_array_equal(encoded.sequences.offsets, expected.offsets)
        tokens = [plain.tokens_of(text) for text in texts]
        assert encoded.lengths.tolist() == [len(row) for row in tokens]
        assert encoded.outside.tolist() == [sum(token not in plain for token in row) for row in tokens]


def test_what_it_remembers_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_encoder, "CACHE_SIZE", 100)
    plain = encoder(Tokenize(minimum_count=1, maximum_length=10**6))
    fast = ByteEncoder(plain)
    for start in range(0, 1000, 90):
        texts = [" ".join(f"a{i}" for i in range(start, start + 90)), "anna don't " + 50 * "b"]
        np.testing.assert_array_equal(fast.encode(texts).sequences.ids, encode_plainly(plain, texts).ids)
        assert len(fast._memory.hashes) <= 200


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


def test_the_table_grows_with_the_chunks() -> None:
    plain = encoder(Tokenize(minimum_count=1, maximum_length=10**6))
    fast = ByteEncoder(plain)
    texts = [" ".join(f"a{i}" for i in range(50_000))]
    for _ in range(2):
        np.testing.assert_array_equal(fast.encode(texts).sequences.ids, encode_plainly(plain, texts).ids)

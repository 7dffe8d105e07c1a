"""The features are scikit-learn's, and the logits those computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.baselines.candidate import NGRAMS, documents
from pipeline.errors import InputError
from pipeline.images.encoder import ImageEncoder
from pipeline.inputs import Sequences
from pipeline.linear.kernels import token_ngram_keys
from pipeline.linear.token_ngrams import (
    TokenFeatures,
    TokenNgrams,
    distinct_ngrams,
    longest_ngram,
    ngram_counts,
    run_keys,
)
from pipeline.options import Tokenize
from pipeline.text.encoder import TextEncoder


def corpus(rows: int, classes: int, seed: int) -> tuple[Sequences, np.ndarray]:
    random = np.random.default_rng(seed)
    texts = [random.integers(1, 40, random.integers(0, 12)).tolist() for _ in range(rows)]
    return Sequences.from_rows(texts), random.integers(0, classes, rows)


def by_hand() -> TokenNgrams:
    """Tokens 2 and 3, and the pair 2 3, for two classes."""
    return TokenNgrams(
        keys=np.array([2, 3, 2 << 32 | 3]),
        idf=np.array([1, 2, 2], np.float32),
        weights=np.array([[0, 3], [0, 5], [0, 7]], np.float32),
        bias=np.array([0, 1], np.float32),
    )


def test_logits_are_those_computed_by_hand() -> None:
    # "2 3": tf-idf (1, 2, 2), of length 3. "2 2": of its own length. "2 3 3": (1, 2 f, 2) with f = 1 + log 2.
    # 9 is not known.
    logits = by_hand().logits(Sequences.from_rows([[2, 3], [2, 2], [2, 3, 3], [3, 9, 2], [], [9]]))
    f = 1 + np.log(2)
    twice = (3 + 10 * f + 14) / np.sqrt(5 + 4 * f**2) + 1
    expected = [(3 + 10 + 14) / 3 + 1, 3 + 1, twice, (10 + 3) / np.sqrt(5) + 1, 1, 1]
    np.testing.assert_allclose(logits, np.array([[0, value] for value in expected]), rtol=1e-6)


def test_no_pair_crosses_the_boundary_between_two_texts_which_is_no_token() -> None:
    parted = Sequences.from_rows([[2, 0, 3], [0, 2, 3], [0]])
    keys, starts = token_ngram_keys(parted.ids, parted.offsets, 2)
    assert keys.tolist() == [2, 3, 2, 3, 2 << 32 | 3] and starts.tolist() == [0, 2, 5, 5]
    logits = by_hand().logits(parted)
    apart, together = (3 + 10) / np.sqrt(5) + 1, (3 + 10 + 14) / 3 + 1
    np.testing.assert_allclose(logits, [[0, apart], [0, together], [0, 1]], rtol=1e-6)


def test_of_too_many_n_grams_those_in_most_rows_are_kept() -> None:
    rows = Sequences.from_rows([[2, 4, 4], [2, 3], [2, 3, 4]])
    assert TokenFeatures(rows).keys.tolist() == [2, 3, 4, 2 << 32 | 3, 2 << 32 | 4, 3 << 32 | 4, 4 << 32 | 4]
    few = TokenFeatures(rows, 2, 3)  # 2 is in three rows, and of those in two the first are kept
    assert few.keys.tolist() == [2, 3, 4] and few.matrix.shape == (3, 3)
    assert few.idf.tolist() == pytest.approx([1, np.log(4 / 3) + 1, np.log(4 / 3) + 1])
    assert TokenFeatures(rows, 2, 7).keys.tolist() == TokenFeatures(rows).keys.tolist()


def test_the_features_are_scikit_learns_sublinear_tfidf_and_those_of_the_model() -> None:
    (training, _), (test, _) = corpus(300, 2, 1), corpus(100, 2, 2)

    vectorizer = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, **NGRAMS)
    theirs = vectorizer.fit_transform(documents(training))
    features = TokenFeatures(training)
    keys = [
        int(first) << 32 | int(second) if second else int(first)
        for first, _, second in (name.partition(" ") for name in vectorizer.get_feature_names_out())
    ]
    order = np.argsort(keys)
    assert features.keys.tolist() == np.array(keys)[order].tolist()
    np.testing.assert_array_equal(features.idf, vectorizer.idf_[order])
    np.testing.assert_allclose(features.matrix.toarray(), theirs[:, order].toarray(), rtol=1e-6)

    weights = np.random.default_rng(3).normal(size=(len(keys), 4)).astype(np.float32)
    bias = np.array([1, 0, -1, 2], np.float32)
    logits = features.model(weights, bias).logits(test)
    expected = vectorizer.transform(documents(test))[:, order] @ weights + bias
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert features.model(weights, bias).predict(test).tolist() == logits.argmax(axis=1).tolist()


def test_with_triples_the_features_are_those_of_scikit_learns_characters() -> None:
    """Id i is the i-th character from "一" on, as a character of its own for scikit-learn."""

    def spelled(sequences: Sequences) -> list[str]:
        bounds = zip(sequences.offsets, sequences.offsets[1:], strict=False)
        return ["".join(chr(0x4E00 + i) for i in sequences.ids[start:end].tolist()) for start, end in bounds]

    (training, _), (test, _) = corpus(300, 2, 1), corpus(100, 2, 2)
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, dtype=np.float32)
    theirs = vectorizer.fit_transform(spelled(training))
    features = TokenFeatures(training, 3)
    names = vectorizer.get_feature_names_out().tolist()
    keys = [int(run_keys(np.array([ord(c) - 0x4E00 for c in name]), len(name))[0]) for name in names]
    order = np.argsort(keys)
    assert {len(name) for name in names} == {1, 2, 3}
    assert features.keys.tolist() == np.array(keys)[order].tolist()
    np.testing.assert_allclose(features.idf, vectorizer.idf_[order], rtol=1e-6)
    np.testing.assert_allclose(features.matrix.toarray(), theirs[:, order].toarray(), atol=1e-6)

    weights = np.random.default_rng(3).normal(size=(len(keys), 4)).astype(np.float32)
    model = features.model(weights, np.array([1, 0, -1, 2], np.float32))
    expected = vectorizer.transform(spelled(test))[:, order] @ weights + model.bias
    np.testing.assert_allclose(model.logits(test), expected, atol=1e-5)
    again = TokenNgrams.from_arrays(model.arrays())
    np.testing.assert_array_equal(again.logits(test), model.logits(test))
    assert (
        model.longest == 3
        and TokenFeatures(training).model(weights[: len(TokenFeatures(training).keys)], model.bias).longest
        == 2
    )


def test_a_triple_by_hand() -> None:
    """Tokens 2 and 3, the pair 2 3 and the triple 2 3 2, each of idf 1: "2 3 2" has (1 + log 2, 1, 1, 1)."""
    keys = np.array([2, 3, 2 << 32 | 3, 3 << 32 | 2, 1 << 62 | 2 << 40 | 3 << 20 | 2])
    weights = np.array([[0, 3], [0, 5], [0, 7], [0, 0], [0, 11]], np.float32)
    model = TokenNgrams(keys, np.ones(5, np.float32), weights, np.array([0, 1], np.float32))
    logits = model.logits(Sequences.from_rows([[2, 3, 2], [3, 2], [2, 3], [2], []]))
    f = 1 + np.log(2)
    expected = [(3 * f + 5 + 7 + 11) / np.sqrt(f**2 + 4) + 1, 8 / np.sqrt(3) + 1, 15 / np.sqrt(3) + 1, 4, 1]
    np.testing.assert_allclose(logits, np.array([[0, value] for value in expected]), rtol=1e-6)


@given(st.lists(st.lists(st.integers(1, 2**20 - 1), min_size=1, max_size=3), min_size=2, max_size=40))
def test_different_n_grams_have_different_keys(runs: list[list[int]]) -> None:
    keys = {int(run_keys(np.array(run), len(run))[0]) for run in runs}
    assert len(keys) == len({tuple(run) for run in runs}) and min(keys) > 0


@pytest.mark.parametrize("size", [1, 2, 3])
def test_shorter_texts_have_no_runs(size: int) -> None:
    for length in range(5):
        assert len(run_keys(np.arange(1, length + 1), size)) == max(0, length - size + 1)


def test_triples_are_of_characters_and_of_no_more_ids_than_have_keys() -> None:
    texts = ["房间 很 干净", "房间 很 脏"]
    by_character = TextEncoder.learn(texts, Tokenize(minimum_count=1))
    assert longest_ngram(by_character) == 3
    assert longest_ngram(TextEncoder.learn(texts, Tokenize(minimum_count=1, unit="word"))) == 2
    assert longest_ngram(ImageEncoder(2, 2, 1)) == 2
    by_character.words = by_character.words * 2**19  # of no use, but as many
    assert longest_ngram(by_character) == 2


@pytest.mark.parametrize("key", [1 << 62, 2**63 - 1, 1 << 62 | 9 << 40 | 9 << 20 | 9, 2**31 << 31 | 7])
def test_keys_of_triples_without_their_pairs_do_no_harm(key: int) -> None:
    model = TokenNgrams(
        np.array([-(2**63), 2, key]),
        np.ones(3, np.float32),
        np.ones((3, 2), np.float32),
        np.zeros(2, np.float32),
    )
    rows = [[2, 2, 2], [9, 9, 9], [2**31 - 1] * 4, [2**20, 0, 1], []]
    assert model.longest == 3
    assert model.logits(Sequences.from_rows(rows))[:, 0].tolist() == [1, 0, 0, 0, 0]


def test_texts_without_any_token_have_features_too() -> None:
    features = TokenFeatures(Sequences.from_rows([[], []]))
    model = features.model(np.zeros((features.matrix.shape[1], 2), np.float32), np.array([1, 2], np.float32))
    assert features.matrix.shape == (2, len(features.keys))
    assert model.logits(Sequences.from_rows([[], [3]])).tolist() == [[1, 2], [1, 2]]


def test_its_arrays_give_the_model_again() -> None:
    again = TokenNgrams.from_arrays(by_hand().arrays())
    texts = Sequences.from_rows([[2, 3], [2, 2], []])
    np.testing.assert_array_equal(again.logits(texts), by_hand().logits(texts))


def test_the_counts_are_those_of_known_n_grams() -> None:
    features, own = distinct_ngrams(Sequences.from_rows([[1, 2, 1], [3]]))
    assert own.toarray().tolist() == [[2, 1, 0, 1, 1], [0, 0, 1, 0, 0]]
    assert features.tolist() == [1, 2, 3, 1 << 32 | 2, 2 << 32 | 1]
    counts = ngram_counts(Sequences.from_rows([[1, 2, 1, 2], [], [9, 3, 1]]), features)
    assert counts.toarray().tolist() == [[2, 2, 0, 2, 1], [0] * 5, [1, 0, 1, 0, 0]]
    assert ngram_counts(Sequences.from_rows([[1], []]), features[:0]).toarray().tolist() == [[0], [0]]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("keys", np.array([2, 3]), "idf is"),
        ("keys", np.array(2), "keys is"),
        ("keys", np.array([2, 2, 3]), "keys do not rise"),
        ("keys", np.array([2, 3, 4], np.int32), "keys is int32"),
        ("idf", np.ones(4, np.float32), r"idf is float32 \[4\], expected float32 \[3\]"),
        ("idf", np.array([1, np.nan, 1], np.float32), "idf holds NaN"),
        ("weights", np.ones((3, 3), np.float32), "weights is"),
        ("weights", np.asfortranarray(np.ones((3, 2), np.float32)), "weights does not lie in memory"),
        ("bias", np.ones((2, 1), np.float32), "bias is"),
        ("bias", np.ones(2), "bias is float64"),
    ],
)
def test_arrays_that_do_not_fit_one_another_are_refused(name: str, array: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(by_hand(), **{name: array})

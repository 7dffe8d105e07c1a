"""The linear model is scikit-learn's."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from pipeline.errors import InputError
from pipeline.inputs import Sequences
from pipeline.linear.token_ngrams import (
    C_TOLERANCES,
    TfidfModel,
    candidates,
    distinct_ngrams,
    ngram_counts,
    ngrams,
)


def corpus(rows: int, classes: int, seed: int) -> tuple[Sequences, np.ndarray]:
    random = np.random.default_rng(seed)
    texts = [random.integers(1, 40, random.integers(0, 12)).tolist() for _ in range(rows)]
    return Sequences.from_rows(texts), random.integers(0, classes, rows)


def by_hand() -> TfidfModel:
    """Tokens 2 and 3, and the pair 2 3, for two classes."""
    return TfidfModel(
        keys=np.array([2, 3, 2 << 32 | 3]),
        idf=np.array([1, 2, 2], np.float32),
        weights=np.array([[0, 3], [0, 5], [0, 7]], np.float32),
        bias=np.array([0, 1], np.float32),
    )


def test_logits_are_those_computed_by_hand() -> None:
    # "2 3": tf-idf (1, 2, 2), of length 3. "2 2": (2, 0, 0), of length 2. 9 is not known.
    logits = by_hand().logits(Sequences.from_rows([[2, 3], [2, 2], [3, 9, 2], [], [9]]))
    expected = [(3 + 10 + 14) / 3 + 1, 3 + 1, (10 + 3) / np.sqrt(5) + 1, 1, 1]
    np.testing.assert_allclose(logits, np.array([[0, value] for value in expected]), rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_model_is_scikit_learns_tfidf_and_logistic_regression(classes: int) -> None:
    (training, labels), (test, _) = corpus(300, classes, 1), corpus(100, classes, 2)

    def documents(sequences: Sequences) -> list[str]:
        return [" ".join(map(str, sequences.ids[a:b])) for a, b in pairwise(sequences.offsets)]

    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), tokenizer=str.split, token_pattern=None, lowercase=False, dtype=np.float32
    )
    features = vectorizer.fit_transform(documents(training))
    for model, strength in zip(candidates(training, labels, classes), C_TOLERANCES, strict=True):
        theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000).fit(features, labels)
        logits = model.logits(test)
        ours = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(
            ours, theirs.predict_proba(vectorizer.transform(documents(test))), atol=5e-3
        )


def test_a_class_without_training_rows_has_no_chance() -> None:
    sequences, labels = corpus(60, 2, 3)
    for model in candidates(sequences, labels * 3, 5):
        assert model.logits(sequences).shape == (60, 5)
        assert set(model.predict(sequences).tolist()) <= {0, 3}


def test_without_n_grams_the_logits_are_the_classes_shares() -> None:
    model = TfidfModel.from_counts(np.array([0, 0, 0, 2]), 3)
    logits = model.logits(Sequences.from_rows([[5, 6], []]))
    np.testing.assert_allclose(np.exp(logits), [[0.75, 0, 0.25]] * 2, atol=1e-6)


def test_pairs_do_not_reach_over_the_end_of_a_row() -> None:
    keys, rows = ngrams(Sequences.from_rows([[1, 2], [], [3], [4, 5, 6]]))
    pairs = {(int(key) >> 32, int(key) & 0xFFFFFFFF, int(row)) for key, row in zip(keys, rows, strict=True)}
    assert pairs == {
        (0, 1, 0),
        (0, 2, 0),
        (1, 2, 0),
        (0, 3, 2),
        (0, 4, 3),
        (0, 5, 3),
        (0, 6, 3),
        (4, 5, 3),
        (5, 6, 3),
    }


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

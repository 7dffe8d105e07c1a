"""The SVM on words and characters is scikit-learn's; what all baselines share is in test_catalogue.py."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from pipeline.baselines.candidate import Texts
from pipeline.baselines.svm import C_VALUES, TokensAndCharacters, candidates, count_words
from pipeline.inputs import Sequences
from tests.baselines.choosing import fit

WORDS = ["Übung", "übung", "a", "?!", "walking", "walks", "日本語", "x" * 12]


def texts(seed: int, count: int = 60) -> Texts:
    random = np.random.default_rng(seed)
    rows = [random.integers(0, len(WORDS), random.integers(0, 7)).tolist() for _ in range(count)]
    written = ["  ".join(WORDS[word] for word in row) + " \n" for row in rows]
    return Texts(pd.Series(written), Sequences.from_rows([[word + 2 for word in row] for row in rows]))


def theirs(training: Texts, test: Texts) -> tuple[np.ndarray, np.ndarray]:
    """The features of both by scikit-learn's own vectorizers, of raw texts and of numbers between blanks."""
    of_tokens = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    of_characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)

    def numbers(part: Texts) -> list[str]:
        ids = part.tokens.ids.astype(str)
        return [" ".join(ids[start:end]) for start, end in pairwise(part.tokens.offsets)]

    fitted = hstack([of_tokens.fit_transform(numbers(training)), of_characters.fit_transform(training.texts)])
    other = hstack([of_tokens.transform(numbers(test)), of_characters.transform(test.texts)])
    return fitted.toarray(), other.toarray()


def in_order(features: np.ndarray, by: np.ndarray) -> np.ndarray:
    """The features, in the order of their values in the rows `by`: their own order means nothing."""
    return features[:, np.lexsort(by.round(5))]


def test_its_features_are_scikit_learns_of_tokens_and_of_characters_within_words() -> None:
    training, test = texts(1), texts(2)
    features = TokensAndCharacters()
    ours = features.fit_transform(training).toarray(), features.transform(test).toarray()
    expected = theirs(training, test)
    assert ours[0].shape == expected[0].shape and ours[0].shape[1] > 100
    for mine, own in zip(ours, expected, strict=True):
        together = np.vstack([ours[0], ours[1]]), np.vstack([expected[0], expected[1]])
        np.testing.assert_allclose(in_order(mine, together[0]), in_order(own, together[1]), atol=1e-6)


@pytest.mark.parametrize("balanced", [False, True])
def test_its_predictions_are_those_of_scikit_learns_svm_for_each_c(balanced: bool) -> None:
    training, test = texts(1), texts(2)
    labels = np.random.default_rng(3).integers(0, 3, len(training))
    fitted, other = theirs(training, test)
    weights = compute_sample_weight("balanced" if balanced else None, labels)
    found = candidates(training, labels, 1, balanced, C_VALUES)
    for candidate, strength in zip(found, C_VALUES, strict=True):
        assert candidate.setting == f"C = {strength:g}{', balanced' if balanced else ''}"
        scores = np.column_stack(
            [
                LinearSVC(C=strength, random_state=1, max_iter=10_000)
                .fit(fitted, labels == label, weights)
                .decision_function(other)
                for label in range(3)
            ]
        )
        assert candidate.predict(test).tolist() == scores.argmax(axis=1).tolist()


def test_it_learns_from_the_beginnings_of_words_that_occur_once() -> None:
    """To the network each is an unknown word."""
    written = [f"{kind}{number:03}" for number in range(100) for kind in ("run", "eat")]
    part = Texts(pd.Series(written), Sequences.from_rows([[1]] * 200)), np.arange(200) % 2
    fitted, score = fit("svm", part, part, 2, "accuracy", 1)
    new = Texts(pd.Series(["runs", "eating"]), Sequences.from_rows([[1], [1]]))
    assert (score, fitted.predict(new).tolist()) == (1, [0, 1])


def test_a_text_without_blanks_is_read_whole() -> None:
    training = Texts(pd.Series(["日本語" * 500 + "何"] * 2), Sequences.from_rows([[2], [2]]))
    features = TokensAndCharacters()
    features.fit_transform(training)
    ends = features.transform(Texts(pd.Series(["語何"]), Sequences.from_rows([[2]])))
    assert ends.sum() > features.transform(Texts(pd.Series([""]), Sequences.from_rows([[2]]))).sum()


@given(st.lists(st.text(" \tabÄä\u3000", max_size=12), min_size=1))
def test_words_are_counted_as_they_lie_between_blanks(written: list[str]) -> None:
    words, counts = count_words(written)
    for text, row in zip(written, counts.toarray(), strict=True):
        found = text.lower().split()
        assert row.tolist() == [found.count(word) for word in words]
        assert set(found) <= set(words)


@pytest.mark.parametrize("written", [["a", "b"], ["?", "日"]])
def test_words_without_an_n_gram_in_common_are_learned_too(written: list[str]) -> None:
    part = Texts(pd.Series(written), Sequences.from_rows([[2], [3]])), np.array([0, 1])
    fitted, _ = fit("svm", part, part, 2, "accuracy", 1)
    assert fitted.predict(part[0]).tolist() == [0, 1]
    assert fitted.predict(Texts(pd.Series(["", ""]), Sequences.from_rows([[], []]))).shape == (2,)

"""The opponent is scikit-learn's logistic regression on its TF-IDF."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from pipeline.baselines import logistic
from pipeline.baselines.candidate import NGRAMS, documents
from pipeline.baselines.logistic import candidates
from pipeline.inputs import Sequences
from pipeline.measures.softmax import softmax


def corpus(rows: int, classes: int, seed: int) -> tuple[Sequences, np.ndarray]:
    random = np.random.default_rng(seed)
    texts = [random.integers(1, 40, random.integers(0, 12)).tolist() for _ in range(rows)]
    return Sequences.from_rows(texts), random.integers(0, classes, rows)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("tolerance", "error"), [(1e-8, 2e-3), (None, 2e-2)])
def test_the_model_is_scikit_learns_tfidf_and_logistic_regression(
    tolerance: float | None, error: float, classes: int, balanced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the optimum, and where the fit ends before it."""
    if tolerance:
        monkeypatch.setattr(logistic, "TOLERANCE", tolerance)
    (training, labels), (test, _) = corpus(300, classes, 1), corpus(100, classes, 2)

    vectorizer = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, **NGRAMS)
    features = vectorizer.fit_transform(documents(training))
    weight = "balanced" if balanced else None
    found = candidates(training, labels, classes, balanced, logistic.C_VALUES)
    for candidate, strength in zip(found, logistic.C_VALUES, strict=True):
        assert candidate.setting.startswith(f"C = {strength:g}")
        model = candidate.predict.__self__  # type: ignore[attr-defined]  # whose method it is
        theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000, class_weight=weight)
        theirs.fit(features, labels)
        expected = theirs.predict_proba(vectorizer.transform(documents(test)))
        np.testing.assert_allclose(softmax(model.logits(test)), expected, atol=error)


def test_a_class_without_training_rows_has_no_chance() -> None:
    sequences, labels = corpus(60, 2, 3)
    for candidate in candidates(sequences, labels * 3, 5, False, logistic.C_VALUES):
        assert set(candidate.predict(sequences).tolist()) == {0, 3}

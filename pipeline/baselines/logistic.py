"""Logistic regression on the TF-IDF of single tokens and pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from ..arrays import Labels
from ..inputs import Sequences
from ..linear.token_ngrams import TokenFeatures
from .candidate import Candidate, FittedCandidate, setting

C_VALUES = (10.0, 100.0)  # scikit-learn's C; 1 was the best on no corpus
# The gradient of the mean loss at which a fit ends. Each starts from the weights of the one before. At this
# tolerance Newton's method comes to a smaller loss than L-BFGS does, in a fifth to a thirtieth of its time.
TOLERANCE = 3e-5
ABSENT_BIAS = -30.0  # of a class without training rows


def candidates(
    training: Sequences, labels: Labels, classes: int, balanced: bool, values: Sequence[float]
) -> Iterator[Candidate]:
    """Fit scikit-learn's models for each C, on labels int64 [rows] of two classes or more.

    If `balanced`, every class has the same weight.
    """
    features = TokenFeatures(training)
    class_weight = "balanced" if balanced else None
    regression = LogisticRegression(
        solver="newton-cg", tol=TOLERANCE, max_iter=1000, class_weight=class_weight, warm_start=True
    )
    for strength in values:
        regression.set_params(C=strength).fit(features.matrix, labels)
        present = regression.classes_
        weights = np.zeros((len(features.keys), classes), np.float32)
        bias = np.full(classes, ABSENT_BIAS, np.float32)
        if len(present) == 2:  # scikit-learn gives the logit of the second alone
            weights[:, present[1]], bias[present] = regression.coef_[0], [0, regression.intercept_[0]]
        else:
            weights[:, present], bias[present] = regression.coef_.T, regression.intercept_
        model = features.model(weights, bias)
        yield FittedCandidate(setting(f"C = {strength:g}", balanced), model.predict)

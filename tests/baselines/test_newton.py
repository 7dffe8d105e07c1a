"""Logistic regression is at the optimum that scikit-learn's objective has."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix

from pipeline.baselines.newton import Fitted, Regression, _basis


def problem(classes: int, rows: int = 200, seed: int = 1) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Rows of sixty features of which many occur once, labels by chance, and weights of the rows."""
    random = np.random.default_rng(seed)
    features = random_matrix(rows, 60, 1 / rows, "csr", np.float32, random)
    features += random_matrix(rows, 60, 0.05, "csr", np.float32, random) @ np.diag(np.arange(60) < 30)
    labels = random.integers(0, classes, rows)
    return csr_matrix(features, dtype=np.float32), labels, random.random(rows).astype(np.float32) + 0.5


def regression(classes: int) -> Regression:
    features, labels, weights = problem(classes)
    return Regression(features, labels, classes, weights)


def derivatives(fitted: Fitted, classes: int, C: float) -> np.ndarray:
    """Of the mean loss by the weights of every feature, and by the bias, in float64."""
    features, labels, weights = problem(classes)
    dense, share = features.toarray().astype(np.float64), weights / weights.sum(dtype=np.float64)
    logits = dense @ fitted.weights + fitted.bias
    if classes == 2:
        logits = np.hstack([np.zeros((len(labels), 1)), logits])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    errors = share[:, None] * (chances - np.eye(classes)[labels])[:, -fitted.bias.size :]
    return np.vstack(
        [dense.T @ errors + fitted.weights / (C * weights.sum(dtype=np.float64)), errors.sum(axis=0)]
    )


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_no_derivative_by_any_feature_is_above_the_tolerance(classes: int) -> None:
    one = regression(classes)
    for C in (1.0, 10.0, 100.0):
        for tolerance in (1e-3, 1e-5):
            fitted = one.fit(C, tolerance)
            assert fitted.weights.dtype == fitted.bias.dtype == np.float32
            assert abs(derivatives(fitted, classes, C)).max() <= tolerance + 1e-7


@pytest.mark.parametrize("classes", [2, 3])
def test_a_fit_that_starts_from_another_ends_where_one_from_zero_does(classes: int) -> None:
    one = regression(classes)
    one.fit(1.0, 1e-3)
    warm, cold = one.fit(100.0, 1e-6), regression(classes).fit(100.0, 1e-6)
    features = problem(classes)[0]
    difference = features @ (warm.weights - cold.weights) + warm.bias - cold.bias
    assert abs(difference).max() < 0.02 < 1 < abs(features @ cold.weights).max()


def test_a_feature_of_two_rows_is_weighed_as_computed_by_hand() -> None:
    """The rows are 1 and -1: with the logit w and C = (1 + e) / 2, w / (2 C) = 1 / (1 + e^w) has w = 1."""
    rows, weights = csr_matrix(np.array([[1], [-1]], np.float32)), np.ones(2, np.float32)
    fitted = Regression(rows, np.array([1, 0]), 2, weights).fit((1 + math.e) / 2, 1e-7)
    np.testing.assert_allclose(fitted.weights, [[1]], atol=1e-5)
    np.testing.assert_allclose(fitted.bias, [0], atol=1e-5)


def test_features_of_single_rows_are_weighed_as_computed_by_hand() -> None:
    """Rows x, (3, 4, 0) and (0, 0, 5), have length 5, weights a x / 5 and -a x / 5, and logits 5a and -5a.
    With 5a = 1, a / (2 C) = 1 / 2 * 5 / (1 + e) has C = (1 + e) / 25."""
    rows, weights = csr_matrix(np.array([[3, 4, 0], [0, 0, 5]], np.float32)), np.ones(2, np.float32)
    fitted = Regression(rows, np.array([1, 0]), 2, weights).fit((1 + math.e) / 25, 1e-7)
    np.testing.assert_allclose(fitted.weights.ravel(), [3 / 25, 4 / 25, -1 / 5], atol=1e-5)
    np.testing.assert_allclose(fitted.bias, [0], atol=1e-5)


def test_without_features_the_bias_is_the_logarithm_of_the_odds() -> None:
    none, labels = csr_matrix((5, 0), dtype=np.float32), np.array([1, 1, 1, 0, 1])
    fitted = Regression(none, labels, 2, np.ones(5, np.float32)).fit(1.0, 1e-6)
    assert fitted.weights.shape == (0, 1)
    np.testing.assert_allclose(fitted.bias, [math.log(4)], atol=1e-4)


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_basis_is_orthonormal_and_holds_every_row(rows: int, seed: int) -> None:
    features, _, _ = problem(2, rows, seed)
    basis = _basis(features)
    assert basis.shape[0] <= features.shape[1]
    np.testing.assert_allclose((basis @ basis.T).toarray(), np.eye(basis.shape[0]), atol=1e-6)
    np.testing.assert_allclose((features @ basis.T @ basis).toarray(), features.toarray(), atol=1e-5)
    occurring = np.bincount(features.indices, minlength=60)
    alone = len(set(features.tocsc()[:, occurring == 1].indices.tolist()))
    assert basis.shape[0] == np.count_nonzero(occurring != 1) + alone


def test_the_same_rows_give_the_same_bits() -> None:
    first, again = (regression(3).fit(10.0, 1e-5) for _ in range(2))
    np.testing.assert_array_equal(first.weights, again.weights)
    np.testing.assert_array_equal(first.bias, again.bias)

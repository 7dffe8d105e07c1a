"""The machines are scikit-learn's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.sparse import csr_matrix, hstack
from scipy.sparse import random as random_matrix
from sklearn.svm import LinearSVC

from pipeline.linear.naive_bayes import log_count_ratio
from pipeline.linear.svm import C_VALUES, ROUGH, Machine, Stop, machines

EXACT = Stop(3000, 1e-5)  # as near to the optimum as float32 comes


def plain(
    matrix: csr_matrix,
    labels: np.ndarray,
    classes: int,
    balanced: bool,
    seed: int,
    values: tuple[float, ...] = C_VALUES,
    stop: Stop = ROUGH,
) -> Iterator[Machine]:
    return machines(matrix, labels, classes, False, balanced, seed, values, stop=stop)


def problem(classes: int, seed: int = 1) -> tuple[csr_matrix, np.ndarray]:
    """Rows of length 1 for twenty features; the first class has most rows, and a fifth has a wrong label."""
    random = np.random.default_rng(seed)
    matrix = random_matrix(300, 20, 0.3, "csr", np.float32, random)
    matrix.data = random.normal(size=matrix.nnz).astype(np.float32)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix = csr_matrix(matrix.multiply(1 / np.maximum(lengths, 1e-9)[:, None]), dtype=np.float32)
    scores = matrix @ random.normal(size=(20, classes)) + np.linspace(0.5, 0, classes)
    wrong = random.random(300) < 0.2
    return matrix, np.where(wrong, random.integers(0, classes, 300), scores.argmax(axis=1))


@pytest.mark.parametrize("classes", [2, 3, 5, 8, 9])
def test_machines_are_of_all_classes_whatever_the_sizes_of_their_groups(classes: int) -> None:
    matrix, labels = problem(classes)
    (machine,) = plain(matrix, labels, classes, False, 1, (1.0,))
    assert machine.weights.shape == (20, classes) and machine.weights.flags.c_contiguous
    assert machine.bias.shape == (classes,)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("classes", [2, 4, 5, 9])
def test_scores_are_those_of_scikit_learns_squared_hinge(classes: int, balanced: bool) -> None:
    matrix, labels = problem(classes)
    for machine, strength in zip(
        plain(matrix, labels, classes, balanced, 1, stop=EXACT), C_VALUES, strict=True
    ):
        assert strength == machine.C
        assert machine.weights.dtype == machine.bias.dtype == np.float32
        ours = matrix @ machine.weights + machine.bias
        theirs = np.empty((len(labels), classes))
        costs = len(labels) / (classes * np.bincount(labels)) if balanced else np.ones(classes)
        for label in range(classes):  # as scikit-learn weighs classes against all others, and we each row
            fitted = LinearSVC(
                C=strength, loss="squared_hinge", tol=1e-6, intercept_scaling=1, max_iter=10**6
            )
            fitted.fit(matrix, labels == label, sample_weight=costs[labels])
            theirs[:, label] = fitted.decision_function(matrix)
        if classes == 2:
            theirs /= 2  # half for the second and half against the first
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_the_default_tolerance_gives_nearly_the_same_labels() -> None:
    matrix, labels = problem(4)
    rough = [(matrix @ one.weights + one.bias).argmax(axis=1) for one in plain(matrix, labels, 4, False, 1)]
    exact = plain(matrix, labels, 4, False, 1, stop=EXACT)
    for one, near in zip(exact, rough, strict=True):
        assert ((matrix @ one.weights + one.bias).argmax(axis=1) == near).mean() > 0.97


@pytest.mark.parametrize("classes", [2, 4])
def test_by_ratio_each_class_is_fitted_to_the_features_and_its_own_multiples_of_them(
    classes: int,
) -> None:
    matrix, labels = problem(classes)
    matrix = abs(matrix)  # as counts and their weights are
    (machine,) = machines(matrix, labels, classes, True, False, 1, (0.3,), stop=EXACT)
    ours = matrix @ machine.weights + machine.bias
    for label in range(classes):
        ratio = log_count_ratio(matrix, labels == label)
        scaled = csr_matrix(hstack([matrix, matrix.multiply(ratio)]) / np.sqrt(2), dtype=np.float32)
        (alone,) = plain(scaled, (labels == label).astype(np.int64), 2, False, 1, (0.3,), EXACT)
        scores = scaled @ alone.weights + alone.bias
        halves = 1 if classes == 2 else 2  # a machine for two classes scores each of them by half
        np.testing.assert_allclose(ours[:, label], halves * scores[:, 1], atol=2e-3)


def test_one_row_of_each_of_two_classes_is_fitted_as_computed_by_hand() -> None:
    """Rows 1 and -1, and C = 1: both violations are e = 1 - w and w = 2 C e + 2 C e = 4 (1 - w), so that w is
    4/5; the bias is 0."""
    matrix = csr_matrix(np.array([[1], [-1]], np.float32))
    (last,) = plain(matrix, np.array([1, 0]), 2, False, 1, (1.0,), EXACT)
    np.testing.assert_allclose(last.weights, [[-0.4, 0.4]], atol=1e-4)
    np.testing.assert_allclose(last.bias, [0, 0], atol=1e-4)


def test_balanced_classes_weigh_as_much_as_copies_of_their_rows() -> None:
    """Two rows of class 0 and one of class 1: costs 3/4 and 3/2 are those of as many copies and C 3/4."""
    rows = np.array([[1, 0.5], [0.2, 1], [-1, 0.3]], np.float32)
    (balanced,) = plain(csr_matrix(rows), np.array([0, 0, 1]), 2, True, 1, (1.0,), EXACT)
    (copied,) = plain(csr_matrix(rows[[0, 1, 2, 2]]), np.array([0, 0, 1, 1]), 2, False, 1, (0.75,), EXACT)
    np.testing.assert_allclose(balanced.weights, copied.weights, atol=1e-4)
    np.testing.assert_allclose(balanced.bias, copied.bias, atol=1e-4)


def test_a_row_of_weight_three_counts_as_three_copies_of_it() -> None:
    matrix, labels = problem(3)
    weights = np.where(np.arange(len(labels)) % 4 == 0, 3, 1)
    copies = np.repeat(np.arange(len(labels)), weights)
    (weighted,) = machines(
        matrix, labels, 3, False, False, 1, (1.0,), stop=EXACT, weights=weights.astype(np.float32)
    )
    (copied,) = plain(matrix[copies], labels[copies], 3, False, 1, (1.0,), EXACT)
    np.testing.assert_allclose(weighted.weights, copied.weights, atol=2e-3)
    np.testing.assert_allclose(weighted.bias, copied.bias, atol=2e-3)


@pytest.mark.parametrize("balanced", [False, True])
def test_a_class_without_rows_is_never_the_best(balanced: bool) -> None:
    matrix, labels = problem(3)
    for machine in plain(matrix, np.array([0, 2, 4])[labels], 6, balanced, 1):
        scores = matrix @ machine.weights + machine.bias
        assert np.isfinite(scores).all() and scores.shape == (300, 6)
        assert set(scores.argmax(axis=1).tolist()) <= {0, 2, 4}


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_rows_of_one_class_alone_are_all_given_it(classes: int) -> None:
    matrix, _ = problem(2)
    labels = np.full(300, classes - 1)
    for machine in plain(matrix, labels, classes, True, 1):
        assert machine.weights.shape == (20, classes)
        assert set((matrix @ machine.weights + machine.bias).argmax(axis=1).tolist()) == {classes - 1}


def test_without_features_the_bias_decides() -> None:
    for machine in plain(csr_matrix((5, 0), dtype=np.float32), np.array([1, 1, 1, 0, 1]), 2, False, 1):
        assert machine.weights.shape == (0, 2) and machine.bias[1] > machine.bias[0]


@pytest.mark.parametrize("classes", [2, 4])
def test_the_same_seed_gives_the_same_bits(classes: int) -> None:
    matrix, labels = problem(classes)
    first, again, other = (list(plain(matrix, labels, classes, False, seed)) for seed in (1, 1, 2))
    for one, same, different in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one.weights, same.weights)
        np.testing.assert_array_equal(one.bias, same.bias)
        assert (one.weights != different.weights).any()


def test_a_machine_stays_as_it_is_when_the_next_is_fitted() -> None:
    matrix, labels = problem(4)
    fitted = plain(matrix, labels, 4, False, 1)
    first = next(fitted)
    weights, bias = first.weights.copy(), first.bias.copy()
    list(fitted)
    np.testing.assert_array_equal(first.weights, weights)
    np.testing.assert_array_equal(first.bias, bias)

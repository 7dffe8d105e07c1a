"""Naive Bayes' weights, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.linear.naive_bayes import SMOOTHING, log_count_ratio, naive_bayes, sums

FEATURES = csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]], np.float32))


def test_the_log_count_ratio_is_that_computed_by_hand() -> None:
    # p = 1 + (2, 1, 0) of 6, q = 1 + (0, 0, 1) of 4.
    expected = np.log(np.array([3, 2, 1]) / 6 / (np.array([1, 1, 2]) / 4))
    positive = np.array([True, True, False])
    np.testing.assert_allclose(log_count_ratio(FEATURES, positive), expected)
    np.testing.assert_array_equal(
        log_count_ratio(FEATURES, positive), log_count_ratio(FEATURES, positive, total=sums(FEATURES))
    )


def test_each_class_has_the_ratio_of_its_rows_to_all_others() -> None:
    found = naive_bayes(FEATURES, np.array([0, 2, 1]), 3)
    # Of class 2, p = (1, 0, 0) and q = (1, 1, 1), each plus the smoothing.
    p, q = np.array([1, 0, 0]) + SMOOTHING, np.array([1, 1, 1]) + SMOOTHING
    np.testing.assert_allclose(found[:, 2], np.log(p / p.sum() / (q / q.sum())), rtol=1e-6)
    assert found.shape == (3, 3) and found.dtype == np.float32


def test_of_two_classes_one_has_the_weights_of_the_other_with_the_sign_turned() -> None:
    found = naive_bayes(FEATURES, np.array([0, 1, 1]), 2)
    np.testing.assert_allclose(found[:, 0], -found[:, 1], rtol=1e-5)


def test_a_row_that_weighs_twice_is_as_two_rows() -> None:
    twice = csr_matrix(np.concatenate([FEATURES.toarray(), FEATURES[:1].toarray()]))
    weighted = naive_bayes(FEATURES, np.array([0, 0, 1]), 2, np.array([2, 1, 1], np.float32))
    np.testing.assert_allclose(weighted, naive_bayes(twice, np.array([0, 0, 1, 0]), 2), rtol=1e-6)


@pytest.mark.parametrize("label", [0, 1])
def test_a_single_class_says_nothing(label: int) -> None:
    assert not naive_bayes(FEATURES, np.full(3, label), 2).any()


def test_no_row_is_likelier_of_a_class_without_rows_than_of_another() -> None:
    found = naive_bayes(FEATURES, np.array([0, 2, 3]), 5)
    present = found[:, [0, 2, 3]]
    np.testing.assert_array_equal(found[:, 1], present.min(axis=1))
    np.testing.assert_array_equal(found[:, 1], found[:, 4])
    np.testing.assert_array_equal(present, naive_bayes(FEATURES, np.array([0, 1, 2]), 3))


def test_whatever_the_blocks_the_sums_are_those_of_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.linear.naive_bayes.BLOCK", 3)
    assert sums(FEATURES).tolist() == [2, 1, 1]

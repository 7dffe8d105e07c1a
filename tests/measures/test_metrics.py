from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from pipeline.measures import metrics

TRUTH = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 0])
NAMES = ["a", "b", "c"]


def test_scores_of_six_rows_are_those_computed_by_hand() -> None:
    scores = metrics.scores(TRUTH, PREDICTED, NAMES)
    assert scores.accuracy == pytest.approx(3 / 6)
    by_label = {entry.label: entry for entry in scores.classes}
    # a: 2 of 4 predictions right, 2 of 3 found; b: 1 of 2, 1 of 2; c: never predicted.
    assert by_label["a"].to_json() == {
        "label": "a",
        "precision": 0.5,
        "recall": 2 / 3,
        "f1": pytest.approx(4 / 7),
        "rows": 3,
    }
    assert by_label["b"].f1 == pytest.approx(0.5)
    assert by_label["c"].to_json() == {"label": "c", "precision": 0, "recall": 0, "f1": 0, "rows": 1}
    assert scores.macro_f1 == pytest.approx((4 / 7 + 0.5 + 0) / 3)


def test_macro_f1_leaves_out_a_class_without_test_rows() -> None:
    scores = metrics.scores(np.array([0, 1]), np.array([0, 1]), NAMES)
    assert scores.macro_f1 == 1
    assert [entry.rows for entry in scores.classes] == [1, 1, 0]


def test_macro_f1_leaves_out_a_class_that_is_predicted_and_has_no_rows() -> None:
    """Class a: 1 of 1 prediction right, 1 of 2 rows found; b: 1 of 1 and 1 of 1; c: predicted alone, F1 0."""
    scores = metrics.scores(np.array([0, 0, 1]), np.array([0, 2, 1]), NAMES)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
    assert scores.classes[2].f1 == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=20
    ).filter(lambda rows: any(count for *_, count in rows))
)
def test_the_bootstrap_has_the_macro_f1_of_the_scores(
    rows: list[tuple[int, int, int]],
) -> None:
    """A row that is drawn n times counts as n rows; some classes have no rows, or are never predicted."""
    truth, predicted, counts = np.array(rows).T
    drawn = np.repeat(truth, counts), np.repeat(predicted, counts)
    expected = metrics.scores(*drawn, list("abcde")).macro_f1
    assert metrics._macro_f1(truth, predicted, counts) == pytest.approx(expected)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 9)), min_size=1, max_size=20),
    st.booleans(),
)
def test_scores_and_confusion_are_scikit_learns(rows: list[tuple[int, int, int]], is_weighted: bool) -> None:
    truth, predicted, counts = np.array(rows).T
    weights = (counts / 4).astype(np.float32) if is_weighted else None
    scores = metrics.scores(truth, predicted, list("abcde"), weights)
    options = {"labels": range(5), "sample_weight": weights}
    theirs = precision_recall_fscore_support(truth, predicted, zero_division=0, **options)
    found = [(entry.precision, entry.recall, entry.f1, entry.rows) for entry in scores.classes]
    np.testing.assert_allclose(np.array(found).T, np.array(theirs), rtol=1e-12)
    expected = confusion_matrix(truth, predicted, labels=range(5))
    np.testing.assert_array_equal(metrics.confusion(truth, predicted, 5), expected)


@given(st.integers(1, 10**7), st.floats(0, 1))
def test_wilsons_interval_is_scipys(rows: int, share: float) -> None:
    correct = round(share * rows)
    expected = binomtest(correct, rows).proportion_ci(method="wilson")
    assert metrics.wilson_interval(correct, rows) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_confusion_matrix_has_the_true_class_in_its_rows() -> None:
    assert metrics.confusion(TRUTH, PREDICTED, 3).tolist() == [[2, 1, 0], [1, 1, 0], [1, 0, 0]]


def test_classes_that_are_confused_stand_together() -> None:
    matrix = np.array([[8, 0, 2, 0], [0, 7, 0, 3], [4, 0, 6, 0], [0, 1, 0, 9]])
    order = metrics.confusion_order(matrix).tolist()
    assert sorted(order) == [0, 1, 2, 3]
    assert abs(order.index(0) - order.index(2)) == abs(order.index(1) - order.index(3)) == 1
    assert metrics.confusion_order(matrix[:2, :2]).tolist() == [0, 1]


def test_the_most_confused_pair_comes_first() -> None:
    matrix = np.array([[8, 0, 2], [0, 7, 0], [4, 1, 6]])
    assert metrics.confused_pairs(matrix) == [(2, 0, 4), (0, 2, 2), (2, 1, 1)]
    assert metrics.confused_pairs(np.diag([3, 2])) == []


def test_wilsons_interval_holds_where_every_row_is_right() -> None:
    # 1 / (1 + 1.96² / 10), of ten rows
    assert metrics.wilson_interval(10, 10) == pytest.approx((0.7225, 1), abs=1e-4)
    assert metrics.wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)


def test_a_row_of_weight_three_counts_as_three_rows() -> None:
    weighted = metrics.scores(
        np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0]), ["a", "b"], np.array([3, 1, 1, 1], np.float32)
    )
    assert weighted.accuracy == pytest.approx(4 / 6)
    # a: precision 3/4, recall 3/4; b: 1/2 and 1/2
    assert weighted.macro_f1 == pytest.approx((3 / 4 + 1 / 2) / 2)

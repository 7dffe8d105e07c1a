from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import metrics

TRUTH = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 0])
NAMES = ["a", "b", "c"]


def test_scores_of_six_rows_are_those_computed_by_hand() -> None:
    scores = metrics.scores(TRUTH, PREDICTED, NAMES)
    assert scores["accuracy"] == pytest.approx(3 / 6)
    by_label = {entry["label"]: entry for entry in scores["classes"]}
    # a: 2 of 4 predictions right, 2 of 3 found; b: 1 of 2, 1 of 2; c: never predicted.
    assert by_label["a"] == {
        "label": "a",
        "precision": 0.5,
        "recall": 2 / 3,
        "f1": pytest.approx(4 / 7),
        "rows": 3,
    }
    assert by_label["b"]["f1"] == pytest.approx(0.5)
    assert by_label["c"] == {"label": "c", "precision": 0, "recall": 0, "f1": 0, "rows": 1}
    assert scores["macro_f1"] == pytest.approx((4 / 7 + 0.5 + 0) / 3)


def test_macro_f1_leaves_out_a_class_without_test_rows() -> None:
    scores = metrics.scores(np.array([0, 1]), np.array([0, 1]), NAMES)
    assert scores["macro_f1"] == 1
    assert [entry["rows"] for entry in scores["classes"]] == [1, 1, 0]


def test_the_confusion_matrix_has_the_true_class_in_its_rows() -> None:
    assert metrics.confusion(TRUTH, PREDICTED, 3).tolist() == [[2, 1, 0], [1, 1, 0], [1, 0, 0]]


def test_two_classifiers_that_are_right_on_the_same_rows_do_not_differ() -> None:
    correct = np.array([True, False, True, True])
    assert metrics.difference_interval(correct, correct, seed=1) == (0, 0)


def test_a_difference_on_most_rows_is_clear_and_one_on_few_is_not() -> None:
    right, wrong = np.ones(1000, bool), np.ones(1000, bool)
    wrong[:100] = False
    low, high = metrics.difference_interval(right, wrong, seed=1)
    # The standard error of a mean of 0.1 over 1,000 rows is sqrt(0.09 / 1000) = 0.0095.
    assert low == pytest.approx(0.1 - 1.96 * 0.0095, abs=0.002)
    assert high == pytest.approx(0.1 + 1.96 * 0.0095, abs=0.002)
    mixed = right.copy()
    mixed[100:195] = False
    low, high = metrics.difference_interval(mixed, wrong, seed=1)
    assert low < 0 < high


def test_the_interval_of_an_accuracy_is_the_normal_one_for_many_rows() -> None:
    correct = np.arange(2500) % 5 > 0
    low, high = metrics.accuracy_interval(correct, seed=3)
    assert low == pytest.approx(0.8 - 1.96 * 0.008, abs=0.0015)
    assert high == pytest.approx(0.8 + 1.96 * 0.008, abs=0.0015)


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.integers(0, 2**32 - 1))
def test_an_interval_holds_the_mean_repeats_and_stays_within_0_and_1(correct: list[bool], seed: int) -> None:
    low, high = metrics.accuracy_interval(np.array(correct), seed)
    assert 0 <= low <= np.mean(correct) <= high <= 1
    assert (low, high) == metrics.accuracy_interval(np.array(correct), seed)


@pytest.mark.parametrize(
    ("network", "baseline", "verdict"),
    [
        (TRUTH, (TRUTH + 1) % 3, "the network is better"),
        ((TRUTH + 1) % 3, TRUTH, "the baseline is better"),
        (TRUTH, TRUTH, "no clear difference"),
    ],
)
def test_the_summary_says_which_is_better_within_80_columns(
    network: np.ndarray, baseline: np.ndarray, verdict: str
) -> None:
    predictions = {"network": network, "baseline": baseline, "majority": np.zeros(6, np.int64)}
    result = metrics.compare(TRUTH, predictions, NAMES, seed=1)
    summary = metrics.summary(result)
    assert summary.endswith(verdict)
    assert max(map(len, summary.splitlines())) <= 80
    assert result["majority_accuracy"] == 0.5
    assert result["test_rows"] == 6


def test_classes_that_are_confused_stand_together() -> None:
    matrix = np.array([[8, 0, 2, 0], [0, 7, 0, 3], [4, 0, 6, 0], [0, 1, 0, 9]])
    order = metrics.by_confusion(matrix).tolist()
    assert sorted(order) == [0, 1, 2, 3]
    assert abs(order.index(0) - order.index(2)) == abs(order.index(1) - order.index(3)) == 1
    assert metrics.by_confusion(matrix[:2, :2]).tolist() == [0, 1]


def test_the_most_confused_pair_comes_first() -> None:
    matrix = np.array([[8, 0, 2], [0, 7, 0], [4, 1, 6]])
    assert metrics.confused_pairs(matrix) == [(2, 0, 4), (0, 2, 2), (2, 1, 1)]
    assert metrics.confused_pairs(np.diag([3, 2])) == []


def test_wilsons_interval_holds_where_every_row_is_right() -> None:
    # 1 / (1 + 1.96² / 10), of ten rows
    assert metrics.wilson_interval(10, 10) == pytest.approx((0.7225, 1), abs=1e-4)
    assert metrics.wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)

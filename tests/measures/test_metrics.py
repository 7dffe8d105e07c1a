from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.measures import metrics

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


def compared(network: np.ndarray, baseline: np.ndarray, truth: np.ndarray = TRUTH) -> dict[str, Any]:
    predictions = {"network": network, "baseline": baseline, "majority": np.zeros_like(truth)}
    return metrics.compare(truth, predictions, NAMES, seed=1)


def test_intervals_of_few_rows_do_not_pretend_to_be_sure() -> None:
    truth = np.array([0, 1] * 4)
    result = compared(truth, truth, truth)
    # Wilson's, z = 1.96: of 8 of 8 from 1 / (1 + z²/8); of 4 of 8 1/2 ± sqrt(z²/32 + (z²/16)²) / (1 + z²/8).
    assert result["accuracy_interval"] == pytest.approx((0.6756, 1), abs=1e-4)
    assert result["majority_accuracy_interval"] == pytest.approx((0.2152, 0.7848), abs=1e-4)
    low, high = result["difference_interval"]  # no row changes: its upper bound is 1 - 0.025^(1/8)
    assert (low, high) == pytest.approx((-0.3694, 0.3694), abs=1e-4)


@pytest.mark.parametrize(("fixed", "said"), [(5, "no clear difference"), (6, "the network is better")])
def test_a_difference_is_clear_where_mcnemars_p_is_below_5_percent(fixed: int, said: str) -> None:
    truth, baseline = np.zeros(1000, np.int64), np.zeros(1000, np.int64)
    baseline[:fixed] = 1  # p is 2 / 2^5 = 0.0625, and 2 / 2^6 = 0.03125
    assert metrics.verdict(compared(truth, baseline, truth)) == said


def test_macro_f1_has_the_interval_of_a_bootstrap_over_rows() -> None:
    # Two classes of 400 rows; of the first the other has 80 wrong: F1 is 2 * 320 / (400 + 320) of the first
    # and 2 * 400 / (400 + 480) of the second.
    truth = np.repeat([0, 1], 400)
    other = truth.copy()
    other[:80] = 1
    result = compared(truth, other, truth)
    difference = 1 - (640 / 720 + 800 / 880) / 2
    assert result["macro_f1_difference"] == pytest.approx(difference)
    low, high = result["macro_f1_difference_interval"]
    # About as wide as that of the accuracy's 0.1: 1.96 sqrt(0.1 * 0.9 / 800) to each side.
    assert (low, high) == pytest.approx((difference - 0.0208, difference + 0.0208), abs=0.003)
    assert compared(truth, other, truth)["macro_f1_difference_interval"] == (low, high)
    assert compared(truth, truth, truth)["macro_f1_difference_interval"] == (0, 0)


@pytest.mark.parametrize(
    ("network", "baseline", "verdict"),
    [
        (TRUTH, (TRUTH + 1) % 3, "the network is better"),  # six rows fixed: the fewest that can show it
        ((TRUTH + 1) % 3, TRUTH, "the baseline is better"),
        (TRUTH, TRUTH, "no clear difference"),
    ],
)
def test_the_summary_says_which_is_better_within_80_columns(
    network: np.ndarray, baseline: np.ndarray, verdict: str
) -> None:
    result = compared(network, baseline)
    summary = metrics.summary(result, metrics.contestants("TF-IDF + logistic regression", 3, ngrams=True))
    assert summary.splitlines()[4].endswith(f": {verdict}")
    assert max(map(len, summary.splitlines())) <= 79
    assert result["majority_accuracy"] == 0.5
    assert result["test_rows"] == 6


def test_a_verdict_without_reservation_has_no_cautions() -> None:
    truth = np.repeat([0, 1], 100)
    assert metrics.cautions(compared(truth, 1 - truth, truth), metrics.contestants("B")) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (5, ["The majority class is not really beaten: it has 50.0% of the rows right, the network 52.5%."]),
        (6, []),
    ],
)
def test_a_majority_class_that_may_be_as_good_is_a_caution(found: int, said: list[str]) -> None:
    # Both have the 100 rows of class 0 right, and the network 5 of class 1 besides, of which McNemar's
    # p is 2 / 2^5, or 6, of which it is 2 / 2^6.
    truth = np.repeat([0, 1], 100)
    network = np.repeat([0, 1], [200 - found, found])
    assert metrics.cautions(compared(network, np.full(200, 2), truth), metrics.contestants("B")) == said


def test_macro_f1_that_says_the_contrary_is_a_caution() -> None:
    # The network has all 180 rows of class 0, none of the 20 of class 1: (360 / 380 + 0) / 2 is 47.4 %. The
    # other has 140 of class 0 and all of class 1: (280 / 320 + 40 / 80) / 2 is 68.75 %.
    truth = np.repeat([0, 1], [180, 20])
    network, baseline = np.zeros_like(truth), truth.copy()
    baseline[:40] = 1
    majority, macro_f1 = metrics.cautions(compared(network, baseline, truth), metrics.contestants("TF-IDF"))
    assert majority.startswith("The majority class is not really beaten: it has 90.0%")
    assert "it is the other way round: the network has 47.4%, TF-IDF 68.8%, -21.4 points [-" in macro_f1


@pytest.mark.parametrize(
    ("rows", "said"), [(99, ["There are only 99 test rows: one of them is 1.0 points."]), (100, [])]
)
def test_few_test_rows_are_a_caution(rows: int, said: list[str]) -> None:
    truth = np.arange(rows) % 2
    assert metrics.cautions(compared(truth, 1 - truth, truth), metrics.contestants("B")) == said


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

from __future__ import annotations

import numpy as np
import pytest

from pipeline.measures.comparison import (
    Comparison,
    Titles,
    cautions,
    compare,
    headline,
    network_title,
    summary,
)

TRUTH = np.array([0, 0, 0, 1, 1, 2])
NAMES = ["a", "b", "c"]
TITLES = Titles("network", "B")


def compared(network: np.ndarray, baseline: np.ndarray, truth: np.ndarray = TRUTH) -> Comparison:
    return compare(truth, network, baseline, np.zeros_like(truth), NAMES, seed=1)


def test_intervals_of_few_rows_do_not_pretend_to_be_sure() -> None:
    truth = np.array([0, 1] * 4)
    result = compared(truth, truth, truth)
    # Wilson's, z = 1.96: of 8 of 8 from 1 / (1 + z²/8); of 4 of 8 1/2 ± sqrt(z²/32 + (z²/16)²) / (1 + z²/8).
    assert result.network.accuracy_interval == pytest.approx((0.6756, 1), abs=1e-4)
    assert result.majority.accuracy_interval == pytest.approx((0.2152, 0.7848), abs=1e-4)
    low, high = result.difference_interval  # no row changes: its upper bound is 1 - 0.025^(1/8)
    assert (low, high) == pytest.approx((-0.3694, 0.3694), abs=1e-4)


@pytest.mark.parametrize(
    ("fixed", "verdict"),
    [(5, "no significant difference (p = 0.062)"), (6, "significantly better (p = 0.031)")],
)
def test_a_difference_is_significant_where_mcnemars_p_is_below_5_percent(fixed: int, verdict: str) -> None:
    truth, baseline = np.zeros(1000, np.int64), np.zeros(1000, np.int64)
    baseline[:fixed] = 1  # p is 2 / 2^5 = 0.0625, and 2 / 2^6 = 0.03125
    assert compared(truth, baseline, truth).verdict == verdict


def test_macro_f1_has_the_interval_of_a_bootstrap_over_rows() -> None:
    # Two classes of 400 rows; of the first the other has 80 wrong: F1 is 2 * 320 / (400 + 320) of the first
    # and 2 * 400 / (400 + 480) of the second.
    truth = np.repeat([0, 1], 400)
    other = truth.copy()
    other[:80] = 1
    result = compared(truth, other, truth)
    difference = 1 - (640 / 720 + 800 / 880) / 2
    assert result.macro_f1_difference == pytest.approx(difference)
    low, high = result.macro_f1_difference_interval
    # About as wide as that of the accuracy's 0.1: 1.96 sqrt(0.1 * 0.9 / 800) to each side.
    assert (low, high) == pytest.approx((difference - 0.0208, difference + 0.0208), abs=0.003)
    assert compared(truth, other, truth).macro_f1_difference_interval == (low, high)
    assert compared(truth, truth, truth).macro_f1_difference_interval == (0, 0)


@pytest.mark.parametrize(
    ("network", "baseline", "verdict"),
    [
        # Six rows fixed are the fewest that can be significant.
        (TRUTH, (TRUTH + 1) % 3, "significantly better (p = 0.031)"),
        ((TRUTH + 1) % 3, TRUTH, "significantly worse (p = 0.031)"),
        (TRUTH, TRUTH, "no significant difference (p = 1)"),
    ],
)
def test_the_summary_says_which_is_better_within_80_columns(
    network: np.ndarray, baseline: np.ndarray, verdict: str
) -> None:
    result = compared(network, baseline)
    titles = Titles(network_title(3, ngrams=True), "TF-IDF + logistic regression")
    lines = summary(result, titles).splitlines()
    assert f": {verdict} " in " ".join(" ".join(lines[4:]).split())
    assert max(map(len, lines)) <= 79
    assert result.majority.scores.accuracy == 0.5
    assert result.test_rows == 6


def test_a_verdict_without_reservation_has_no_cautions() -> None:
    truth = np.repeat([0, 1], 100)
    assert cautions(compared(truth, 1 - truth, truth), TITLES) == []


@pytest.mark.parametrize(
    ("correct", "sentences"),
    [
        (
            5,
            [
                "The network is not significantly better than the majority class: "
                "52.5% against 50.0% accuracy."
            ],
        ),
        (6, []),
    ],
)
def test_a_majority_class_that_may_be_as_good_is_a_caution(correct: int, sentences: list[str]) -> None:
    # Both have the 100 rows of class 0 right, and the network 5 of class 1 besides, of which McNemar's
    # p is 2 / 2^5, or 6, of which it is 2 / 2^6.
    truth = np.repeat([0, 1], 100)
    network = np.repeat([0, 1], [200 - correct, correct])
    assert cautions(compared(network, np.full(200, 2), truth), TITLES) == sentences


def test_macro_f1_that_says_the_contrary_is_a_caution() -> None:
    # The network has all 180 rows of class 0, none of the 20 of class 1: (360 / 380 + 0) / 2 is 47.4 %. The
    # other has 140 of class 0 and all of class 1: (280 / 320 + 40 / 80) / 2 is 68.75 %.
    truth = np.repeat([0, 1], [180, 20])
    network, baseline = np.zeros_like(truth), truth.copy()
    baseline[:40] = 1
    majority, macro_f1 = cautions(compared(network, baseline, truth), Titles("network", "TF-IDF"))
    assert majority.startswith("The network is not significantly better than the majority class: 90.0%")
    assert "it is the other way round: the network has 47.4%, TF-IDF 68.8%, -21.4 points [-" in macro_f1


@pytest.mark.parametrize(
    ("rows", "sentences"), [(99, ["There are only 99 test rows: one of them is 1.0 points."]), (100, [])]
)
def test_few_test_rows_are_a_caution(rows: int, sentences: list[str]) -> None:
    truth = np.arange(rows) % 2
    assert cautions(compared(truth, 1 - truth, truth), TITLES) == sentences


def test_the_headline_gives_the_interval_the_difference_and_the_cautions() -> None:
    truth = np.repeat([0, 1], 100)
    lines = headline(compared(truth, 1 - truth, truth), TITLES).split("  \n")
    assert lines[0] == "**Accuracy 100.0%** [98.1%, 100.0%] on 200 test rows; B has 0.0%."
    assert lines[1].startswith("Difference: +100.0 points [")
    assert lines[1].endswith(": significantly better (p < 0.0001).")


def test_the_keys_of_metrics_json_begin_with_their_classifier() -> None:
    entries = compared(TRUTH, (TRUTH + 1) % 3).to_json()
    assert list(entries)[:9] == [
        f"{prefix}{key}"
        for prefix in ("", "baseline_", "majority_")
        for key in ("accuracy", "accuracy_interval", "macro_f1")
    ]
    assert (entries["accuracy"], entries["baseline_accuracy"], entries["majority_accuracy"]) == (1, 0, 0.5)
    assert entries["macro_f1_difference"] == 1 and entries["confusion"] == [[3, 0, 0], [0, 2, 0], [0, 0, 1]]

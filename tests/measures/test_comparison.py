from __future__ import annotations

import numpy as np
import pytest

from pipeline.measures.comparison import (
    Comparison,
    Opponent,
    Titles,
    cautions,
    compare,
    headline,
    network_title,
    summary,
)
from pipeline.options import Criterion

TRUTH = np.array([0, 0, 0, 1, 1, 2])
NAMES = ["a", "b", "c"]
TITLES = Titles("network", {"b": "B", "c": "C", "majority": "majority class"})


def compared(
    network: np.ndarray,
    baseline: np.ndarray,
    truth: np.ndarray = TRUTH,
    criterion: Criterion = "accuracy",
    **others: tuple[np.ndarray, float],
) -> Comparison:
    """B is best on the validation part, unless one of the others is."""
    opponents = {"b": (baseline, 0.8), **others, "majority": (np.zeros_like(truth), 0.5)}
    found = {key: Opponent(*opponent) for key, opponent in opponents.items()}
    return compare(truth, network, found, NAMES, criterion, seed=1)


def test_intervals_of_few_rows_do_not_pretend_to_be_sure() -> None:
    truth = np.array([0, 1] * 4)
    result = compared(truth, truth, truth)
    # Wilson's, z = 1.96: of 8 of 8 from 1 / (1 + z²/8); of 4 of 8 1/2 ± sqrt(z²/32 + (z²/16)²) / (1 + z²/8).
    assert result.network.accuracy_interval == pytest.approx((0.6756, 1), abs=1e-4)
    assert result.opponents["majority"].accuracy_interval == pytest.approx((0.2152, 0.7848), abs=1e-4)
    low, high = result.lead.interval  # no row changes: its upper bound is 1 - 0.025^(1/8)
    assert (low, high) == pytest.approx((-0.3694, 0.3694), abs=1e-4)


@pytest.mark.parametrize(
    ("fixed", "verdict"),
    [(5, "no significant difference (p = 0.062)"), (6, "significantly better (p = 0.031)")],
)
def test_a_difference_is_significant_where_mcnemars_p_is_below_5_percent(fixed: int, verdict: str) -> None:
    truth, baseline = np.zeros(1000, np.int64), np.zeros(1000, np.int64)
    baseline[:fixed] = 1  # p is 2 / 2^5 = 0.0625, and 2 / 2^6 = 0.03125
    assert compared(truth, baseline, truth).lead.verdict == verdict


def test_macro_f1_has_the_interval_of_a_bootstrap_over_rows() -> None:
    # Two classes of 400 rows; of the first the other has 80 wrong: F1 is 2 * 320 / (400 + 320) of the first
    # and 2 * 400 / (400 + 480) of the second.
    truth = np.repeat([0, 1], 400)
    other = truth.copy()
    other[:80] = 1
    lead = compared(truth, other, truth).leads["macro_f1"]
    difference = 1 - (640 / 720 + 800 / 880) / 2
    assert lead.difference == pytest.approx(difference)
    low, high = lead.interval
    # About as wide as that of the accuracy's 0.1: 1.96 sqrt(0.1 * 0.9 / 800) to each side.
    assert (low, high) == pytest.approx((difference - 0.0208, difference + 0.0208), abs=0.003)
    assert compared(truth, other, truth).leads["macro_f1"] == lead
    assert compared(truth, truth, truth).leads["macro_f1"].interval == (0, 0)


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
    titles = Titles(network_title(3, ngrams=True), TITLES.opponents | {"b": "TF-IDF + logistic regression"})
    lines = summary(result, titles).splitlines()
    assert f": {verdict} " in " ".join(" ".join(lines[4:]).split())
    assert max(map(len, lines)) <= 79
    assert result.opponents["majority"].scores.accuracy == 0.5
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
    majority, macro_f1 = cautions(compared(network, baseline, truth), TITLES)
    assert majority.startswith("The network is not significantly better than the majority class: 90.0%")
    assert "it is the other way round: the network has 47.4%, B 68.8%, -21.4 points [-" in macro_f1


def test_by_macro_f1_the_verdict_is_that_of_macro_f1_and_accuracy_is_the_caution() -> None:
    """The same two: by macro-F1 the network is worse, with 10 points more accuracy."""
    truth = np.repeat([0, 1], [180, 20])
    network, baseline = np.zeros_like(truth), truth.copy()
    baseline[:40] = 1
    result = compared(network, baseline, truth, criterion="macro_f1")
    low, high = result.lead.interval
    assert (result.lead.difference, high < 0) == (pytest.approx(0.4737 - 0.6875, abs=1e-4), True)
    assert result.lead.verdict == "significantly worse"
    assert f"-21.4 points of macro-F1 [{100 * low:+.1f}, {100 * high:+.1f}] from B, the" in " ".join(
        summary(result, TITLES).split()
    )
    majority, accuracy = cautions(result, TITLES)
    assert majority.endswith("than the majority class: 47.4% against 47.4% macro-F1.")
    assert accuracy.startswith(
        "By accuracy it is the other way round: the network has 90.0%, B 80.0%, +10.0 p"
    )
    assert headline(result, TITLES).startswith("**Macro-F1 47.4%** on 200 test rows; B has 68.8%.")


@pytest.mark.parametrize(("changed", "significant"), [(5, False), (6, True)])
def test_by_macro_f1_few_rows_are_never_surer_than_their_signs(changed: int, significant: bool) -> None:
    """All rows that change speak for the network, and so does each resample with one of them."""
    truth = np.repeat([0, 1], 10)
    other = truth.copy()
    other[:changed] = 1
    low, high = compared(truth, other, truth, criterion="macro_f1").lead.interval
    assert (low > 0) == significant and low >= 0 and high > 0


def test_the_strongest_opponent_is_the_best_on_the_validation_part_and_not_on_the_test_part() -> None:
    right, wrong = TRUTH, (TRUTH + 1) % 3
    result = compared(right, right, c=(wrong, 0.9))
    assert (result.strongest, result.baseline.scores.accuracy, result.lead.difference) == ("c", 0, 1)
    assert "from C, the strongest opponent on held-out rows" in " ".join(summary(result, TITLES).split())
    lines = summary(result, TITLES).splitlines()
    assert [line.split("  ")[1] for line in lines[1:5]] == ["network", "B", "C", "majority class"]
    assert compared(right, right, c=(wrong, 0.8)).strongest == "b"  # of equals the first


def test_a_majority_class_that_is_the_strongest_opponent_is_compared_once() -> None:
    truth = np.repeat([0, 1], 100)
    result = compared(np.zeros_like(truth), 1 - truth, truth, b=(1 - truth, 0.4))
    assert result.strongest == "majority" and cautions(result, TITLES) == []


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
    assert "] from B, the strongest opponent on held-out rows: " in lines[1]
    assert lines[1].endswith(": significantly better (p < 0.0001).")


def test_the_keys_of_metrics_json_begin_with_their_classifier() -> None:
    entries = compared(TRUTH, (TRUTH + 1) % 3, c=(TRUTH, 0.1)).to_json()
    assert list(entries)[:17] == [
        "criterion",
        *(f"{key}" for key in ("accuracy", "accuracy_interval", "macro_f1")),
        "baseline",
        *(
            f"{prefix}_{key}"
            for prefix in ("baseline", "b", "c", "majority")
            for key in ("accuracy", "accuracy_interval", "macro_f1")
        ),
    ]
    assert (entries["accuracy"], entries["baseline_accuracy"], entries["majority_accuracy"]) == (1, 0, 0.5)
    assert (entries["baseline"], entries["b_accuracy"], entries["c_accuracy"]) == ("b", 0, 1)
    assert entries["macro_f1_difference"] == 1 and entries["confusion"] == [[3, 0, 0], [0, 2, 0], [0, 0, 1]]

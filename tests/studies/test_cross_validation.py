"""Comparison of contestants over folds: scores, differences, the verdict and the table."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.baselines.catalogue import BASELINES
from pipeline.options import Criterion
from pipeline.studies.cross_validation import (
    ContestantResult,
    FoldPredictions,
    contestant_results,
    over_seeds,
    table,
    verdict,
)
from pipeline.studies.t_tests import Difference, over_folds

NONE = Difference(0.0, -0.01, 0.01, 1.0)


def contestant(
    title: str,
    *accuracies: float,
    lead: Difference | None = None,
    macro_f1: float | None = None,
    macro_f1_lead: Difference = NONE,
    validation_score: float = 0.5,
) -> ContestantResult:
    values = np.array(accuracies)
    f1 = values / 2 if macro_f1 is None else np.full(len(values), macro_f1)
    leads = {"accuracy": lead, "macro_f1": macro_f1_lead} if lead else None
    found = {"accuracy": values, "macro_f1": f1}
    return ContestantResult(title, title, found, validation_score, leads)


def test_every_contestant_is_scored_and_the_opponents_are_compared_with_the_network() -> None:
    first, second = np.array([0, 0, 1, 1]), np.array([0, 1])
    folds = [
        FoldPredictions(first, {"network": np.array([0, 0, 1, 0]), "b": np.array([1, 0, 1, 0])}, {"b": 0.5}),
        FoldPredictions(second, {"network": np.array([0, 1]), "b": np.array([0, 0])}, {"b": 0.8}),
    ]
    network, opponent = contestant_results(folds, {"network": "net", "b": "B"}, ["x", "y"], fold_count=2)
    assert (network.title, network.scores["accuracy"].tolist()) == ("net", [0.75, 1])
    assert (network.validation_score, network.differences) == (None, None)
    assert (opponent.title, opponent.scores["accuracy"].tolist()) == ("B", [0.5, 0.5])
    assert opponent.validation_score == pytest.approx(0.65)
    assert opponent.differences is not None
    assert opponent.differences["accuracy"] == over_folds(np.array([0.25, 0.5]), 2)
    # The network's F1: (4/5 + 2/3) / 2, and 1; the other's: (1/2 + 1/2) / 2, and (2/3 + 0) / 2.
    expected = over_folds(np.array([11 / 15 - 1 / 2, 2 / 3]), 2)
    assert vars(opponent.differences["macro_f1"]) == pytest.approx(vars(expected))


@pytest.mark.parametrize(
    ("measure", "mean"),
    # F1 of the network: (4/5 + 2/3) / 2, and 1; of the other: (1/2 + 1/2) / 2, and (2/3 + 0) / 2.
    [("accuracy", (0.25 + 0.5) / 2), ("macro_f1", (11 / 15 - 1 / 2 + 1 - 1 / 3) / 2)],
)
def test_seeds_on_one_test_part_are_compared_over_its_rows(measure: Criterion, mean: float) -> None:
    truth = np.array([0, 0, 1, 1])
    network = [np.array([0, 0, 1, 0]), truth]
    opponent = [np.array([1, 0, 1, 0]), np.array([0, 0, 0, 0])]
    found = over_seeds([truth] * 2, network, opponent, measure)
    assert found.mean == pytest.approx(mean)
    assert found.low < found.mean < found.high


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        (
            Difference(0.02, 0.01, 0.03, 0.004),
            "Ship net: significantly better (p = 0.004) than B, by 2.0 points.",
        ),
        (
            Difference(-0.02, -0.03, -0.01, 1e-9),
            "Ship B: net is significantly worse (p < 0.0001), by 2.0 points.",
        ),
        (
            Difference(0.004, -0.01, 0.02, 0.3),
            "Ship B, which costs less: no significant difference (p = 0.3) from net, 0.4 points.",
        ),
    ],
)
def test_the_verdict_is_about_the_strongest_opponent(lead: Difference, expected: str) -> None:
    contestants = [
        contestant("net", 0.8, 0.8),
        contestant("A", 0.9, 0.9, lead=Difference(-0.1, -0.2, -0.05, 0.001), validation_score=0.77),
        contestant("B", 0.78, 0.78, lead=lead, validation_score=0.78),
    ]
    assert verdict(contestants, "accuracy") == expected


def test_the_verdict_on_contestants_chosen_by_macro_f1_is_by_macro_f1() -> None:
    """By accuracy, which the majority class has most of, the network would not be shipped."""
    worse, better = Difference(-0.03, -0.04, -0.02, 0.02), Difference(0.1, 0.04, 0.16, 0.01)
    contestants = [
        contestant("balanced", *[0.9] * 3, macro_f1=0.8),
        contestant("majority class", *[0.93] * 3, macro_f1=0.48, lead=worse, validation_score=0.48),
        contestant("B", *[0.91] * 3, macro_f1=0.7, lead=worse, macro_f1_lead=better, validation_score=0.71),
    ]
    assert verdict(contestants, "macro_f1") == (
        "Ship balanced: significantly better (p = 0.01) than B, by 10.0 points of macro-F1. "
        "Of accuracy, balanced has 90.0 % and B 91.0 %."
    )


def test_the_table_gives_mean_and_standard_deviation_within_79_columns() -> None:
    opponent = contestant("TF-IDF + logistic regression", 1, 1, lead=Difference(-0.25, -0.4, -0.1, 0.01))
    text = table([contestant("kim-multichannel", 0.7, 0.8), opponent], "accuracy")
    assert "75.0 ±  7.1" in text
    assert "37.5 ±  3.5" in text
    assert text.splitlines()[0].endswith("  network - it, points") and "-25.0 [-40.0, -10.0]" in text
    by_macro_f1 = table([contestant("kim-multichannel", 0.7, 0.8), opponent], "macro_f1")
    assert by_macro_f1.splitlines()[0].endswith("  network - it, F1") and "+0.0 [-1.0, +1.0]" in by_macro_f1
    assert max(map(len, text.splitlines())) <= 79


def test_an_interval_that_reaches_the_largest_possible_difference_has_room() -> None:
    opponent = contestant("B", 0, 1, lead=Difference(-0.995, -1.0, 1.0, 0.5))
    text = table([contestant("kim-rand network.windows=[1,2,3]", 0.7, 0.8), opponent], "accuracy")
    assert "-99.5 [-100, +100]" in text
    assert max(map(len, text.splitlines())) <= 79


def test_the_longest_title_makes_no_line_longer_than_79_columns() -> None:
    titles = [baseline.title for baseline in BASELINES.values()]
    lead = Difference(-0.25, -0.4, -0.1, 0.01)
    opponents = [contestant(title, 0.7, 0.8, lead=lead) for title in titles]
    network = contestant("image_cnn train.epochs=3 seed=7 x", 0.7, 0.8)
    lines = table([network, *opponents], "accuracy").splitlines()
    assert max(map(len, lines)) <= 79
    assert all(any(line.startswith(f"  {title}  ") for line in lines) for title in titles)
    assert lines[1].startswith("  image_cnn train.epochs=3 see…  75.0 ± ")
    assert len({line.index("±") for line in lines[1:]}) == 1

"""Comparison of contestants over folds: scores, differences, the verdict and the table."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.baselines.catalogue import BASELINES
from pipeline.studies.cross_validation import (
    ContestantResult,
    FoldPredictions,
    contestant_results,
    difference,
    fold_scores,
    table,
    verdict,
)
from pipeline.studies.t_tests import Difference


def contestant(
    title: str, *accuracies: float, lead: Difference | None = None, macro_f1: float | None = None
) -> ContestantResult:
    values = np.array(accuracies)
    f1 = values / 2 if macro_f1 is None else np.full(len(values), macro_f1)
    return ContestantResult(title, title, {"accuracy": values, "macro_f1": f1}, lead)


def test_accuracies_and_their_difference_are_those_of_the_labels() -> None:
    truth = [np.array([0, 0, 1, 1]), np.array([0, 1])]
    network = [np.array([0, 0, 1, 0]), np.array([0, 1])]
    opponent = [np.array([1, 0, 1, 0]), np.array([0, 0])]
    assert fold_scores(truth, network, ["a", "b"])["accuracy"].tolist() == [0.75, 1]
    assert difference(truth, network, opponent, fold_count=2).mean == pytest.approx((0.25 + 0.5) / 2)


def test_every_contestant_is_scored_and_the_opponents_are_compared_with_the_network() -> None:
    truth = np.array([0, 1, 1, 1])
    folds = [FoldPredictions(truth, {"network": truth, "majority": np.ones(4, int)})] * 2
    titles = {"network": "kim-rand", "majority": "majority class"}
    network, majority = contestant_results(folds, titles, ["a", "b"], fold_count=2)
    assert (network.title, network.mean("accuracy"), network.difference) == ("kim-rand", 1, None)
    assert (majority.title, majority.scores["accuracy"].tolist()) == ("majority class", [0.75, 0.75])
    assert majority.difference is not None and majority.difference.mean == 0.25


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
        contestant("A", 0.5, 0.5, lead=Difference(0.3, 0.2, 0.4, 0.001)),
        contestant("B", 0.78, 0.78, lead=lead),
    ]
    assert verdict(contestants, "accuracy") == expected


def test_the_verdict_on_contestants_selected_by_macro_f1_gives_their_macro_f1() -> None:
    worse, better = Difference(-0.03, -0.04, -0.02, 0.02), Difference(0.05, 0.04, 0.06, 0.01)
    contestants = [
        contestant("balanced", *[0.9] * 3, macro_f1=0.8),
        contestant("majority class", *[0.93] * 3, macro_f1=0.48, lead=worse),
        contestant("B", *[0.85] * 3, macro_f1=0.7, lead=better),
    ]
    assert verdict(contestants, "macro_f1") == (
        "Ship majority class: balanced is significantly worse (p = 0.02), by 3.0 points. "
        "By macro-F1, which they were selected by, balanced has 80.0 % and B 70.0 %."
    )


def test_the_table_gives_mean_and_standard_deviation_within_79_columns() -> None:
    opponent = contestant("TF-IDF + logistic regression", 1, 1, lead=Difference(-0.25, -0.4, -0.1, 0.01))
    text = table([contestant("kim-multichannel", 0.7, 0.8), opponent])
    assert "75.0 ±  7.1" in text
    assert "37.5 ±  3.5" in text
    assert "-25.0 [-40.0, -10.0]" in text
    assert max(map(len, text.splitlines())) <= 79


def test_an_interval_that_reaches_the_largest_possible_difference_has_room() -> None:
    opponent = contestant("B", 0, 1, lead=Difference(-0.995, -1.0, 1.0, 0.5))
    text = table([contestant("kim-rand network.windows=[1,2,3]", 0.7, 0.8), opponent])
    assert "-99.5 [-100, +100]" in text
    assert max(map(len, text.splitlines())) <= 79


def test_the_longest_title_makes_no_line_longer_than_79_columns() -> None:
    titles = [baseline.title for baseline in BASELINES.values()]
    lead = Difference(-0.25, -0.4, -0.1, 0.01)
    opponents = [contestant(title, 0.7, 0.8, lead=lead) for title in titles]
    lines = table([contestant("image_cnn train.epochs=3 seed=7 x", 0.7, 0.8), *opponents]).splitlines()
    assert max(map(len, lines)) <= 79
    assert all(any(line.startswith(f"  {title}  ") for line in lines) for title in titles)
    assert lines[1].startswith("  image_cnn train.epochs=3 see…  75.0 ± ")
    assert len({line.index("±") for line in lines[1:]}) == 1

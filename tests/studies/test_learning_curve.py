"""What a learning curve says, computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.measures.metrics import wilson_interval
from pipeline.studies import t_tests
from pipeline.studies.learning_curve import (
    ContestantCurve,
    LearningCurve,
    Score,
    contestant_curves,
    leaders,
    outlook,
    score,
    table,
)
from pipeline.studies.t_tests import Difference


def difference(points: float, reach: float) -> Difference:
    """A difference in points whose interval reaches so far on both sides."""
    p = 0.001 if abs(points) > reach else 0.5
    return Difference(points / 100, (points - reach) / 100, (points + reach) / 100, p)


def curve(
    gains: list[Difference], leads: list[Difference], opponents: int = 1, criterion="accuracy"
) -> LearningCurve:
    """A network at 90 % and an opponent, or several that are alike, at three sizes."""
    scores = [Score(0.9, 0.88, 0.92, [0.9, 0.9])] * len(leads)
    rivals = [
        ContestantCurve(
            f"rival{number}",
            f"Rival {number}",
            [Score(0.9 - lead.mean, 0.8, 0.95, [0.8, 0.8]) for lead in leads],
            gains,
            leads,
        )
        for number in range(opponents)
    ]
    network = ContestantCurve("network", "convtext", scores, gains, [])
    return LearningCurve(criterion, [0.25, 0.5, 1.0], [250, 500, 1000], 400, [network, *rivals])


AHEAD, BEHIND, EVEN = difference(3, 1), difference(-3, 1), difference(0.5, 1)


def test_contestants_are_compared_in_pairs_of_draw_and_row() -> None:
    truth = np.zeros(4, np.int64)
    small = np.array([[0, 0, 1, 1], [0, 1, 1, 1]])  # accuracies 1/2 and 1/4
    large = np.array([[0, 0, 0, 1], [0, 0, 1, 1]])  # 3/4 and 1/2
    rival = np.array([[0, 1, 1, 1], [1, 1, 1, 1]])
    found = contestant_curves(
        truth,
        {"network": [small, large], "rival": [rival, rival]},
        {"network": "N", "rival": "R"},
        "accuracy",
    )
    network, opponent = found
    assert [entry.draws for entry in network.scores] == [[0.5, 0.25], [0.75, 0.5]]
    assert [entry.mean for entry in network.scores] == [0.375, 0.625]
    assert network.gains == [t_tests.over_rows(np.array([[0, 0, 1, 0], [0, 1, 0, 0.0]]))]
    assert network.gains[0].mean == 0.25
    assert network.leads == []
    assert opponent.leads[1] == t_tests.over_rows(np.array([[0, 1, 1, 0], [1, 1, 0, 0.0]]))
    assert opponent.gains[0].mean == 0


def test_macro_f1_is_compared_where_models_are_chosen_by_it() -> None:
    # Of nine rows of one class and one of another, one class is always predicted: F1 is 18/19 and 0.
    truth = np.array([0] * 9 + [1])
    wrong, right = np.zeros((1, 10), np.int64), truth[None]
    (network,) = contestant_curves(truth, {"network": [wrong, right]}, {"network": "N"}, "macro_f1")
    assert network.scores[0].mean == pytest.approx(9 / 19)
    assert network.gains[0].mean == pytest.approx(1 - 9 / 19)


def test_the_interval_of_one_draw_is_wilsons() -> None:
    values = (np.arange(1000) < 900).astype(float)[None]
    found = score(values)
    assert (found.mean, found.draws) == (0.9, [0.9])
    assert (found.low, found.high) == pytest.approx(wilson_interval(900, 1000), abs=2e-4)


def test_draws_that_differ_widen_the_interval() -> None:
    # Draws of 80 %, 85 % and 90 %: their mean has the variance 0.05^2 / 3, with two degrees of freedom,
    # beside which that of 10,000 rows is little. t is 4.3, so that the t-interval reaches 12.4 points.
    values = (np.arange(10_000) % 100 < np.array([[80], [85], [90]])).astype(float)
    found = score(values)
    reach = stats.t.ppf(0.975, 2) * 0.05 / math.sqrt(3)
    rows = 0.85 * 0.15 * (1.96 / reach) ** 2  # whose interval would reach as far: about 32
    assert (found.low, found.high) == pytest.approx(
        wilson_interval(round(0.85 * rows), round(rows)), abs=0.02
    )
    assert 0.6 < found.low < 0.75 and 0.9 < found.high < 1


@pytest.mark.parametrize(("right", "share"), [(1.0, 1.0), (0.0, 0.0)])
def test_rows_that_are_all_right_or_wrong_leave_an_interval(right: float, share: float) -> None:
    found = score(np.full((3, 50), right))
    assert found.mean == share
    assert (found.low, found.high) == pytest.approx(wilson_interval(round(50 * share), 50))


@given(st.integers(1, 400), st.floats(0, 1), st.integers(1, 3))
def test_the_mean_lies_in_its_interval_whatever_rounding_does(rows: int, share: float, draws: int) -> None:
    right = (np.arange(rows) < share * rows).astype(float)
    found = score(np.array([np.roll(right, draw) for draw in range(draws)]))
    assert 0 <= found.low <= found.mean <= found.high <= 1


@pytest.mark.parametrize("rows", [1, 2, 5, 6])
def test_few_rows_leave_an_interval_within_bounds(rows: int) -> None:
    for share in (0.0, 0.4, 1.0):
        found = score(np.tile((np.arange(rows) < share * rows).astype(float), (3, 1)))
        assert 0 <= found.low <= found.mean <= found.high <= 1
        assert found.high - found.low > 0.3


@pytest.mark.parametrize(
    ("gain", "answer"),
    [
        (difference(1.2, 0.8), "Twice the labels would help"),
        (difference(0.3, 0.2), "Twice the labels would bring little, less than 1 point"),
        (difference(-0.5, 1.0), "Twice the labels would bring little, less than 1 point"),
        (difference(0.5, 2.0), "Whether twice the labels would help is open"),
        (difference(0.0, 1.0), "Whether twice the labels would help is open"),
    ],
)
def test_the_last_doubling_says_what_the_next_may_bring(gain: Difference, answer: str) -> None:
    said = outlook(curve([difference(3, 1), gain], [AHEAD] * 3))
    interval = f"[{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
    assert said == (
        f"{answer}: the last doubling, from 500 to 1,000 labelled rows, brought convtext "
        f"{100 * gain.mean:+.1f} points {interval}, the one before +3.0. The next usually brings at most as "
        "much."
    )


def test_a_network_that_has_learned_nothing_yet_leaves_it_open() -> None:
    found = curve([difference(0, 0.2), difference(0, 0.2)], [EVEN] * 3)
    network, rival = found.contestants
    majority = replace(rival, key="majority", title="majority class")
    said = outlook(replace(found, contestants=[network, majority]))
    assert said.startswith(
        "Whether twice the labels would help is open, as convtext is not significantly better than the "
        "majority class: the last doubling"
    )


def test_predictions_that_are_all_the_same_leave_an_interval() -> None:
    # Of no changed row among 100 up to 1 - 0.025^(1/100) = 3.6 % may change, either way.
    same = np.zeros((3, 100), np.int64)
    (network,) = contestant_curves(same[0], {"network": [same, same]}, {"network": "N"}, "accuracy")
    assert (network.gains[0].low, network.gains[0].high) == pytest.approx((-0.0362, 0.0362), abs=1e-4)


def test_gains_that_do_not_shrink_are_told() -> None:
    said = outlook(curve([difference(2, 1), difference(2.5, 1)], [AHEAD] * 3))
    assert said.endswith(
        "brought convtext +2.5 points [+1.5, +3.5], the one before +2.0. The next usually brings at most as "
        "much, though the gains have not begun to shrink."
    )


def test_of_losses_nothing_is_told_to_grow() -> None:
    said = outlook(curve([difference(-1.5, 1), difference(-0.5, 1)], [AHEAD] * 3))
    assert said.endswith("the one before -1.5. The next usually brings at most as much.")


def test_a_single_doubling_has_none_before_and_macro_f1_is_named() -> None:
    said = outlook(curve([difference(3, 1)], [AHEAD] * 2, criterion="macro_f1"))
    assert "brought convtext +3.0 points of macro-F1 [+2.0, +4.0]. The next" in said


def test_the_gain_of_an_opponent_that_is_higher_in_the_end_is_told_too() -> None:
    said = outlook(curve([AHEAD, AHEAD], [AHEAD, EVEN, BEHIND]))
    assert said.endswith("Rival 0, which is highest with all of them, gained +3.0 [+2.0, +4.0].")


@pytest.mark.parametrize(
    ("leads", "sentence"),
    [
        ([AHEAD] * 3, "convtext is significantly better than every opponent at each size."),
        ([BEHIND] * 3, "Rival 0 is significantly better than convtext at each size."),
        (
            [EVEN] * 3,
            "At no size is convtext significantly better than all opponents, or worse than the best.",
        ),
        (
            [BEHIND, EVEN, AHEAD],
            "Significantly better, of convtext and its best opponent: Rival 0 up to 250 rows, neither at "
            "500, convtext from 1,000 on.",
        ),
        (
            [BEHIND, BEHIND, EVEN],
            "Significantly better, of convtext and its best opponent: Rival 0 up to 500 rows, neither from "
            "1,000 on.",
        ),
    ],
)
def test_who_is_ahead_is_told_by_size(leads: list[Difference], sentence: str) -> None:
    assert leaders(curve([AHEAD, AHEAD], leads)) == sentence


def test_the_p_of_many_opponents_is_adjusted() -> None:
    barely = Difference(-0.02, -0.039, -0.001, 0.04)
    assert leaders(curve([AHEAD, AHEAD], [barely] * 3)).startswith("Rival 0 is significantly better")
    assert leaders(curve([AHEAD, AHEAD], [barely] * 3, opponents=2)).startswith("At no size")


def test_the_table_fits_a_terminal() -> None:
    entry = curve([AHEAD, AHEAD], [AHEAD] * 3)
    long = ContestantCurve(
        "long", "kim-nonstatic " + "train.epochs=3 " * 9, [Score(1, 0.99, 1, [1])] * 4, [], []
    )
    shown = table(
        LearningCurve("accuracy", [0.1, 0.25, 0.5, 1], [10**6] * 4, 9, [long, entry.contestants[0]])
    )
    lines = shown.splitlines()
    assert max(map(len, lines)) == 79
    assert lines[0].split()[-8:] == ["10", "%", "25", "%", "50", "%", "100", "%"]
    assert lines[4].split() == ["99.0-100.0"] * 4
    assert lines[5].split() == ["convtext", "90.0", "90.0", "90.0"]
    assert lines[6].split() == ["88.0-92.0"] * 3

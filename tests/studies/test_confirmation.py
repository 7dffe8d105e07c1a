"""The winner of a search against its start, over new seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pipeline.arrays import Labels
from pipeline.errors import Diverged
from pipeline.studies.confirmation import Confirmation, IsOver, Training
from pipeline.studies.settings import Settings

TRUTH = np.tile([0, 1], 500)
WINNER, START = {"network.dropout": 0.1}, {"network.dropout": 0.5}
LONG = 1000.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def wrong(*rows: int) -> Labels:
    labels = TRUTH.copy()
    labels[list(rows)] = 1 - labels[list(rows)]
    return labels


def trained(winner: Callable[[int], Labels], start: Callable[[int], Labels]) -> Training:
    def train(title: str, settings: Settings, seed: int, is_over: IsOver) -> Labels:
        assert settings == {"winner": WINNER, "start": START}[title]
        return winner(seed) if title == "winner" else start(seed)

    return train


def of(train: Training, criterion: str = "accuracy") -> tuple[Confirmation, list[int]]:
    confirmation = Confirmation(TRUTH, "macro_f1" if criterion == "macro_f1" else "accuracy")
    return confirmation, list(confirmation.run(train, WINNER, START, 7, LONG, 1.0))


def test_both_are_trained_with_the_same_new_seeds_and_compared_by_their_rows() -> None:
    """The start has 30 rows wrong that the winner has right, and with odd seeds 10 more."""
    confirmation, seeds = of(
        trained(lambda seed: wrong(), lambda seed: wrong(*range(40 if seed % 2 else 30)))
    )
    assert seeds == [8, 9, 10, 11, 12]
    difference = confirmation.difference
    assert difference is not None
    assert difference.mean == pytest.approx((30 + 40 + 30 + 40 + 30) / 5 / 1000)
    assert 0 < difference.low < difference.mean < difference.high
    verdict = confirmation.verdict("convtext")
    assert verdict.startswith("better than convtext over 5 new seeds, +3.4 points of accuracy [+")


def test_a_winner_by_luck_is_no_better() -> None:
    random = np.random.default_rng(1)

    def run(seed: int) -> Labels:
        return np.where(random.random(1000) < 0.8, TRUTH, 1 - TRUTH)

    verdict = of(trained(run, run))[0].verdict("convtext")
    assert verdict.startswith("no better than convtext over 5 new seeds, ")
    assert verdict.endswith("]: nothing to change")


def test_a_winner_that_is_worse_is_told_so() -> None:
    verdict = of(trained(lambda seed: wrong(*range(50 + seed)), lambda seed: wrong()))[0].verdict("kim-rand")
    assert verdict.startswith("worse than kim-rand over 5 new seeds, -6.0 points of accuracy [-")


def test_macro_f1_is_compared_where_it_is_the_criterion() -> None:
    """2 * 440 / (500 + 440) and 2 * 500 / (500 + 560): the winner has none of the 60 rows wrong."""
    confirmation, _ = of(trained(lambda seed: wrong(), lambda seed: wrong(*range(0, 120, 2))), "macro_f1")
    difference = confirmation.difference
    assert difference is not None
    assert difference.mean == pytest.approx(1 - (880 / 940 + 1000 / 1060) / 2)
    assert "points of macro-F1" in confirmation.verdict("balanced")


def timed(budget: float, expected: float, *seconds: float) -> Confirmation:
    """The comparison where the runs take so many seconds, one after the other."""
    clock, remaining = Clock(), list(seconds)
    confirmation = Confirmation(TRUTH, "accuracy")

    def train(title: str, settings: Settings, seed: int, is_over: IsOver) -> Labels:
        clock.now += remaining.pop(0)
        assert is_over() == (clock.now > budget)
        return wrong(*range(5 if title == "start" else 0))

    list(confirmation.run(train, WINNER, START, 1, budget, expected, clock))
    return confirmation


def test_no_pair_begins_that_would_not_end_in_time_and_one_that_did_not_is_dropped() -> None:
    assert timed(10, 11).pairs == 0
    assert timed(10, 4, 2, 2, 2, 2).pairs == 2  # 2 are left, and a pair takes 4
    assert timed(10, 4, 1, 1, 1, 1, 1, 4, 9).pairs == 3  # 1 is left of 10 and a pair takes 5
    assert timed(10, 4, 2, 2, 3, 4).pairs == 1
    assert timed(100, 4, *[2.0] * 10).pairs == 5


def test_fewer_than_two_pairs_show_nothing() -> None:
    confirmation = timed(10, 4, 2, 2, 3, 4)
    assert confirmation.difference is None
    expected = "not compared with convtext over new seeds, as there was no time for two pairs of runs"
    assert confirmation.verdict("convtext") == expected


def test_a_run_that_fails_ends_the_comparison_and_is_told() -> None:
    def winner(seed: int) -> Labels:
        raise Diverged("the loss is nan")

    verdict = of(trained(winner, lambda seed: wrong()))[0].verdict("convtext")
    assert verdict == "not compared with convtext over new seeds, as a run failed: the loss is nan"


def test_an_interrupt_is_passed_on_and_told() -> None:
    def interrupted(seed: int) -> Labels:
        if seed == 9:
            raise KeyboardInterrupt
        return wrong()

    confirmation = Confirmation(TRUTH, "accuracy")
    with pytest.raises(KeyboardInterrupt):
        list(confirmation.run(trained(interrupted, interrupted), WINNER, START, 7, LONG, 1.0))
    assert confirmation.pairs == 1
    assert (
        confirmation.verdict("convtext") == "not compared with convtext over new seeds, as it was interrupted"
    )

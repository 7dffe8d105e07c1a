"""Shares of the labelled rows: nested, stratified, units whole, every class kept."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpus.subset import SHARES, entry_shares, fitting_shares
from pipeline.errors import InputError

ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), min_size=1, max_size=80)  # unit, label
SEEDS = st.integers(0, 2**32 - 1)


def entered(rows: list[tuple[int, int]], seed: int) -> tuple[np.ndarray, np.ndarray]:
    units, labels = np.array(rows).T
    return labels, entry_shares(units, labels, seed)


@given(ROWS, SEEDS)
def test_a_smaller_share_lies_within_a_larger_one_and_the_whole_has_all_rows(rows, seed) -> None:
    _, enters = entered(rows, seed)
    subsets = [set(np.flatnonzero(enters <= share)) for share in SHARES]
    assert subsets[0] <= subsets[1] <= subsets[2] <= subsets[3] == {*range(len(rows))}


@given(ROWS, SEEDS)
def test_the_rows_of_a_unit_enter_together_and_every_class_is_there_from_the_start(rows, seed) -> None:
    labels, enters = entered(rows, seed)
    for unit in {unit for unit, _ in rows}:
        assert len({enters[place] for place, row in enumerate(rows) if row[0] == unit}) == 1
    assert set(labels[enters <= 0]) == set(labels)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=120), SEEDS, st.sampled_from(SHARES))
def test_each_class_has_its_share_to_within_its_largest_unit(numbers, seed, share) -> None:
    rows = [(number, number % 3) for number in numbers]  # a unit has one label
    labels, enters = entered(rows, seed)
    for label in set(labels):
        of_class = labels == label
        largest = max(Counter(number for number in numbers if number % 3 == label).values())
        ideal = share * of_class.sum()
        assert abs((enters[of_class] <= share).sum() - ideal) <= largest + 1e-9


@pytest.mark.parametrize(("share", "rows"), [(0.1, 20), (0.25, 50), (0.5, 100), (1.0, 200)])
def test_rounding_evens_out_over_classes(share: float, rows: int) -> None:
    # A class of five rows has half a row at 10 %: one of its rows in half of the classes, none in the other
    # half; but each class keeps one, so that at 10 % there are forty.
    enters = entry_shares(np.arange(200), np.arange(200) % 40, seed=3)
    assert (enters <= share).sum() == max(40, rows)


def test_the_draw_follows_from_the_seed_and_not_from_the_share() -> None:
    units, labels = np.arange(100), np.arange(100) % 2
    one, again, other = (entry_shares(units, labels, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_a_row_is_drawn_as_often_as_its_share() -> None:
    units, labels = np.arange(40), np.zeros(40, int)
    drawn = np.mean([entry_shares(units, labels, seed) <= 0.25 for seed in range(2000)], axis=0)
    assert abs(drawn - 0.25).max() < 4.5 * np.sqrt(0.25 * 0.75 / 2000)


def test_shares_begin_where_a_class_has_two_rows_on_average() -> None:
    assert fitting_shares(60, 3) == [0.1, 0.25, 0.5, 1.0]
    assert fitting_shares(59, 3) == [0.25, 0.5, 1.0]
    assert fitting_shares(12, 3) == [0.5, 1.0]


def test_a_corpus_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(InputError, match="11 training rows in 3 classes are too few .* expected 12 or more"):
        fitting_shares(11, 3)

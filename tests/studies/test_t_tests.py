"""Intervals and p-values of differences of scores, computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.studies.t_tests import Difference, over_folds, over_rows


def test_folds_that_share_their_training_rows_widen_the_interval() -> None:
    # Nadeau and Bengio: variance 2/3 * 1e-4, times 1/4 + 1/3 instead of 1/4.
    lead = over_folds(np.array([0.01, 0.02, 0.02, 0.03]), folds=4)
    error = math.sqrt((1 / 4 + 1 / 3) * 2 / 3 * 1e-4)
    assert lead.mean == pytest.approx(0.02)
    assert lead.high - lead.mean == pytest.approx(3.182446 * error)  # t of 3 degrees of freedom
    assert lead.p == pytest.approx(2 * stats.t.sf(0.02 / error, 3))


def test_over_the_rows_of_one_test_part_it_is_the_paired_t_test() -> None:
    gained = np.array([[1, 0, 0, -1, 1, 1, 0, 0]])
    lead = over_rows(gained)
    expected = stats.ttest_1samp(gained[0], 0)
    low, high = expected.confidence_interval()
    assert (lead.mean, lead.p, lead.low, lead.high) == pytest.approx((0.25, expected.pvalue, low, high))


def test_the_spread_over_seeds_widens_the_interval_over_rows() -> None:
    # Rows' means 1, 0, 0.5, 0.5 with variance 1/6; seeds' means 0.75 and 0.25 with variance 1/8.
    lead = over_rows(np.array([[1, 0, 1, 1], [1, 0, 0, 0]]))
    rows, seeds = 1 / 6 / 4, 1 / 8 / 2
    freedom = (rows + seeds) ** 2 / (rows**2 / 3 + seeds**2 / 1)
    assert freedom == pytest.approx(2.4194, abs=1e-4)
    assert lead.mean == 0.5
    assert lead.mean - lead.low == pytest.approx(stats.t.ppf(0.975, freedom) * math.sqrt(rows + seeds))
    assert lead.p == pytest.approx(2 * stats.t.sf(0.5 / math.sqrt(rows + seeds), freedom))


def test_three_seeds_that_differ_count_as_three_and_not_as_their_rows() -> None:
    # The seeds' means are 0.1, 0.4 and 0.7 of 10,000 rows, so nearly all the variance is theirs, of 0.09 / 3:
    # t is 0.4 / sqrt(0.03) = 2.309 of 2 degrees of freedom.
    gained = np.arange(10_000) % 10 < np.array([[1], [4], [7]])
    lead = over_rows(gained.astype(float))
    assert lead.p == pytest.approx(2 * stats.t.sf(2.309, 2), abs=1e-3)  # 0.147; of 9,999 it would be 0.021
    assert not lead.is_significant


def test_few_rows_are_never_surer_than_their_signs() -> None:
    # Nine of ten seeds win every row, and one all but one: of four rows p would be 5e-10.
    for rows in (2, 4, 5, 6, 8, 20):
        gained = np.ones((10, rows))
        gained[0, 0] = 0
        for sign in (1, -1):
            lead = over_rows(sign * gained)
            assert lead.p == 2 * 0.5**rows
            assert -1 <= lead.low <= lead.mean <= lead.high <= 1
            assert lead.is_significant == (rows > 5) == (lead.low * lead.high > 0)


def test_no_interval_leaves_what_accuracies_can_differ_by() -> None:
    assert over_rows(np.array([[1, 1, 1, 0]])).high == 1
    assert over_folds(np.array([-0.9, 0.1]), 2).low == -1


def test_one_row_tells_nothing() -> None:
    assert over_rows(np.ones((3, 1))) == Difference(1.0, -1.0, 1.0, 1.0)


@pytest.mark.parametrize("folds", range(2, 11))
def test_differences_without_spread_are_tested_by_their_signs(folds: int) -> None:
    assert over_folds(np.zeros(folds), folds) == Difference(0.0, 0.0, 0.0, 1.0)
    for hundredths in range(1, 101):  # of some, such as 0.05, rounding leaves a variance
        lead = over_folds(np.full(folds, hundredths / 100), folds)
        assert lead.mean == lead.high == pytest.approx(hundredths / 100)
        assert lead.p == 2 * 0.5**folds
        assert lead.low == (lead.mean if folds > 5 else 0)  # 2 / 2^5 is above 0.05, and the interval agrees
        assert over_folds(np.full(folds, -hundredths / 100), folds) == Difference(
            -lead.mean, -lead.high, -lead.low, lead.p
        )


def test_rounding_is_no_spread_over_rows_either() -> None:
    # Each row is won by one seed of three, and each seed has a third of the rows: both means are 1/3.
    gained = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert over_rows(np.tile(gained, 7)).p == 2 * 0.5**21

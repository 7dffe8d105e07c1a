"""What a difference has to exceed, and what luck would give."""

from __future__ import annotations

import math

import pytest

from pipeline.measures.f1_difference import F1Difference
from pipeline.measures.paired import PairedDifference
from pipeline.release.decision import by_accuracy, by_macro_f1, expected_maximum


def paired(fixed: int, broken: int, rows: int = 300) -> PairedDifference:
    difference = (fixed - broken) / rows
    return PairedDifference(rows=rows, fixed=fixed, broken=broken, difference=difference, low=0, high=0, p=1)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, 0.0), (2, 1 / math.sqrt(math.pi)), (3, 1.5 / math.sqrt(math.pi)), (20, 1.86748)],
)
def test_the_expected_maximum_of_normal_values_is_that_of_tables(count: int, expected: float) -> None:
    assert expected_maximum(count) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("fixed", "broken", "is_enough"),
    [
        (0, 0, False),
        (1, 0, False),
        (2, 0, True),
        (3, 1, False),
        (4, 1, True),
        (23, 17, False),
        (24, 17, True),
    ],
)
def test_more_rows_are_needed_than_one_standard_error(fixed: int, broken: int, is_enough: bool) -> None:
    assert by_accuracy(paired(fixed, broken), looks=2).is_enough == is_enough


@pytest.mark.parametrize(("looks", "rows_by_luck"), [(1, 0.0), (2, math.sqrt(20 / math.pi)), (20, 8.3516)])
def test_luck_grows_with_the_looks_and_the_requirement_does_not(looks: int, rows_by_luck: float) -> None:
    decision = by_accuracy(paired(25, 15), looks)  # a deviation of sqrt(20) rows each
    assert decision.luck * 300 == pytest.approx(rows_by_luck, abs=1e-3)
    assert decision.required * 300 == pytest.approx(math.sqrt(40))


def test_macro_f1_decides_by_its_own_standard_error() -> None:
    better = F1Difference(0.85, 0.65, 0.04)
    assert by_macro_f1(better, (0.1, 0.3), 2000, looks=2).is_enough
    assert not by_macro_f1(better._replace(new=0.68), (-0.1, 0.1), 2000, looks=2).is_enough
    assert by_macro_f1(better, (0.1, 0.3), 2000, looks=2).is_significant_gain

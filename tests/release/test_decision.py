"""What a difference has to exceed, and what luck would give."""

from __future__ import annotations

import math

import pytest
from scipy.stats import norm

from pipeline.measures.f1_difference import F1Difference
from pipeline.measures.paired import PairedDifference
from pipeline.release.decision import (
    LEVEL,
    by_accuracy,
    by_macro_f1,
    expected_maximum,
    required_standard_errors,
)


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
        (2, 0, True),  # 1.4096 sqrt(2) = 1.993
        (3, 1, False),
        (5, 1, True),  # 3.46
        (24, 16, False),  # 8.92
        (25, 16, False),  # 9.03
        (26, 16, True),  # 9.14
    ],
)
def test_a_first_challenger_needs_1_41_standard_errors(fixed: int, broken: int, is_enough: bool) -> None:
    assert by_accuracy(paired(fixed, broken), looks=2, challenger=1).is_enough == is_enough


def test_what_all_challengers_may_spend_together_is_what_one_standard_error_gives_to_one() -> None:
    """1/2 + 1/6 + 1/12 + ... + 1 / (n (n + 1)) = 1 - 1 / (n + 1)."""
    spent = [norm.sf(required_standard_errors(number)) for number in range(1, 1000)]
    assert spent[:3] == pytest.approx([LEVEL / 2, LEVEL / 6, LEVEL / 12])
    assert sum(spent) == pytest.approx(LEVEL * (1 - 1 / 1000))
    assert pytest.approx(0.158655, abs=1e-6) == LEVEL
    assert [round(required_standard_errors(number), 2) for number in (1, 2, 3, 20)] == [
        1.41,
        1.94,
        2.22,
        3.37,
    ]


@pytest.mark.parametrize(("looks", "rows_by_luck"), [(1, 0.0), (2, math.sqrt(20 / math.pi)), (20, 8.3516)])
def test_luck_grows_with_the_looks_and_the_requirement_with_the_challengers_of_the_champion(
    looks: int, rows_by_luck: float
) -> None:
    decision = by_accuracy(paired(25, 15), looks, challenger=2)  # a deviation of sqrt(20) rows each
    assert decision.luck * 300 == pytest.approx(rows_by_luck, abs=1e-3)
    assert decision.required * 300 == pytest.approx(1.93586 * math.sqrt(40), abs=1e-3)


def test_macro_f1_decides_by_its_own_standard_error() -> None:
    better = F1Difference(0.85, 0.65, 0.04)
    assert by_macro_f1(better, (0.1, 0.3), 2000, looks=2, challenger=1).is_enough
    assert not by_macro_f1(better._replace(new=0.68), (-0.1, 0.1), 2000, looks=2, challenger=1).is_enough
    assert by_macro_f1(better, (0.1, 0.3), 2000, looks=2, challenger=1).is_significant_gain

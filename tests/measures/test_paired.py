"""Two classifiers on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measures.paired import compare_paired, compare_slices, holm, interval, mcnemar, one_sided_p


def right(text: str) -> np.ndarray:
    return np.array([letter == "1" for letter in text])


def test_fixed_and_broken_rows_are_those_that_one_alone_has_right() -> None:
    found = compare_paired(right("11110"), right("00011"))
    assert (found.rows, found.fixed, found.broken) == (5, 3, 1)
    assert found.difference == pytest.approx(2 / 5)
    assert found.low <= found.difference <= found.high
    assert found.p == pytest.approx(10 / 16)  # 2 (1 + 4) / 2^4


@pytest.mark.parametrize(
    ("fixed", "broken", "p"),
    [
        (0, 0, 1),
        (1, 0, 1),
        (5, 0, 2 / 32),
        (8, 1, 2 * (1 + 9) / 512),
        (1, 8, 2 * (1 + 9) / 512),
        (3, 3, 1),  # both tails hold the middle: more than 1 without the bound
    ],
)
def test_mcnemars_p_is_that_of_a_coin(fixed: int, broken: int, p: float) -> None:
    assert mcnemar(fixed, broken) == pytest.approx(p)


@pytest.mark.parametrize(
    ("fixed", "broken", "rows"),
    [(4, 0, 1000), (7, 1, 21), (12, 2, 50), (1, 7, 21), (40, 20, 160), (86, 150, 1600)],
)
def test_the_interval_is_that_of_products_of_the_bounds_of_both_shares(
    fixed: int, broken: int, rows: int
) -> None:
    changed, random = fixed + broken, np.random.default_rng(1)
    ends = {}
    for side, one, other in (("low", fixed, broken), ("high", broken, fixed)):
        shares = [(changed, rows - changed + 1), (changed + 1, rows - changed)]
        beta = random.beta(one, other + 1, 400_000) if one else 0.0
        products = [random.beta(*share, 400_000) * (2 * beta - 1) for share in shares]
        ends[side] = min(np.quantile(product, 0.025) for product in products)
    assert interval(fixed, broken, rows) == pytest.approx((ends["low"], -ends["high"]), abs=1e-3)


@pytest.mark.parametrize(
    ("fixed", "broken", "rows", "expected"),
    [
        (0, 0, 8, (0.025 ** (1 / 8) - 1, 1 - 0.025 ** (1 / 8))),  # up to so many rows may change
        (0, 1, 1, (-1, 2 * 0.975 - 1)),  # all rows change; of one, up to 97.5 % may be fixed
        (1, 1, 2, (1 - 2 * 0.975**0.5 - 0.0, 2 * 0.975**0.5 - 1)),  # the same, of two of which one is fixed
    ],
)
def test_the_interval_has_a_width_where_nothing_changes_or_all(
    fixed: int, broken: int, rows: int, expected: tuple[float, float]
) -> None:
    assert interval(fixed, broken, rows) == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 1000))
def test_the_interval_holds_0_exactly_where_mcnemars_p_is_no_less_than_5_percent(
    fixed: int, broken: int, others: int
) -> None:
    rows = fixed + broken + others
    low, high = interval(fixed, broken, rows)
    assert -1 <= low <= (fixed - broken) / rows <= high <= 1
    assert (low <= 0 <= high) == (mcnemar(fixed, broken) >= 0.05)


def test_the_one_sided_p_counts_as_many_broken_rows_or_more() -> None:
    assert one_sided_p(fixed=1, broken=5) == pytest.approx((6 + 1) / 64)
    assert one_sided_p(fixed=5, broken=1) == pytest.approx(1 - 1 / 64)
    assert one_sided_p(0, 0) == 1


def test_holm_multiplies_the_smallest_most_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == pytest.approx([1, 1])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1))
def test_holm_lowers_no_p(p: list[float]) -> None:
    assert all(after >= before for before, after in zip(p, holm(p), strict=True))


def test_a_slice_gives_both_accuracies_and_how_sure_it_is_one_sided_p() -> None:
    new, old = right("0000001111"), right("1111111110")
    classes = {"a": right("1111110000"), "b": right("0000001111")}
    worst, best, all_rows = compare_slices(
        classes, {"all": right("1" * 10), "none": right("0" * 10)}, new, old
    )
    assert (worst.title, worst.rows, worst.new, worst.old) == ("a", 6, 0, 1)
    assert (worst.of_class, worst.right, worst.lost) == (True, 6, 6)
    assert (worst.alone, worst.p) == pytest.approx((1 / 64, 3 / 64))  # of three slices
    assert (best.title, best.new, best.old, best.lost, best.p) == ("b", 1, 0.75, -1, 1)
    assert (all_rows.of_class, all_rows.right, all_rows.lost) == (False, 9, 5)
    assert all_rows.alone == pytest.approx((1 + 7) / 128)  # one fixed of seven, or none


def test_what_may_be_chance_is_called_no_significant_difference() -> None:
    few, more = compare_paired(right("1" * 5), right("0" * 5)), compare_paired(right("1" * 6), right("0" * 6))
    assert str(few) == (  # from 2 * 0.025^(1/5) - 1
        "5 rows fixed, 0 broken: +100.0 points [-4.4, +100.0], no significant difference: McNemar's p = 0.062"
    )
    assert "a significant difference: McNemar's p = 0.031" in str(more)

"""Two classifiers on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.paired import holm, mcnemar, paired, slices, worse


def right(text: str) -> np.ndarray:
    return np.array([letter == "1" for letter in text])


def test_fixed_and_broken_rows_are_those_that_one_alone_has_right() -> None:
    found = paired(right("11110"), right("00011"), seed=1)
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


def test_the_one_sided_p_counts_as_many_broken_rows_or_more() -> None:
    assert worse(fixed=1, broken=5) == pytest.approx((6 + 1) / 64)
    assert worse(fixed=5, broken=1) == pytest.approx(1 - 1 / 64)
    assert worse(0, 0) == 1


def test_holm_multiplies_the_smallest_most_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == pytest.approx([1, 1])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1))
def test_holm_lowers_no_p(p: list[float]) -> None:
    assert all(after >= before for before, after in zip(p, holm(p), strict=True))


def test_a_slice_gives_both_accuracies_and_how_sure_it_is_worse() -> None:
    new, old = right("0000001111"), right("1111111110")
    worst, best = slices({"a": right("1111110000"), "b": right("0000001111"), "c": right("0" * 10)}, new, old)
    assert (worst.title, worst.rows, worst.new, worst.old) == ("a", 6, 0, 1)
    assert worst.p == pytest.approx(2 / 64)  # of two slices
    assert (best.title, best.new, best.old, best.p) == ("b", 1, 0.75, 1)

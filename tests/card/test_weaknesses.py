"""Which slices are significantly worse than the other rows."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.card.weaknesses import weaknesses
from pipeline.measures.slices import SliceAccuracy, by_class


def table(*right_of_rows: tuple[int, int]) -> list[SliceAccuracy]:
    """Slices a, b, ... with so many right rows of so many."""
    correct = np.concatenate([np.arange(rows) < right for right, rows in right_of_rows])
    labels = np.repeat(np.arange(len(right_of_rows)), [rows for _, rows in right_of_rows])
    return by_class(labels, [chr(ord("a") + place) for place in range(len(right_of_rows))]).accuracy(correct)


def test_p_is_that_of_fishers_exact_test_adjusted_for_all_slices() -> None:
    """Of 10 rows 5 are right: that none of 5 is among them has the chance 1 / 252; twice that by Holm."""
    (found,) = weaknesses({"class": table((0, 5), (5, 5))})
    assert (found.kind, found.slice.name) == ("class", "a")
    assert found.p == pytest.approx(2 / 252)


def test_the_slices_of_all_tables_count() -> None:
    few, many = ({f"{n}": table((5, 10), (5, 10)) for n in range(count)} for count in (5, 6))
    assert len(weaknesses({"class": table((0, 5), (5, 5))} | few)) == 1  # 12 slices: p = 0.048
    assert weaknesses({"class": table((0, 5), (5, 5))} | many) == []  # 14 slices: 0.056


def test_a_slice_without_rows_and_a_single_slice_are_no_weakness() -> None:
    assert weaknesses({"class": table((0, 0), (3, 9)), "length": table((3, 9))}) == []
    assert weaknesses({}) == []


def test_by_chance_a_weakness_is_found_in_fewer_than_one_in_twenty() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(20), 30)
    names = [str(number) for number in range(20)]
    found = sum(
        bool(weaknesses({"class": by_class(labels, names).accuracy(random.random(600) < 0.8)}))
        for _ in range(300)
    )
    assert found <= 25

"""Rows of unseen classes beside those of known ones, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measures.metrics import NORMAL_QUANTILE
from pipeline.measures.unseen import LeftOutClasses, Other, Separation, auroc_interval


def separation(known: list[float], unseen: list[float]) -> Separation:
    return Separation.of_rows("other", np.array(known, np.float32), np.array(unseen, np.float32))


def test_the_area_is_the_share_of_pairs_and_a_tie_counts_half() -> None:
    """Of 0.9 and 0.5 beside 0.5 and 0.25: three of four are higher, and one is equal."""
    found = separation([0.9, 0.5], [0.5, 0.25])
    assert (found.label, found.rows, found.auroc) == ("other", 2, 3.5 / 4)
    assert separation([0.1], [0.9]).auroc == 0 and separation([0.9], [0.1]).auroc == 1


@pytest.mark.parametrize(("area", "known", "unseen"), [(0.875, 40, 20), (0.5, 10, 1000), (0.99, 300, 300)])
def test_the_ends_are_as_many_standard_errors_away_as_the_level_says(
    area: float, known: int, unseen: int
) -> None:
    """Hanley & McNeil: Q1 = A / (2 - A), Q2 = 2 A^2 / (1 + A), with both counts their mean."""
    mean = (known + unseen) / 2
    for end in auroc_interval(area, known, unseen):
        first, second = end / (2 - end), 2 * end**2 / (1 + end)
        both = (mean - 1) * (first + second - 2 * end**2)
        variance = (end * (1 - end) + both) / (known * unseen)
        assert abs(area - end) == pytest.approx(NORMAL_QUANTILE * variance**0.5, rel=1e-6)


@given(st.floats(0, 1), st.integers(1, 10_000), st.integers(1, 10_000))
def test_the_interval_holds_the_area_and_stays_in_bounds(area: float, known: int, unseen: int) -> None:
    low, high = auroc_interval(area, known, unseen)
    assert 0 <= low <= area <= high <= 1 and high - low > 0


def test_the_entries_of_both_kinds() -> None:
    two = [separation([0.9, 0.5], [0.5, 0.25]), separation([0.1], [0.9])]
    found = LeftOutClasses(two)
    assert (found.auroc, found.ranked) == (3.5 / 8, two[::-1])
    entries = found.to_json()
    assert entries["left_out_class_auroc"] == 3.5 / 8
    assert entries["left_out_classes"][1] | {"interval": None} == {
        "label": "other", "rows": 1, "auroc": 0.0, "interval": None,
    }  # fmt: skip
    assert LeftOutClasses([], "too many").to_json() == {}
    other = Other(two[0], 0.5).to_json()
    assert (other["other_rows"], other["other_auroc"], other["other_unlabelled_at_95"]) == (2, 0.875, 0.5)
    assert "other_unlabelled_at_95" not in Other(two[0], None).to_json()

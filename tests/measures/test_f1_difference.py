"""Two classifiers' F1 on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import f1_score

from pipeline.measures.f1_difference import compare_f1

LABELS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=40)


@settings(max_examples=30)
@given(LABELS)
def test_scores_are_scikit_learns_over_the_classes_that_have_rows(rows: list[tuple[int, int, int]]) -> None:
    truth, new, old = np.array(rows, np.int64).T
    present = np.unique(truth).tolist()
    macro, classes = compare_f1(truth, new, old, seed=1)
    assert list(classes) == present
    for predicted, side in ((new, "new"), (old, "old")):
        expected = f1_score(truth, predicted, labels=present, average=None, zero_division=0)
        assert [getattr(one, side) for one in classes.values()] == pytest.approx(expected.tolist())
        assert getattr(macro, side) == pytest.approx(expected.mean())


def test_one_row_that_changes_is_one_standard_error() -> None:
    truth = np.array([0] * 6 + [1] * 4)
    old = truth.copy()
    old[0] = 1
    macro, classes = compare_f1(truth, truth, old, seed=1)
    assert macro.difference == pytest.approx(macro.standard_error) and macro.difference > 0
    assert classes[0].difference == pytest.approx(1 - 10 / 11)  # 5 of 6 found: 2 * 5 / (6 + 5)


def test_equals_have_no_difference_and_no_error() -> None:
    truth = np.array([0, 1, 1])
    macro, _ = compare_f1(truth, truth, truth, seed=1)
    assert macro == (1.0, 1.0, 0.0)
    assert macro.one_sided_p == 1


def test_of_many_rows_the_error_is_that_of_the_coin() -> None:
    """Of two classes of equal size that are confused alike, macro-F1 and accuracy are nearly the same."""
    truth = np.tile([0, 1], 1000)
    new, old = truth.copy(), truth.copy()
    new[:60], old[100:140] = 1 - new[:60], 1 - old[100:140]
    macro, classes = compare_f1(truth, new, old, seed=1)
    assert macro.difference == pytest.approx(-20 / 2000, rel=0.01)
    assert macro.standard_error == pytest.approx(100**0.5 / 2000, rel=0.1)
    assert macro.one_sided_p == pytest.approx(norm.cdf(-2), abs=0.015)
    assert set(classes) == {0, 1}

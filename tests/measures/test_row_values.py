"""Scores as means over rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measures.metrics import scores
from pipeline.measures.row_values import row_values

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)  # true, predicted


def test_accuracy_is_the_mean_of_the_rows_that_are_right() -> None:
    values = row_values(np.array([0, 1, 1]), np.array([0, 1, 0]), "accuracy")
    assert values.tolist() == [1, 1, 0]


@given(ROWS)
def test_the_mean_is_the_score(rows) -> None:
    truth, predicted = np.array(rows, np.int64).T
    expected = scores(truth, predicted, list("abcd"))
    assert row_values(truth, predicted, "accuracy").mean() == pytest.approx(expected.accuracy)
    assert row_values(truth, predicted, "macro_f1").mean() == pytest.approx(expected.macro_f1)


def test_the_influence_of_a_row_on_macro_f1_is_computed_by_hand() -> None:
    # Class 0: 2 rows, 1 prediction, 1 correct: F1 2/3; class 1: 1 row, 2 predictions, 1 correct: F1 2/3.
    truth, predicted = np.array([0, 0, 1]), np.array([0, 1, 1])
    # A row that is right adds (2 - 2 * 2/3) / 3 = 2/9 to its class, the wrong one takes 2/9 from both;
    # each is times 3 rows over 2 classes.
    expected = [2 / 3 + 2 / 9 * 3 / 2, 2 / 3 - 4 / 9 * 3 / 2, 2 / 3 + 2 / 9 * 3 / 2]
    assert row_values(truth, predicted, "macro_f1").tolist() == pytest.approx(expected)


def test_the_spread_of_the_values_is_that_of_macro_f1_over_samples_of_rows() -> None:
    random = np.random.default_rng(0)
    truth = random.choice(3, 3000, p=[0.6, 0.3, 0.1])
    predicted = np.where(random.random(3000) < 0.7, truth, random.integers(0, 3, 3000))
    values = row_values(truth, predicted, "macro_f1")
    samples = random.integers(0, 3000, (400, 3000))
    spread = np.std([scores(truth[rows], predicted[rows], list("abc")).macro_f1 for rows in samples])
    assert values.std() / np.sqrt(3000) == pytest.approx(spread, rel=0.1)


def test_a_class_that_is_absent_from_the_truth_counts_only_for_the_rows_it_takes() -> None:
    # Class 0: 2 rows, 1 prediction, 1 correct: F1 2/3; class 2 has no F1. Two rows and one class.
    found = row_values(np.array([0, 0]), np.array([0, 2]), "macro_f1")
    assert found == pytest.approx([2 / 3 + 2 / 3 * (2 - 4 / 3), 2 / 3 - 2 / 3 * 2 / 3])

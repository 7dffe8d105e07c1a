"""The probability from which on labels are given, by bounds computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.errors import InputError
from pipeline.measures import abstention
from pipeline.measures.abstention import Outcomes


def outcomes(probability: Any, correct: Any, predicted: Any = None) -> Outcomes:
    rows = len(probability)
    labels = np.zeros(rows) if predicted is None else predicted
    return Outcomes(
        np.array(probability, np.float32), np.array(labels, np.int32), np.array(correct, np.bool_)
    )


def test_as_many_rows_are_needed_as_show_the_precision_if_all_are_right() -> None:
    """0.95 ** 58 is 0.051, and 0.95 ** 59 is 0.0485: 59 right rows of 59 are the fewest."""
    for rows, found in ((58, None), (59, 0.5)):
        assert abstention.threshold(outcomes([0.5] * rows, [True] * rows), 0.95) == found


@pytest.mark.parametrize(("wrong", "found"), [(1, 0.5), (2, None)])
def test_the_bound_is_clopper_and_pearsons(wrong: int, found: float | None) -> None:
    """At most one of 100 is wrong by a chance of 0.95 ** 100 + 100 * 0.05 * 0.95 ** 99 = 0.037; two 0.118."""
    correct = [row >= wrong for row in range(100)]
    assert abstention.threshold(outcomes([0.5] * 100, correct), 0.95) == found


def test_the_tests_end_where_the_first_fails() -> None:
    """Of 400 rows a fifth is 80 and a twentieth 20; the first 240 are right, of 260 these are 92 %."""
    probability = np.linspace(1, 0.5, 400)
    found = abstention.threshold(outcomes(probability, np.arange(400) < 240), 0.95)
    assert found == np.float32(probability[239])
    # One wrong row is too many for the surest 40 (p 0.08), and not for 80, which are tested first (p 0.002).
    assert abstention.threshold(outcomes(probability, np.arange(400) != 3), 0.9) == 0.5
    # A failure among the surest rows ends the search, though all rows after it are right.
    assert abstention.threshold(outcomes(probability, np.arange(400) >= 30), 0.95) is None


def test_rows_of_one_probability_are_labelled_together() -> None:
    """Of 200 rows, 100 have 0.9, 10 of these wrong: no threshold parts the right from the wrong."""
    probability = [0.95] * 60 + [0.9] * 100 + [0.5] * 40
    correct = [True] * 60 + [True] * 90 + [False] * 10 + [True] * 40
    assert abstention.threshold(outcomes(probability, correct), 0.95) == np.float32(0.95)
    assert abstention.threshold(outcomes(probability, correct), 0.85) == 0.5


def test_a_class_without_rows_enough_is_never_labelled() -> None:
    probability, predicted = [0.8] * 60 + [0.9] * 40, [0] * 60 + [2] * 40
    found = abstention.class_thresholds(outcomes(probability, [True] * 100, predicted), 0.95, 3)
    assert found.dtype == np.float32
    assert found.tolist() == [np.float32(0.8), np.inf, np.inf]
    rows = outcomes([0.8, 0.79, 0.9, 1], [True] * 4, [0, 0, 1, 2])
    assert rows.labelled(found).tolist() == [True, False, False, False]


def test_the_highest_precision_is_the_last_that_is_shown() -> None:
    """Of 100 right rows: 0.97 ** 100 is 0.0476, and 0.98 ** 100 is 0.13."""
    assert abstention.highest_precision(outcomes([0.5] * 100, [True] * 100)) == 0.97
    assert abstention.highest_precision(outcomes([0.5] * 100, [False] * 100)) == 0
    assert abstention.highest_precision(outcomes([], [])) == 0
    assert abstention.threshold(outcomes([], []), 0.5) is None


rows_of_any_kind = st.lists(
    st.tuples(st.sampled_from([0.25, 0.5, 0.75, 0.9, 1]), st.booleans()), max_size=150
)


@given(rows_of_any_kind, st.sampled_from([0.3, 0.5, 0.7]), st.randoms(use_true_random=False))
def test_what_a_threshold_admits_is_as_precise_in_any_order_of_the_rows(
    pairs: list[tuple[float, bool]], precision: float, random: Any
) -> None:
    rows = outcomes([p for p, _ in pairs], [right for _, right in pairs])
    found = abstention.threshold(rows, precision)
    random.shuffle(pairs)
    assert abstention.threshold(outcomes([p for p, _ in pairs], [r for _, r in pairs]), precision) == found
    if found is not None:
        labelled = rows.probability >= found
        assert precision ** labelled.sum() <= abstention.RISK
        assert rows.correct[labelled].mean() > precision


def test_outcomes_are_the_probability_of_the_predicted_label() -> None:
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)
    found = Outcomes.of_rows(probabilities, np.array([1, 1]), np.array([1, 0]))
    assert [array.tolist() for array in found] == [[0.75, 0.5], [1, 1], [True, False]]
    again = Outcomes.from_arrays(found._asdict(), 2)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


@pytest.mark.parametrize(
    ("name", "damaged", "said"),
    [
        ("probability", np.array([0.5, 1.01], np.float32), "a probability is not from 0 to 1"),
        ("probability", np.array([0.5, np.nan], np.float32), "a probability is not from 0 to 1"),
        ("probability", np.array([-0.1, 0.5], np.float32), "a probability is not from 0 to 1"),
        ("probability", np.array([0.5], np.float32), r"predicted is int32 \[2\], expected int32 \[1\]"),
        ("predicted", np.array([0, 2], np.int32), "a predicted label is none of the 2 labels"),
        ("predicted", np.array([-1, 0], np.int32), "a predicted label is none of the 2 labels"),
        ("predicted", np.array([0, 1]), "predicted is int64"),
        ("correct", np.array([0, 1], np.uint8), "correct is uint8"),
        ("correct", np.array([0, 7], np.uint8).view(np.bool_), "neither 0 nor 1"),
    ],
)
def test_arrays_that_are_no_outcomes_are_refused(name: str, damaged: np.ndarray, said: str) -> None:
    whole = outcomes([0.5, 0.75], [True, False], [0, 1])._asdict()
    with pytest.raises(InputError, match=said):
        Outcomes.from_arrays(whole | {name: damaged}, 2)
    with pytest.raises(KeyError):
        Outcomes.from_arrays({key: value for key, value in whole.items() if key != name}, 2)


@given(st.integers(1, 3000), st.floats(0, 1), st.floats(0.01, 0.99))
def test_the_binomial_tail_is_scipys(trials: int, share: float, probability: float) -> None:
    least = round(share * trials)
    found = abstention._tail(least, trials, probability)
    assert found == pytest.approx(binom.sf(least - 1, trials, probability), rel=1e-8)

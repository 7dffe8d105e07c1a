"""What is said where new rows are not like those of training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.prediction.drift import Reference, drift_lines

LABELS = ["bad", "good"]
REFERENCE = Reference(outside=0.05, classes=[0.25, 0.75])


def warnings(classes: list[int], tokens: int, outside: int, reference: Reference = REFERENCE) -> list[str]:
    labels = [f"label {number}" for number in range(len(classes))]
    found = drift_lines(reference, labels, np.array(classes), tokens, outside)
    return [line for line in found if "warning" in line]


def test_the_shares_stand_beside_those_of_the_validation_part() -> None:
    reference = Reference(outside=0.05, classes=[0.25, 0.25, 0.5])
    assert drift_lines(reference, ["bad", "so so", "good"], np.array([10, 30, 60]), 1000, 62) == [
        "  unknown words 6.2% (of the validation part 5.0%)",
        "  labels bad 10% (25%), good 60% (50%)",
    ]


def test_each_of_the_two_warns_when_it_is_far_off() -> None:
    assert warnings([250, 750], 9000, 450) == []
    (words,) = warnings([250, 750], 9000, 4500)
    assert "far more unknown words than in training" in words
    (labels,) = warnings([750, 250], 9000, 450)
    assert "the labels' shares moved by 50% of the rows" in labels
    assert len(warnings([1000, 0], 9000, 9000)) == 2


def test_fewer_unknown_words_are_no_reason_to_warn() -> None:
    assert warnings([250, 750], 9000, 0, Reference(outside=0.9, classes=[0.25, 0.75])) == []


def test_a_handful_of_rows_never_warns() -> None:
    for rows in range(1, 5):
        assert warnings([rows, 0], rows, rows) == []


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.95, 0.05], [0.02] * 50])
def test_rows_drawn_as_the_reference_do_not_warn_however_few(shares: list[float]) -> None:
    random = np.random.default_rng(1)
    reference = Reference(outside=0.1, classes=shares)
    for rows in [1, 2, 5, 10, 30, 100, 1000]:
        for _ in range(30):
            classes = random.multinomial(rows, shares).tolist()
            assert warnings(classes, 8 * rows, int(random.binomial(8 * rows, 0.1)), reference) == []


def test_no_rows_say_nothing() -> None:
    assert drift_lines(REFERENCE, LABELS, np.array([0, 0]), 0, 0) == []


def test_rows_without_a_token_as_images_are_say_nothing_of_words() -> None:
    assert drift_lines(REFERENCE, LABELS, np.array([1, 3]), 0, 0) == [
        "  labels bad 25% (25%), good 75% (75%)"
    ]


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), min_size=2, max_size=5), st.integers(0, 2**32 - 1))
def test_no_line_is_wider_than_79_columns(labels: list[str], seed: int) -> None:
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.full(len(labels), 0.1))
    classes = random.multinomial(
        10 ** int(random.integers(1, 9)), random.dirichlet(np.full(len(labels), 0.1))
    )
    found = drift_lines(Reference(outside=0.0, classes=shares.tolist()), labels, classes, 10, 10)
    assert all(len(line) <= 79 and len(line.splitlines()) == 1 for line in found)

"""What is said where new rows are not like those of training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.encoder import TokenCounts
from pipeline.prediction.drift import UNKNOWN_BINS, Reference, drift_lines, histogram

LABELS = ["bad", "good"]
MANY = 10_000  # rows, of which chance explains little


def texts(shares: list[float], tokens: int = 20) -> TokenCounts:
    """A row of each share of unknown tokens."""
    total = np.full(len(shares), tokens)
    return TokenCounts(total, total, np.rint(total * np.array(shares)).astype(np.int64))


def lines(reference: Reference, classes: list[int], tokens: TokenCounts) -> list[str]:
    labels = [f"label {number}" for number in range(len(classes))]
    total, unknown = int(tokens.total.sum()), int(tokens.unknown.sum())
    return drift_lines(reference, labels, np.array(classes), total, unknown, histogram(tokens))


def warnings(reference: Reference, classes: list[int], shares: list[float]) -> list[str]:
    return [line for line in lines(reference, classes, texts(shares)) if "warning" in line]


def reference(rows: int, share: float = 0.05) -> Reference:
    """Of a quarter bad rows, all of the same share of unknown words."""
    return Reference.from_counts(np.array([rows // 4, rows - rows // 4]), texts([share] * rows))


def test_the_shares_stand_beside_those_of_the_validation_part() -> None:
    usual = Reference(outside=0.05, classes=[0.25, 0.25, 0.5])
    found = drift_lines(usual, ["bad", "so so", "good"], np.array([10, 30, 60]), 1000, 62, np.array([]))
    assert found == [
        "  unknown words 6.2% (of the validation part 5.0%)",
        "  labels bad 10% (25%), good 60% (50%)",
    ]


def test_rows_are_counted_by_their_share_of_unknown_tokens() -> None:
    tokens = TokenCounts(np.array([0, 4, 20, 21, 3]), np.zeros(5, np.int64), np.array([0, 1, 1, 1, 3]))
    counts = histogram(tokens)  # 0, 5 of 20, 1 of 20, just below 1 of 20, all
    assert counts.nonzero()[0].tolist() == [0, 1, 5, 20] and counts.sum() == 5 and counts[0] == 2
    assert histogram(TokenCounts.none()).tolist() == [0] * UNKNOWN_BINS


def test_each_of_the_two_warns_when_it_is_far_off() -> None:
    usual = reference(MANY)
    assert warnings(usual, [250, 750], [0.05] * 1000) == []
    (words,) = warnings(usual, [250, 750], [0.1] * 1000)
    assert "more unknown words than in training" in words
    (labels,) = warnings(usual, [750, 250], [0.05] * 1000)
    assert "the labels' shares moved by 50% of the rows" in labels
    assert len(warnings(usual, [1000, 0], [1] * 1000)) == 2


def test_five_points_are_far_off_and_two_are_not_however_many_rows_tell() -> None:
    usual = reference(MANY)
    assert len(warnings(usual, [300_000, 700_000], [0.05] * 10)) == 1
    assert warnings(usual, [270_000, 730_000], [0.05] * 10) == []


def test_fewer_unknown_words_are_no_reason_to_warn() -> None:
    assert warnings(reference(MANY, 0.9), [250, 750], [0] * 1000) == []


def test_one_long_row_of_unknown_words_is_no_drift() -> None:
    """Half of the tokens are unknown, and all of them are those of one row in a hundred."""
    usual = reference(MANY, 0)
    total = np.array([10] * 99 + [990])
    tokens = TokenCounts(total, total, np.where(total > 10, total, 0))
    assert [line for line in lines(usual, [25, 75], tokens) if "warning" in line] == []


def test_a_handful_of_rows_never_warns() -> None:
    for rows in range(1, 5):
        assert warnings(reference(8), [rows, 0], [1] * rows) == []


def test_what_chance_does_to_few_validation_rows_is_no_drift() -> None:
    """Of ten classes that are equally frequent, 50 rows as 1 in 4 draws has them: chi-squared is 12."""
    usual = Reference.from_counts(np.array([1, 9, 2, 8, 3, 7, 4, 6, 5, 5]), texts([0.05] * 50))
    assert warnings(usual, [MANY] * 10, [0.05] * 10) == []
    assert len(warnings(usual, [5 * MANY, *[MANY // 2] * 9], [0.05] * 10)) == 1


@pytest.mark.parametrize("classes", [2, 50])
@pytest.mark.parametrize("validated", [50, 1000])
def test_rows_drawn_as_the_reference_do_not_warn_however_few(classes: int, validated: int) -> None:
    random = np.random.default_rng(1)
    shares = np.full(classes, 1 / classes)
    for rows in [10, 10_000]:
        for _ in range(10):
            words = texts(random.beta(0.2, 2, validated).tolist())
            usual = Reference.from_counts(random.multinomial(validated, shares), words)
            new = random.multinomial(rows, shares).tolist()
            assert warnings(usual, new, random.beta(0.2, 2, rows).tolist()) == []


def test_a_model_that_was_saved_without_the_number_of_its_rows_warns_of_nothing() -> None:
    usual = Reference(outside=0.05, classes=[0.25, 0.75])
    assert lines(usual, [1000, 0], texts([1] * 1000)) == [
        "  unknown words 100.0% (of the validation part 5.0%)",
        "  labels label 0 100% (25%), label 1 0% (75%)",
    ]


def test_no_rows_say_nothing() -> None:
    assert lines(reference(4), [0, 0], TokenCounts.none()) == []


def test_rows_without_a_token_as_images_are_say_nothing_of_words() -> None:
    usual = Reference.from_counts(np.array([10_000, 30_000]), None)
    assert usual.rows == 40_000 and usual.rows_by_unknown is None
    images = np.array([4000] + [0] * (UNKNOWN_BINS - 1))
    found = drift_lines(usual, LABELS, np.array([1000, 3000]), 0, 0, images)
    assert found == ["  labels good 75% (75%), bad 25% (25%)"]
    assert len(drift_lines(usual, LABELS, np.array([2000, 2000]), 0, 0, images)) == 2


@pytest.mark.parametrize("rows", [0, 1, 2**53 - 1])
def test_any_reference_that_a_model_may_hold_is_compared(rows: int) -> None:
    for shares in ([0.0, 0.0], [1.0, 1.0], [0.5, 0.5]):
        usual = Reference(outside=0, classes=shares, rows=rows, rows_by_unknown=[rows] * UNKNOWN_BINS)
        assert len(lines(usual, [10**15, 0], texts([1] * 10))) >= 2


@settings(max_examples=50)
@given(st.lists(st.text(max_size=30), min_size=2, max_size=5), st.integers(0, 2**32 - 1))
def test_no_line_is_wider_than_79_columns(labels: list[str], seed: int) -> None:
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.full(len(labels), 0.1))
    rows = 10 ** int(random.integers(1, 9))
    classes = random.multinomial(rows, random.dirichlet(np.full(len(labels), 0.1)))
    usual = Reference.from_counts(random.multinomial(rows, shares), texts([0] * 10))
    found = drift_lines(usual, labels, classes, 10, 10, histogram(texts([1] * 10)))
    assert all(len(line) <= 79 and len(line.splitlines()) == 1 for line in found)

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.corpus.equality import group_numbers, normalized
from pipeline.corpus.split import PARTS, TEST, TRAIN, VALIDATION
from pipeline.corpus.split import split as split_units
from pipeline.errors import InputError


def counts(part: np.ndarray) -> list[int]:
    return [int((part == code).sum()) for code in range(len(PARTS))]


def split(texts: list[str], labels: np.ndarray, seed: int, validation: float, test: float) -> np.ndarray:
    """Split texts of which equal ones are a unit."""
    return split_units(group_numbers(texts), labels, seed, validation, test)


def different(rows: int) -> list[str]:
    return [f"text {row}" for row in range(rows)]


def test_codes_are_those_of_a_categorical_of_the_parts() -> None:
    assert [PARTS[code] for code in (TRAIN, VALIDATION, TEST)] == ["train", "validation", "test"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(3, [1, 1, 1]), (4, [2, 1, 1]), (10, [8, 1, 1]), (15, [12, 2, 1]), (16, [13, 2, 1]), (99, [79, 10, 10])],
)
def test_a_class_is_shared_out_to_the_nearest_row(rows: int, expected: list[int]) -> None:
    part = split(different(rows), np.zeros(rows, int), seed=1, validation=0.1, test=0.1)
    assert part.dtype == np.int8
    assert counts(part) == expected


def test_every_class_is_shared_out_by_itself() -> None:
    labels = np.array([0] * 100 + [1] * 20)
    part = split(different(120), labels, seed=1, validation=0.2, test=0.3)
    assert counts(part[labels == 0]) == [50, 20, 30]
    assert counts(part[labels == 1]) == [10, 4, 6]


def test_a_class_of_one_row_trains_and_one_of_two_is_tested_too() -> None:
    part = split(different(13), np.array([7, 5, 5] + [2] * 10), seed=1, validation=0.1, test=0.1)
    assert part[0] == TRAIN
    assert sorted(part[1:3]) == [TRAIN, TEST]


def test_without_a_test_share_only_a_validation_part_is_split_off() -> None:
    part = split(different(102), np.array([0] * 100 + [1] * 2), seed=1, validation=0.1, test=0)
    assert counts(part[:100]) == [90, 10, 0]
    assert sorted(part[100:]) == [TRAIN, VALIDATION]


def test_a_text_too_large_for_a_small_part_trains() -> None:
    texts = ["sorry, I'll call later"] * 30 + different(70)
    for seed in range(10):
        part = split(texts, np.zeros(100, int), seed, validation=0.1, test=0.1)
        assert set(part[:30]) == {TRAIN}
        assert counts(part) == [80, 10, 10]


def test_repeated_texts_reach_every_part() -> None:
    """Were large groups placed first, training would take them all and the test would be all new texts."""
    texts = [text for text in different(500) for _ in range(2)]
    part = split([*texts, *(f"once {row}" for row in range(1000))], np.zeros(2000, int), 1, 0.1, 0.1)
    assert 60 <= (part[:1000] == TEST).sum() <= 140


def test_a_text_with_conflicting_labels_stays_in_one_part() -> None:
    texts = [text for text in different(100) for _ in range(2)]
    part = split(texts, np.arange(200) % 2, seed=1, validation=0.1, test=0.1)
    assert (part[::2] == part[1::2]).all()
    assert counts(part) == [160, 20, 20]


def test_the_split_of_a_seed_is_pinned_on_every_platform() -> None:
    part = split(different(20), np.arange(20) % 2, seed=1, validation=0.1, test=0.2)
    assert "".join(map(str, part)) == "02200020000000000112"


def test_another_seed_splits_differently() -> None:
    one, other = (split(different(100), np.zeros(100, int), seed, 0.1, 0.1) for seed in (1, 2))
    assert (one != other).any()


@pytest.mark.parametrize("texts", [[], ["same", "Same"], ["a", "b"]])
def test_too_few_texts_are_an_error_of_one_line(texts: list[str]) -> None:
    with pytest.raises(InputError, match=r"part would be empty.*add rows"):
        split(texts, np.zeros(len(texts), int), seed=1, validation=0.1, test=0.1)


ROWS = st.lists(
    st.tuples(st.sampled_from([a + b for a in "aAbcdEe" for b in ("", " x", "  X", "y")]), st.integers(0, 4)),
    min_size=3,
    max_size=60,
)
SHARES = st.sampled_from([(0.1, 0.1), (0.3, 0.3), (0.2, 0.0), (0.45, 0.45)])


@given(ROWS, SHARES, st.integers(0, 2**32 - 1))
def test_equal_texts_never_straddle_and_every_class_trains(
    rows: list[tuple[str, int]], shares: tuple[float, float], seed: int
) -> None:
    texts, labels = [text for text, _ in rows], np.array([label for _, label in rows])
    try:
        part = split(texts, labels, seed, *shares)
    except InputError:
        assume(False)
    assert len(part) == len(rows)
    assert set(part) == {code for code, share in enumerate((1, *shares)) if share}
    assert len({(normalized(text), code) for text, code in zip(texts, part, strict=True)}) == len(
        {normalized(text) for text in texts}
    )
    assert set(labels[part == TRAIN]) == set(labels)
    assert (part == split(texts, labels, seed, *shares)).all()


@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=60), min_size=1, max_size=4),
    SHARES,
    st.integers(0, 99),
)
def test_class_counts_are_within_a_text_of_their_shares(
    sizes: list[list[int]], shares: tuple[float, float], seed: int
) -> None:
    """`sizes` holds how often each text of each class occurs; no class shares a text."""
    texts = [[f"{label} {n}"] * size for label, counts in enumerate(sizes) for n, size in enumerate(counts)]
    labels = np.repeat(np.arange(len(sizes)), [sum(counts) for counts in sizes])
    assume(max(map(len, sizes)) >= 3)
    part = split([text for same in texts for text in same], labels, seed, *shares)
    for label, counts in enumerate(sizes):
        rows = Counter(part[labels == label].tolist())
        if len(counts) >= 3:
            assert all(rows[code] for code, share in enumerate((1, *shares)) if share)
        if min(share for share in shares if share) * sum(counts) >= max(counts):
            for code, share in enumerate((1 - sum(shares), *shares)):
                assert abs(rows[code] - share * sum(counts)) <= max(counts) + 1e-9

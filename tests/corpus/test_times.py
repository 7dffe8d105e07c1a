"""Times as they are written, and parts and folds in their order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.corpus.split import TEST, TRAIN, VALIDATION
from pipeline.corpus.times import assign_blocks, parse_times, ranges, split_by_time
from pipeline.errors import InputError

NAN = float("nan")
DAY = 86400.0


def parsed(*texts: str) -> list[float]:
    return parse_times(texts, "date").tolist()


@pytest.mark.parametrize(
    "text",
    [
        "1970-01-02",
        "1970-01-02T00:00:00Z",
        "1970-01-02 00:00",
        "1970-01-02T02:00:00+02:00",
        "19700102T000000",
        " 1970-01-02 ",
        "2 January 1970",
        "Jan 2, 1970",
        "02.01.1970",
        "Fri Jan 02 00:00:00 UTC 1970",
        "1970/01/02",
    ],
)
def test_a_date_is_read_as_seconds_since_1970(text: str) -> None:
    assert parsed(text) == [DAY]


def test_numbers_stand_for_themselves() -> None:
    assert parsed("1999", "2024", "-5", "") == pytest.approx([1999, 2024, -5, NAN], nan_ok=True)
    assert parsed("1733000000", "1733000000.5", "soon") == pytest.approx(
        [1733000000, 1733000000.5, NAN], nan_ok=True
    )


@pytest.mark.parametrize("text", ["", "  ", "soon", "2024-13-01", "99", "10:30", "nan", "n/a"])
def test_what_is_no_time_is_not_read(text: str) -> None:
    assert parsed("2024-01-01", "2024-01-02", text) == pytest.approx(
        [1704067200, 1704153600, NAN], nan_ok=True
    )


def test_one_date_shows_whether_the_day_comes_first() -> None:
    assert parsed("01/02/1970", "13/01/1970") == [31 * DAY, 12 * DAY]
    assert parsed("01/02/1970", "01/13/1970") == [DAY, 12 * DAY]
    assert parsed("01.02.24", "03.01.24") == [1706745600, 1704240000]  # with dots always
    assert parsed("1970-01-02", "13/01/1970") == [DAY, 12 * DAY]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (("01/02/1970", "03/04/1970"), "dd/mm or mm/dd"),
        (("13/01/1970", "01/13/1970"), "both dd/mm and mm/dd"),
        (("1-2-24", "2024-01-01"), "dd/mm or mm/dd"),
    ],
)
def test_dates_that_may_be_read_in_two_ways_are_refused(texts: tuple[str, ...], found: str) -> None:
    with pytest.raises(InputError, match=f"column 'date': dates such as '.*' may be {found}: .*ISO 8601"):
        parsed(*texts)


def test_the_newest_rows_test_and_those_before_them_validate() -> None:
    order = np.array([5, 1, 2, 3, 4, 6, 7, 8, 9, 10], float)
    part = split_by_time(order, 0.2, 0.1, "date")
    assert part.tolist() == [TRAIN] * 6 + [TRAIN, VALIDATION, VALIDATION, TEST]
    assert part.dtype == np.int8
    assert split_by_time(order, 0.2, 0.0, "date").tolist() == [TRAIN] * 7 + [TRAIN, VALIDATION, VALIDATION]


def test_rows_of_one_time_share_a_part() -> None:
    order = np.array([1, 1, 1, 2, 2, 2, 3, 3, 3, 3], float)
    assert split_by_time(order, 0.1, 0.1, "date").tolist() == [TRAIN] * 3 + [VALIDATION] * 3 + [TEST] * 4
    with pytest.raises(InputError, match="column 'date' has 2 different times, too few for 3 parts"):
        split_by_time(np.array([1.0, 1, 2, 2]), 0.1, 0.1, "date")


def test_folds_test_the_blocks_after_the_first_in_turn() -> None:
    order = np.array([3, 2, 1, 6, 5, 4, 7, 8], float)
    assert assign_blocks(order, 3, "date").tolist() == [1, 0, 0, 2, 2, 1, 3, 3]
    with pytest.raises(InputError, match="8 different times, too few for 8 folds"):
        assign_blocks(order, 8, "date")


ORDERS = st.lists(st.integers(0, 30), min_size=3, max_size=60)


@given(ORDERS, st.sampled_from([(0.1, 0.1), (0.3, 0.3), (0.2, 0.0)]))
def test_no_row_is_newer_than_one_of_a_later_part(times: list[int], shares: tuple[float, float]) -> None:
    assume(len(set(times)) >= 3)
    order = np.array(times, float)
    part = split_by_time(order, *shares, "date")
    assert set(part) == {code for code, share in enumerate((1, *shares)) if share}
    for earlier, later in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        if later in part:
            assert order[part == earlier].max() < order[part == later].min()


@given(ORDERS, st.integers(2, 5))
def test_each_fold_tests_rows_newer_than_all_before_it(times: list[int], folds: int) -> None:
    assume(len(set(times)) > folds)
    order = np.array(times, float)
    block = assign_blocks(order, folds, "date")
    assert sorted(set(block)) == [*range(folds + 1)]
    for number in range(1, folds + 1):
        assert order[block < number].max() < order[block == number].min()


@given(st.integers(6, 200), st.integers(2, 5))
def test_blocks_of_different_times_are_of_one_size(rows: int, folds: int) -> None:
    sizes = np.bincount(
        assign_blocks(np.random.default_rng(rows).permutation(rows).astype(float), folds, "d")
    )
    assert max(sizes) - min(sizes) <= 1


def test_ranges_are_the_oldest_and_newest_as_the_file_has_them() -> None:
    part = np.array(["train", "train", "train", "test"], object)
    time = np.array(["Jan 3", "Jan 1", "Jan 2", "Feb 1"], object)
    assert ranges(part, time, np.array([3.0, 1, 2, 32])) == {
        "train": ["Jan 1", "Jan 3"],
        "test": ["Feb 1", "Feb 1"],
    }

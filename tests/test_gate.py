"""Who may take the champion's place."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import gate
from pipeline.gate import Comparison, Side
from pipeline.paired import Paired, Slice

OLD = Side(
    title="old", accuracy=0.8, macro_f1=0.7, calibration_error=0.03, rows_per_second=1000, bytes=1_000_000
)


def pair(fixed: int = 20, broken: int = 10, rows: int = 10_000, p: float = 0.1) -> Paired:
    difference = (fixed - broken) / rows
    return Paired(rows=rows, fixed=fixed, broken=broken, difference=difference, low=0, high=0, p=p)


def part(p: float) -> Slice:
    return Slice(title="class a", rows=50, new=0.5, old=0.9, p=p)


@pytest.mark.parametrize(
    ("changes", "paired", "slices", "left_out", "broken"),
    [
        ({}, pair(), [], 0, []),
        ({}, pair(10, 10), [], 0, []),  # as good: it may be newer, or smaller
        ({}, pair(9, 10, p=1.0), [], 0, ["accuracy"]),
        ({"macro_f1": 0.681}, pair(), [], 0, []),
        ({"macro_f1": 0.679}, pair(), [], 0, ["macro-F1"]),
        ({"macro_f1": 0.61}, pair(rows=100), [], 0, []),  # 1 / sqrt(100): ten points
        ({"macro_f1": 0.59}, pair(rows=100), [], 0, ["macro-F1"]),
        ({}, pair(), [part(0.049), part(1.0)], 0, ["slices"]),
        ({}, pair(), [part(0.051)], 0, []),
        ({"calibration_error": 0.049}, pair(), [], 0, []),
        ({"calibration_error": 0.051}, pair(), [], 0, ["calibration"]),
        ({"rows_per_second": 500.0}, pair(), [], 0, []),
        ({"rows_per_second": 499.0}, pair(), [], 0, ["speed"]),
        ({"bytes": 4_000_000}, pair(), [], 0, []),
        ({"bytes": 4_000_001}, pair(), [], 0, ["size"]),
        ({}, pair(rows=200), [], 9800, []),
        ({}, pair(rows=199), [], 9801, ["rows"]),
        ({}, pair(rows=50), [], 50, []),  # half of a small test part
        ({}, pair(rows=49), [], 51, ["rows"]),
        ({"macro_f1": 0.1, "rows_per_second": 1.0}, pair(), [], 0, ["macro-F1", "speed"]),
    ],
)
def test_each_limit_stops_what_is_beyond_it(
    changes: dict[str, Any], paired: Paired, slices: list[Slice], left_out: int, broken: list[str]
) -> None:
    new = OLD.model_copy(update={"title": "new", **changes})
    checks = gate.against(new, OLD, paired, slices, left_out)
    assert [check.what for check in checks if not check.passed] == broken


@pytest.mark.parametrize(
    ("paired", "passed"),
    [(pair(20, 3, p=0.001), True), (pair(20, 12, p=0.2), False), (pair(3, 20, p=0.001), False)],
)
def test_the_first_must_really_be_better_than_the_majority_class(paired: Paired, passed: bool) -> None:
    assert [check.passed for check in gate.first(paired)] == [passed]


def test_the_summary_fits_the_terminal_and_names_what_was_not_kept() -> None:
    slow = OLD.model_copy(update={"title": "a model of a long name " * 4, "rows_per_second": 1.0})
    result = Comparison(
        corpus="reviews", run="1", champion="3", left_out=7, new=slow, old=OLD, paired=pair(),
        slices=[part(0.01)], checks=gate.against(slow, OLD, pair(), [part(0.01)], 7), forced="",
    )  # fmt: skip
    assert not result.passed
    said = gate.summary(result)
    assert max(map(len, said.splitlines())) <= 79
    assert said.count("NOT KEPT") == 2
    assert "class a 50.0%" in " ".join(said.split())
    assert "7 more were left out" in " ".join(said.split())
    page = gate.markdown(result)
    assert "| speed | at least 50% of the champion's rows a second | 1 after 1,000 | **no** |" in page
    assert "| class a | 50 | 50.0 | 90.0 | 0.01 |" in page

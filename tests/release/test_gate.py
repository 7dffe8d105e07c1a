"""Who may take the champion's place."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.measures.paired import SliceDifference
from pipeline.options import Criterion
from pipeline.release import gate
from pipeline.release.decision import Decision
from pipeline.release.gate import Performance

CHAMPION = Performance(
    title="old", accuracy=0.8, macro_f1=0.7, calibration_error=0.03, rows_per_second=1000, bytes=1_000_000
)


def pair(
    fixed: int = 20, broken: int = 10, rows: int = 10_000, criterion: Criterion = "accuracy", low: float = 0.0
) -> Decision:
    return Decision(
        criterion=criterion,
        rows=rows,
        difference=(fixed - broken) / rows,
        low=low,
        high=1.0,
        standard_error=(fixed + broken) ** 0.5 / rows,
        looks=2,
        challenger=1,
    )


def part(p: float, lost: int = 0, right: int = 45, rows: int = 50, title: str = "class a") -> SliceDifference:
    return SliceDifference(
        title=title,
        of_class=title.startswith("class"),
        rows=rows,
        new=(right - lost) / rows,
        old=right / rows,
        right=right,
        lost=lost,
        alone=min(p, 0.5**lost),
        p=p,
    )


@pytest.mark.parametrize(
    ("changes", "decision", "slices", "left_out", "broken"),
    [
        ({}, pair(), [], 0, []),
        ({}, pair(11, 10), [], 0, ["accuracy"]),  # a row more, as a coin would have it
        ({}, pair(13, 10), [], 0, ["accuracy"]),  # 1.41 sqrt(23) is 6.8 rows
        ({}, pair(17, 10), [], 0, ["accuracy"]),  # 1.41 sqrt(27) is 7.3
        ({}, pair(18, 10), [], 0, []),
        ({}, pair(10, 10), [], 0, ["accuracy"]),  # the equal of the champion
        ({}, pair(9, 10), [], 0, ["accuracy"]),
        ({"accuracy": 0.797}, pair(criterion="macro_f1"), [], 0, []),  # 6 rows of 2,000 do not decide
        ({"accuracy": 0.779}, pair(criterion="macro_f1"), [], 0, ["accuracy"]),
        ({"macro_f1": 0.681}, pair(13, 10, criterion="macro_f1"), [], 0, ["macro-F1"]),
        ({"macro_f1": 0.681}, pair(), [], 0, []),
        ({"macro_f1": 0.679}, pair(), [], 0, ["macro-F1"]),
        ({"macro_f1": 0.61}, pair(rows=100), [], 0, []),  # 1 / sqrt(100): ten points
        ({"macro_f1": 0.59}, pair(rows=100), [], 0, ["macro-F1"]),
        ({}, pair(), [part(0.049), part(1.0)], 0, ["slices"]),
        ({}, pair(), [part(0.051)], 0, []),
        ({}, pair(), [part(0.08, lost=11, right=11, rows=11)], 0, ["classes"]),  # 158 / 2^11
        ({}, pair(), [part(1.0, lost=5, right=9)], 0, ["classes"]),
        ({}, pair(), [part(1.0, lost=5, right=10)], 0, []),  # half, and not more
        ({}, pair(), [part(1.0, lost=4, right=4, rows=4)], 0, []),  # too few rows to tell
        ({}, pair(), [part(1.0, lost=9, right=9, title="1 to 3 tokens")], 0, []),
        ({"calibration_error": 0.049}, pair(), [], 0, []),
        ({"calibration_error": 0.051}, pair(), [], 0, ["calibration"]),
        ({"rows_per_second": 500.0}, pair(), [], 0, []),
        ({"rows_per_second": 499.0}, pair(), [], 0, ["speed"]),
        ({"bytes": 4_000_000}, pair(), [], 0, []),
        ({"bytes": 4_000_001}, pair(), [], 0, ["size"]),
        ({}, pair(rows=200), [], 9800, []),
        ({}, pair(rows=199), [], 9801, ["rows"]),
        ({}, pair(rows=60), [], 60, []),  # half of a small test part
        ({}, pair(rows=59), [], 61, ["rows"]),
        ({}, pair(rows=50), [], 0, []),  # also where none is left out
        ({}, pair(rows=49), [], 0, ["rows"]),
        ({"macro_f1": 0.1, "rows_per_second": 1.0}, pair(), [], 0, ["macro-F1", "speed"]),
    ],
)
def test_each_limit_stops_what_is_beyond_it(
    changes: dict[str, Any],
    decision: Decision,
    slices: list[SliceDifference],
    left_out: int,
    broken: list[str],
) -> None:
    new = CHAMPION.model_copy(update={"title": "new", **changes})
    checks = gate.checks_against_champion(new, CHAMPION, decision, slices, left_out)
    assert [check.what for check in checks if not check.passed] == broken


def found_by(what: str, slices: list[SliceDifference]) -> str:
    return next(
        check.found
        for check in gate.checks_against_champion(CHAMPION, CHAMPION, pair(), slices, 0)
        if check.what == what
    )


def test_the_largest_loss_of_a_class_is_named_also_where_it_is_within_the_limit() -> None:
    small = part(1.0, lost=3, right=4, rows=9, title="class b")
    assert found_by("classes", [part(1.0, lost=3), small, part(1.0, lost=-2)]) == (
        "largest loss: class b, 3 net of 9 rows (4 were right), one-sided p = 0.12 uncorrected"
    )
    assert found_by("classes", [part(1.0, lost=-1), part(1.0, lost=9, title="1 to 3 tokens")]) == (
        "largest loss: none"
    )
    beyond = part(1.0, lost=5, right=5, title="class c")
    found = found_by("classes", [beyond, part(1.0, lost=6)])
    assert found.startswith("largest loss: class a, 6 net of 50 rows (45 were right)")
    assert "; class c, 5 net of 50 rows (5 were right)" in found


def test_of_many_slices_that_are_worse_the_first_are_named_and_the_others_counted() -> None:
    found = found_by("slices", [part(0.01, title=f"class {number}") for number in range(8)])
    assert "class 4 90.0%" in found and "class 5" not in found
    assert found.endswith("; and 3 more")


@pytest.mark.parametrize("criterion", ["accuracy", "macro_f1"])
@pytest.mark.parametrize(("low", "passed"), [(0.001, True), (0.0, False), (-0.01, False)])
def test_the_first_must_be_significantly_better_than_the_majority_class(
    criterion: Criterion, low: float, passed: bool
) -> None:
    (check,) = gate.checks_of_first_champion(pair(20, 3, criterion=criterion, low=low))
    assert (check.what, check.passed) == (
        {"accuracy": "accuracy", "macro_f1": "macro-F1"}[criterion],
        passed,
    )

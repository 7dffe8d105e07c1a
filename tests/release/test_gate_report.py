"""The gate's decision as people read it."""

from __future__ import annotations

from typing import Any

from pipeline.measures.f1_difference import F1Difference
from pipeline.measures.paired import PairedDifference, SliceDifference
from pipeline.release import gate, gate_report
from pipeline.release.decision import by_accuracy, by_macro_f1
from pipeline.release.gate import Performance
from pipeline.release.gate_report import GateReport

CHAMPION = Performance(
    title="old", accuracy=0.8, macro_f1=0.7, calibration_error=0.03, rows_per_second=1000, bytes=1_000_000
)
PAIRED = PairedDifference(rows=10_000, fixed=20, broken=10, difference=0.001, low=0, high=0, p=0.1)
LOSING_CLASS = SliceDifference(
    title="class a", of_class=True, rows=50, new=0.5, old=0.9, right=45, lost=20, alone=0.5**20, p=0.01
)

TAGS = {"looks": "5", "criterion": "accuracy", "test_rows": "0123456789abcdef"}


def report_of(new: Performance, **changes: Any) -> GateReport:
    decision = by_accuracy(PAIRED, looks=5, challenger=2)
    report = GateReport(
        corpus="reviews",
        run="1",
        champion="3",
        test_digest="0123456789abcdef",
        left_out=7,
        new=new,
        old=CHAMPION,
        decision=decision,
        paired=PAIRED,
        slices=[LOSING_CLASS],
        checks=gate.checks_against_champion(new, CHAMPION, decision, [LOSING_CLASS], 7),
        forced="",
    )
    return report.model_copy(update=changes)


def test_the_summary_fits_the_terminal_and_names_what_failed() -> None:
    slow = CHAMPION.model_copy(update={"title": "a model of a long name " * 4, "rows_per_second": 1.0})
    report = report_of(slow)
    assert not report.passed

    summary = gate_report.summary(report)

    assert max(map(len, summary.splitlines())) <= 79
    assert summary.count("FAILED") == 3  # the accuracy, by 0.6 rows
    assert "class a 50.0%" in " ".join(summary.split())
    assert "class a, 20 net of 50 rows (45 were right)" in " ".join(summary.split())
    assert "no significant difference: McNemar's p = 0.1" in " ".join(summary.split())
    assert "7 more were left out" in " ".join(summary.split())
    page = gate_report.markdown(report)
    assert "| speed | at least 50% of the champion's rows per second | 1, champion 1,000 | **no** |" in page
    assert "| class a | 50 | 50.0 | 90.0 | 20 | 0.01 |" in page


def test_the_report_says_what_decides_and_what_luck_alone_would_give() -> None:
    summary = " ".join(gate_report.summary(report_of(CHAMPION)).split())
    assert "accuracy decides, as this run was chosen by it" in summary
    # 1.1630 sqrt(30 / 2) = 4.5 rows of 10,000
    assert (
        "5 runs, this one included, have been compared on these test rows: by luck alone, the best of so "
        "many equals is 0.0 points of accuracy above another. It is number 2 to challenge version 3 here, "
        "and has to lead by 1.94 standard errors, where the first had to by 1.41: however many challenge it, "
        "the chance that one which is no better takes its place by luck stays below 16%. New test rows begin "
        "the count anew."
    ) in summary
    assert "FAILED accuracy: higher by more than 1.94 standard errors, 0.1 points" in summary  # 10.6 rows
    page = gate_report.markdown(report_of(CHAMPION))
    assert "m_N s / sqrt(2)" in page and "5 runs, this one included" in page
    assert report_of(CHAMPION).tags() == TAGS | {"luck": "0.0005", "challenger": "2"}

    rare = by_macro_f1(F1Difference(0.85, 0.65, 0.04), (0.1, 0.3), rows=2000, looks=5, challenger=1)
    summary = " ".join(gate_report.summary(report_of(CHAMPION, decision=rare)).split())
    assert "macro-F1 decides, as this run was chosen by it" in summary
    assert "3.3 points of macro-F1 above another" in summary  # 1.1630 * 4 / sqrt(2)
    assert "F1 of each class" in gate_report.markdown(report_of(CHAMPION, decision=rare))


def test_of_a_first_look_and_of_the_majority_class_no_luck_is_told() -> None:
    once = report_of(CHAMPION, decision=by_accuracy(PAIRED, looks=1, challenger=1))
    # A champion that was promoted before looks were counted may be one.
    told = gate_report.summary(once)
    assert "No other run is on record as compared on these test rows. It is number 1" in " ".join(
        told.split()
    )
    first = report_of(CHAMPION, old=None)
    assert "luck" not in gate_report.summary(first)
    assert first.tags() == TAGS

"""The gate's decision as people read it."""

from __future__ import annotations

from pipeline.measures.paired import PairedDifference, SliceDifference
from pipeline.release import gate, gate_report
from pipeline.release.gate import Performance
from pipeline.release.gate_report import GateReport

CHAMPION = Performance(
    title="old", accuracy=0.8, macro_f1=0.7, calibration_error=0.03, rows_per_second=1000, bytes=1_000_000
)
PAIRED = PairedDifference(rows=10_000, fixed=20, broken=10, difference=0.001, low=0, high=0, p=0.1)
LOSING_CLASS = SliceDifference(
    title="class a", of_class=True, rows=50, new=0.5, old=0.9, right=45, lost=20, alone=0.5**20, p=0.01
)


def test_the_summary_fits_the_terminal_and_names_what_failed() -> None:
    slow = CHAMPION.model_copy(update={"title": "a model of a long name " * 4, "rows_per_second": 1.0})
    report = GateReport(
        corpus="reviews",
        run="1",
        champion="3",
        left_out=7,
        new=slow,
        old=CHAMPION,
        paired=PAIRED,
        slices=[LOSING_CLASS],
        checks=gate.checks_against_champion(slow, CHAMPION, PAIRED, [LOSING_CLASS], 7),
        forced="",
    )
    assert not report.passed

    summary = gate_report.summary(report)

    assert max(map(len, summary.splitlines())) <= 79
    assert summary.count("FAILED") == 2
    assert "class a 50.0%" in " ".join(summary.split())
    assert "class a, 20 net of 50 rows (45 were right)" in " ".join(summary.split())
    assert "no significant difference: McNemar's p = 0.1" in " ".join(summary.split())
    assert "7 more were left out" in " ".join(summary.split())
    page = gate_report.markdown(report)
    assert "| speed | at least 50% of the champion's rows per second | 1, champion 1,000 | **no** |" in page
    assert "| class a | 50 | 50.0 | 90.0 | 20 | 0.01 |" in page

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.benchmarks.csv_to_model import OURS, report
from tests.benchmarks.stage_costs import IMPORTS, WRITER, Cost, Measured
from tests.benchmarks.training_race import Race, Rows, Run
from tests.project import Project


def test_the_report_has_medians_ratios_and_who_was_left_out(tmp_path: Path) -> None:
    race = Race([], ["TF-IDF + LR", "fastText"], tmp_path)
    race.rows = Rows(1000, 100, 2, 26.6)
    race.left_out["fastText"] = "over 90 s"
    for seconds in (30, 10, 20):
        whole, stage = Cost(seconds, 2 * seconds, 1500), Cost(seconds / 2, seconds, 900)
        race.runs.setdefault(OURS, []).append(Run(Measured(whole, {"train": stage}, ""), 90.0))
    race.runs["TF-IDF + LR"] = [Run(Measured(Cost(5, 4, 300), {}, ""), 88.5)]
    lines = report([race], "generated rows", 3).splitlines()
    assert "texts of 27 words" in lines[0]
    assert [line for line in lines if line.startswith("| 1,000")] == [
        "| 1,000 | 2 | train | 10.0 | 20.0 | 900 |",
        "| 1,000 | 2 | the whole command | 20.0 | 40.0 | 1,500 |",
        "| 1,000 | 2 | convtext | 90.0 | 20.0 | 1.00 | 40.0 | 1,500 |",
        "| 1,000 | 2 | TF-IDF + LR | 88.5 | 5.0 | 0.25 | 4.0 | 300 |",
    ]
    assert "Accuracy is of the test part, for all the same rows: 100 of 1,000." in lines
    assert "Left out at 1,000 rows of 2 classes: fastText, over 90 s." in lines


@pytest.mark.slow
def test_a_csv_is_trained_on_by_all_and_every_stage_has_a_line(project: Project, tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    project.write_reviews(table, 200)
    given = [f"CORPUS={table}", "TEXT=review", "LABEL=stars", "MODEL=kim-rand", f"SET={project.tiny(2)}"]
    done = project.make(tmp_path / "data", "benchmark-train", *given, "ROUNDS=1")
    assert done.returncode == 0, done.stderr
    stages = re.findall(r"^\| 200 \| 2 \| (\w+) \| [\d.]+ \| [\d.]+ \| [\d,]+ \|$", done.stdout, re.MULTILINE)
    line = {"prepare", "tokenize", "baseline", "embed", "train", "evaluate"}
    assert set(stages) == {IMPORTS, WRITER, *line}
    # One word tells the reviews apart.
    assert re.search(r"^\| 200 \| 2 \| TF-IDF \+ LR \| 100.0 \|", done.stdout, re.MULTILINE)
    saved = tmp_path / "data" / "benchmarks" / "csv-to-model-reviews.md"
    assert saved.read_text("utf-8").rstrip("\n") in done.stdout

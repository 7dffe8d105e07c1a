"""`make curve`, as a user types it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.artifacts import CorpusFolder
from pipeline.study_commands.curve import _shares
from tests.project import Project

pytestmark = pytest.mark.slow


class Curve:
    """A learning curve of a corpus so small that it starts at half of the rows, as a user ran it."""

    def __init__(self, project: Project, data: Path) -> None:
        self.project, self.data = project, data
        project.write_reviews(data / "reviews.csv", 16)
        project.write_reviews(data / "held_out.csv", 30)
        self.done = self.run()
        assert self.done.returncode == 0, self.done.stderr
        *self.lines, folder = self.done.stdout.splitlines()
        self.folder = Path(folder)
        self.runs = [[Path(run) for run in draw] for draw in self.read("options.json")["runs"]]
        self.result = self.read("curve.json")

    def run(self) -> subprocess.CompletedProcess[str]:
        files = [f"CORPUS={self.data / 'reviews.csv'}", f"TEST={self.data / 'held_out.csv'}"]
        words = ["TEXT=review", "LABEL=stars", f"SET={self.project.tiny(epochs=2)}"]
        return self.project.make(self.data, "curve", "MODEL=kim-rand", *files, *words)

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())


@pytest.fixture(scope="module")
def curve(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Curve:
    return Curve(project, tmp_path_factory.mktemp("curve"))


def test_what_is_printed_fits_a_terminal_and_answers_the_question(curve: Curve) -> None:
    assert curve.done.stderr == ""
    assert max(map(len, curve.lines)) <= 80
    said = " ".join(" ".join(curve.lines).split())
    assert "10 % of 14 training rows are too few for 2 classes: it starts at 50 %" in said
    assert "wice the labels" in said and "the last doubling, from 9 to 16 labelled rows, brought" in said
    assert "There are only 30 test rows" in said


def test_that_the_smallest_share_is_too_small_is_said_within_79_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = CorpusFolder(tmp_path)
    corpus.report.write_text(json.dumps({"rows": {"train": 1234}}))
    corpus.labels.write_text(json.dumps([f"class {number}" for number in range(100)]))
    assert _shares(corpus)[0] == 0.25
    said = capsys.readouterr().out
    assert "10 % of 1,234 training rows are too few for 100 classes" in said
    assert max(map(len, said.splitlines())) <= 79


def test_each_size_is_run_three_times_and_tested_on_the_same_rows(curve: Curve) -> None:
    assert curve.result["shares"] == [0.5, 1.0]
    assert curve.result["rows"] == [9, 16]  # 7 and 14 training rows, and 2 validation rows, one of each class
    assert [len(draw) for draw in curve.runs] == [2, 2, 2]
    parts = [pd.read_parquet(run.parent / "rows.parquet")["part"] for draw in curve.runs for run in draw]
    assert len({tuple(part == "test") for part in parts}) == 1
    assert (parts[0] == "test").sum() == curve.result["test_rows"] == 30


def test_the_scores_are_those_of_the_runs(curve: Curve) -> None:
    network = curve.result["contestants"][0]
    assert network["key"] == "network"
    for size, found in enumerate(network["scores"]):
        accuracies = [
            json.loads((draw[size] / "metrics.json").read_text())["accuracy"] for draw in curve.runs
        ]
        assert found["draws"] == pytest.approx(accuracies)
        assert found["low"] < found["mean"] == pytest.approx(sum(accuracies) / 3)


def test_a_run_of_a_curve_has_no_report(curve: Curve) -> None:
    files = {path.name for path in curve.runs[0][0].iterdir()}
    assert "predictions.parquet" in files and not files & {"report.html", "suspect_labels.csv"}


def test_the_runs_have_one_parent_that_holds_the_figure(curve: Curve) -> None:
    assert (curve.folder / "curve.png").stat().st_size > 10_000
    with sqlite3.connect(curve.data / "tracking" / "mlflow.db") as store:
        parents = store.execute("select value from tags where key = 'mlflow.parentRunId'").fetchall()
        ((address,),) = store.execute(
            "select artifact_uri from runs where run_uuid = ?", parents[0]
        ).fetchall()
        steps = store.execute(
            "select step from metrics where run_uuid = ? and key = 'network.accuracy'", parents[0]
        ).fetchall()
    store.close()
    assert len(parents) == 6 and len(set(parents)) == 1
    assert sorted(steps) == [(9,), (16,)]
    artifacts = {path.name for path in Path(address.removeprefix("file://")).iterdir()}
    assert {"curve.png", "curve.json", "summary.txt"} <= artifacts


def test_a_second_curve_does_nothing_and_a_lost_run_alone_is_run_again(curve: Curve) -> None:
    files = [curve.folder / "curve.json", *(run / "metrics.json" for draw in curve.runs for run in draw)]
    before = [file.stat().st_mtime_ns for file in files]
    again = curve.run()
    assert again.returncode == 0, again.stderr
    assert [file.stat().st_mtime_ns for file in files] == before
    assert again.stdout.splitlines()[-20:] == curve.done.stdout.splitlines()[-20:]

    files[-1].unlink()
    assert curve.run().returncode == 0
    after = [file.stat().st_mtime_ns for file in files]
    assert after[1:-1] == before[1:-1] and after[0] > before[0]
    assert curve.read("curve.json")["contestants"] == curve.result["contestants"]

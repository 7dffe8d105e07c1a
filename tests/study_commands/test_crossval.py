"""`make crossval` and `make table`, as a user types them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.__main__ import main
from pipeline.studies.t_tests import over_folds
from tests.project import Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crossval")
    project.write_reviews(folder / "reviews.csv", 80)
    return folder


def crossval(project: Project, data: Path, *more: str):
    arguments = [
        f"CORPUS={data / 'reviews.csv'}",
        "TEXT=review",
        "LABEL=stars",
        f"SET={project.tiny(epochs=2)}",
        "FOLDS=2",
    ]
    return project.make(data, "crossval", "MODEL=kim-rand", *arguments, *more)


class CrossValidated:
    """A cross-validation over two folds of a corpus of its own, as a user ran it."""

    def __init__(self, project: Project, data: Path) -> None:
        self.project = project
        self.data = data
        project.write_reviews(data / "reviews.csv", 80)
        self.done = crossval(project, data)
        assert self.done.returncode == 0, self.done.stderr
        *self.lines, folder = self.done.stdout.splitlines()
        self.folder = Path(folder)
        self.runs = [Path(run) for run in self.read("options.json")["runs"]]
        self.folds = [run.parent for run in self.runs]
        self.result = self.read("crossval.json")

    def read(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / name).read_text())
        return content


@pytest.fixture(scope="module")
def done(project: Project, tmp_path_factory: pytest.TempPathFactory) -> CrossValidated:
    return CrossValidated(project, tmp_path_factory.mktemp("two-folds"))


def test_what_is_printed_fits_a_terminal_and_ends_with_the_verdict(done: CrossValidated) -> None:
    assert done.done.stderr == ""
    assert max(map(len, done.lines)) <= 80
    assert any(line.startswith("  TF-IDF + logistic regression ") for line in done.lines)
    assert any(line.startswith("  Ship ") for line in done.lines)


def test_the_rows_are_described_once_and_without_parts_that_no_fold_has(done: CrossValidated) -> None:
    assert any(line.split() == ["rows", "80"] for line in done.lines)
    assert "validation" not in done.done.stdout  # the parts of all rows are those of no fold


def test_near_copies_and_the_worth_of_a_row_qualify_the_verdict(done: CrossValidated) -> None:
    reports = [json.loads((fold / "data_report.json").read_text()) for fold in done.folds]
    copies = sum(report["near_across_split"]["test"] for report in reports) / 2
    assert f"  Of 40 test rows a fold {copies:.1f} are near copies of a training row." in done.lines
    assert "  There are only 80 test rows: one of them is 1.2 points." in done.lines


def test_every_row_is_tested_in_one_fold(done: CrossValidated) -> None:
    tested = [pd.read_parquet(fold / "rows.parquet")["part"] == "test" for fold in done.folds]
    assert (sum(part.astype(int) for part in tested) == 1).all()


def test_a_fold_has_predictions_but_no_report(done: CrossValidated) -> None:
    files = {path.name for path in done.runs[0].iterdir()}
    assert {"mistakes.csv", "predictions.parquet"} <= files
    of_review = {"report.html", "MODEL_CARD.md", "suspect_labels.csv", "filters.json", "confusion_matrix.png"}
    assert not files & of_review


def test_the_network_is_compared_with_the_opponents_on_the_same_rows(done: CrossValidated) -> None:
    assert done.result["contestants"]["TF-IDF + logistic regression"]["accuracy"] == [1, 1]
    codes = {name: code for code, name in enumerate(json.loads((done.folds[0] / "labels.json").read_text()))}
    tables = [pd.read_parquet(run / "predictions.parquet") for run in done.runs]
    truth, network = (
        [table[column].map(codes).to_numpy(np.int64) for table in tables]
        for column in ("label", "predicted_label")
    )
    majority = [
        pd.read_parquet(fold / "baseline_accuracy.parquet")["majority"].to_numpy(np.int64)
        for fold in done.folds
    ]
    gains = [
        np.mean(mine == true) - np.mean(other == true)
        for true, mine, other in zip(truth, network, majority, strict=True)
    ]
    found = done.result["contestants"]["majority class"]
    assert found["differences"]["accuracy"] == pytest.approx(vars(over_folds(np.array(gains), 2)))
    choices = [json.loads((fold / "baseline_accuracy.json").read_text()) for fold in done.folds]
    validation_scores = [choice["majority"]["validation_score"] for choice in choices]
    assert found["validation_score"] == pytest.approx(np.mean(validation_scores))


def test_the_runs_of_the_folds_have_one_parent(done: CrossValidated) -> None:
    with sqlite3.connect(done.data / "tracking" / "mlflow.db") as store:
        query = "select value from tags where key = 'mlflow.parentRunId'"
        parents = store.execute(query).fetchall()
        named = "select key, value from metrics where run_uuid = ? and key like 'mean.linear%'"
        means = dict(store.execute(named, parents[0]))
    store.close()
    assert len(parents) == 2
    assert len(set(parents)) == 1
    scores = done.result["contestants"]["TF-IDF + logistic regression"]
    assert means == pytest.approx(
        {"mean.linear": np.mean(scores["accuracy"]), "mean.linear.macro_f1": np.mean(scores["macro_f1"])}
    )


def test_a_fold_that_lost_its_model_is_run_again_to_the_same_numbers_and_no_other_is(
    project: Project,
    done: CrossValidated,
) -> None:
    kept, lost = (run / "metrics.json" for run in done.runs)
    before = kept.stat().st_mtime_ns
    shutil.rmtree(lost.parent / "model")
    (lost.parents[1] / "baseline_accuracy.parquet").unlink()
    lost.unlink()

    again = crossval(project, done.data)

    assert again.returncode == 0, again.stderr
    assert kept.stat().st_mtime_ns == before
    assert lost.exists()
    resumed = done.read("crossval.json")
    assert resumed["contestants"] == done.result["contestants"]
    assert resumed["calibration_error"] == done.result["calibration_error"]  # which depends on probabilities


def test_a_table_shows_what_was_cross_validated(project: Project, done: CrossValidated) -> None:
    table = project.make(done.data, "table", "CORPORA=", "MODELS=")
    assert table.returncode == 0, table.stderr
    assert "| **100.0 ± 0.0** |" in table.stdout
    assert "Calibration error" in table.stdout
    assert (done.data / "build" / "table.png").stat().st_size > 10_000


def test_a_cross_validation_that_cannot_be_read_is_named(project: Project, done: CrossValidated) -> None:
    saved = done.folder / "crossval.json"
    content = saved.read_bytes()
    saved.write_text("{}")
    try:
        table = project.make(done.data, "table", "CORPORA=", "MODELS=")
    finally:
        saved.write_bytes(content)
    assert table.returncode == 2
    assert f"left out, as not written by this version: {done.folder.parents[1].name}/{done.folder.name}" in (
        table.stderr
    )


def test_an_official_test_part_is_kept_and_seeds_take_the_place_of_folds(
    project: Project, data: Path
) -> None:
    project.write_reviews(data / "held_out.csv", 30)
    done = crossval(project, data, f"TEST={data / 'held_out.csv'}")
    assert done.returncode == 0, done.stderr
    assert "2 seeds" in done.stdout
    assert "There are only 30 test rows: one of them is 3.3 points." in done.stdout
    options = json.loads(Path(done.stdout.splitlines()[-1], "options.json").read_text())
    assert options["folds"] == 1
    reports = [
        json.loads(Path(run).parent.joinpath("data_report.json").read_text()) for run in options["runs"]
    ]
    near, equal = (
        sum(one[f"{kind}_across_split"]["test"] for one in reports) / 2 for kind in ("near", "equal")
    )
    assert equal > 20  # those of the validation part are not in the training part
    copies = f"Of 30 test rows {near:.1f} are near copies of a training row, {equal:.1f} are equal to a"
    assert copies in done.stdout
    parts = [pd.read_parquet(Path(run).parent / "rows.parquet")["part"] for run in options["runs"]]
    assert [(part == "test").sum() for part in parts] == [30, 30]
    assert (parts[0] != parts[1]).any()


@pytest.mark.parametrize(
    ("jobs", "more"), [("2", "; JOBS=1 needs less, as one training at a time runs"), ("1", "")]
)
def test_a_fold_that_is_killed_is_one_line_with_the_remedy(
    project: Project,
    data: Path,
    jobs: str,
    more: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    short_of_memory = data / "short_of_memory.sh"
    short_of_memory.write_text(
        f'#!/bin/sh\n[ "$4" = tokenize ] && kill -KILL $$\nexec {sys.executable} "$@"\n'
    )
    short_of_memory.chmod(0o755)
    monkeypatch.setenv("CONVTEXT_DATA", str(data))
    monkeypatch.setattr(sys, "executable", str(short_of_memory))
    words = [
        f"CORPUS={data / 'reviews.csv'}",
        "TEXT=review",
        "LABEL=stars",
        "MODEL=kim-rand",
        f"SET={project.tiny(epochs=2)}",
    ]
    assert main(["crossval", *words, "FOLDS=3", f"JOBS={jobs}"]) == 2
    killed = "a stage was killed, most likely as memory ran out: the same command goes on where it was"
    assert capfd.readouterr().err == f"convtext: {killed}{more}\n"


@pytest.mark.parametrize(
    "wrong", ["FOLDS=1", "FOLDS=0", "FOLDS=abc", "FOLDS=", "REPEATS=-1", "FOLDS=99999999999"]
)
def test_a_number_of_folds_that_makes_no_sense_is_refused_in_one_line(
    project: Project, data: Path, wrong: str
) -> None:
    done = crossval(project, data, wrong)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith(f"convtext: {wrong}: expected a whole number from ")


def test_more_folds_than_rows_of_any_class_are_refused_once(project: Project, data: Path) -> None:
    done = crossval(project, data, "FOLDS=60")
    assert done.returncode == 2
    assert done.stderr.count("convtext: no class has 60 rows") == 1

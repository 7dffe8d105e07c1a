"""`make crossval` and `make table`, as a user types them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.studies.cross_validation import compared
from tests.test_end_to_end import SMALL, make, write_reviews

FEW = SMALL.replace("epochs=4", "epochs=2")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crossval")
    write_reviews(folder / "reviews.csv", 80)
    return folder


def crossval(data: Path, *more: str):
    arguments = [f"CORPUS={data / 'reviews.csv'}", "TEXT=review", "LABEL=stars", f"SET={FEW}", "FOLDS=2"]
    return make(data, "crossval", "MODEL=kim-rand", *arguments, *more)


def test_cross_validation_compares_on_the_same_folds_and_goes_on_where_it_stopped(data: Path) -> None:
    done = crossval(data)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    *lines, place = done.stdout.splitlines()
    options = json.loads(Path(place, "options.json").read_text())
    folds = [Path(run).parent for run in options["runs"]]
    assert max(map(len, lines)) <= 80
    assert "validation" not in done.stdout  # the parts of all rows are those of no fold
    assert any(line.split() == ["rows", "80"] for line in lines)
    copies = [
        json.loads((fold / "data_report.json").read_text())["near_across_split"]["test"] for fold in folds
    ]
    assert f"  Of 40 test rows a fold {sum(copies) / 2:.1f} are near copies of a training row." in lines
    assert "  There are only 80 test rows: one of them is 1.2 points." in lines
    assert "TF-IDF + logistic regression" in done.stdout
    assert "Ship " in done.stdout
    tested = [pd.read_parquet(fold / "rows.parquet")["part"] == "test" for fold in folds]
    assert (sum(one.astype(int) for one in tested) == 1).all()
    of_fold = {path.name for path in Path(options["runs"][0]).iterdir()}
    assert {"mistakes.csv", "predictions.parquet"} <= of_fold
    assert not of_fold & {"report.html", "suspect_labels.csv", "filters.json", "confusion_matrix.png"}
    result = json.loads(Path(place, "crossval.json").read_text())
    assert result["contestants"]["TF-IDF + logistic regression"]["accuracy"] == [1, 1]
    codes = {name: code for code, name in enumerate(json.loads((folds[0] / "labels.json").read_text()))}
    tables = [pd.read_parquet(Path(run, "predictions.parquet")) for run in options["runs"]]
    truth, network = (
        [one[column].map(codes).to_numpy(np.int64) for one in tables]
        for column in ("label", "predicted_label")
    )
    majority = [
        pd.read_parquet(fold / "baseline_accuracy.parquet")["majority"].to_numpy(np.int64) for fold in folds
    ]
    expected = compared(truth, network, majority, folds=2)
    assert result["contestants"]["majority class"]["difference"] == pytest.approx(vars(expected))

    with sqlite3.connect(data / "tracking" / "mlflow.db") as store:
        query = "select value from tags where key = 'mlflow.parentRunId'"
        parents = [parent for (parent,) in store.execute(query)]
    store.close()
    assert len(parents) == 2
    assert len(set(parents)) == 1

    # A fold that lost its model and its opponents is run again, to the same numbers; the other one is not.
    kept, lost = (Path(run, "metrics.json") for run in options["runs"])
    before = kept.stat().st_mtime_ns
    shutil.rmtree(lost.parent / "model")
    (lost.parents[1] / "baseline_accuracy.parquet").unlink()
    lost.unlink()
    again = crossval(data)
    assert again.returncode == 0, again.stderr
    assert kept.stat().st_mtime_ns == before
    assert lost.exists()
    resumed = json.loads(Path(place, "crossval.json").read_text())
    assert resumed["contestants"] == result["contestants"]
    assert resumed["calibration_error"] == result["calibration_error"]  # which tells the probabilities apart

    table = make(data, "table", "CORPORA=", "MODELS=")
    assert table.returncode == 0, table.stderr
    assert "| **100.0 ± 0.0** |" in table.stdout
    assert "Calibration error" in table.stdout
    assert (data / "build" / "table.png").stat().st_size > 10_000

    Path(place, "crossval.json").write_text("{}")
    table = make(data, "table", "CORPORA=", "MODELS=")
    assert table.returncode == 2
    assert "crossval.json is missing or not as `make` writes it" in table.stderr


def test_an_official_test_part_is_kept_and_seeds_take_the_place_of_folds(data: Path) -> None:
    write_reviews(data / "held_out.csv", 30)
    done = crossval(data, f"TEST={data / 'held_out.csv'}")
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
    ("jobs", "more"), [("2", "; JOBS=1 needs less, as one fold at a time runs"), ("1", "")]
)
def test_a_fold_that_is_killed_is_one_line_with_the_remedy(data: Path, jobs: str, more: str) -> None:
    short_of_memory = data / "short_of_memory.sh"
    short_of_memory.write_text(
        '[ "$1" = tokenize ] && kill -KILL $$\nexec .venv/bin/python -m pipeline "$@"\n'
    )
    done = crossval(data, "FOLDS=3", f"JOBS={jobs}", f"VERB=sh {short_of_memory}")
    assert done.returncode != 0
    said, *rest = done.stderr.splitlines()
    killed = (
        "convtext: a stage was killed, most likely as memory ran out: the same command goes on where it was"
    )
    assert said == killed + more
    assert [line for line in rest if not line.startswith("make: *** ")] == []


@pytest.mark.parametrize(
    "wrong", ["FOLDS=1", "FOLDS=0", "FOLDS=abc", "FOLDS=", "REPEATS=-1", "FOLDS=99999999999"]
)
def test_a_number_of_folds_that_makes_no_sense_is_refused_in_one_line(data: Path, wrong: str) -> None:
    done = crossval(data, wrong)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith(f"convtext: {wrong}: expected a whole number from ")


def test_more_folds_than_rows_of_any_class_are_refused_once(data: Path) -> None:
    done = crossval(data, "FOLDS=60")
    assert done.returncode == 2
    assert done.stderr.count("convtext: no class has 60 rows") == 1

"""`GROUP=` and `TIME=` as a user types them: what is trained on, validated on and tested."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.__main__ import main
from pipeline.graph.folds import configure_folds
from pipeline.graph.request import TrainingRequest
from tests.project import Project

WORDS = [f"{first}{second}" for first in "bdfgk" for second in ("al", "en", "ir", "os", "um", "yx")]


def write_tickets(path: Path, rows: int) -> None:
    """Write tickets of customers whose words tell the team, newest first; one team is new."""
    random = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["day", "customer", "text", "team"])
        for n in range(rows):
            words = random.choice(WORDS, 7).tolist()
            day = pd.Timestamp("2024-12-31") - pd.Timedelta(days=n // 2)
            text = " ".join([*words, ["paid", "sent"][n % 2]])
            writer.writerow([day.date(), f"c{n * 7 % 31}", text, "new" if n < 4 else "ab"[n % 2]])


@pytest.fixture
def tickets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    path = tmp_path / "tickets.csv"
    write_tickets(path, 200)
    return path


def refusal(tickets: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    code = main(["configure", f"CORPUS={tickets}", "LABEL=team", *more])
    if code == 0:
        folder = Path(capsys.readouterr().out.strip().splitlines()[-1]).parent
        code = main(["stage", "prepare", str(folder)])
    printed = capsys.readouterr().err
    assert code == 2 and printed.count("\n") == 1
    return printed


def test_what_cannot_be_split_by_is_refused_in_a_line(
    tickets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = refusal(tickets, capsys, "GROUP=customer", "TIME=day")
    assert "source.group and source.time exclude each other" in both
    given = refusal(tickets, capsys, "TIME=day", f"SET=source.validation={tickets}")
    assert "source.time and source.validation exclude each other" in given
    missing = refusal(tickets, capsys, "TIME=date")
    assert "there is no column 'date'" in missing and "name another with TIME=" in missing
    assert "no column 'client'" in refusal(tickets, capsys, "GROUP=client")
    assert "and so in all 200 rows" in refusal(tickets, capsys, "TIME=team")
    tickets.write_text(
        "day,text,team\n" + "".join(f"0{n}/01/2024,text {n},{'ab'[n % 2]}\n" for n in range(1, 10))
    )
    assert "dd/mm or mm/dd: write them as 2024-12-31 (ISO 8601)" in refusal(tickets, capsys, "TIME=day")


def test_many_rows_without_a_time_are_an_error_and_a_few_are_set_aside(
    tickets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tickets.write_text(tickets.read_text().replace("2024-12-31", "some day"))
    printed = refusal(tickets, capsys, "TIME=day", "BLANK=0.001")
    assert "2 of 200 rows (1.00%) have no text or no label where 0.1% are allowed" in printed
    assert "as in line 2: no time in 'some day'" in printed
    options = ["TIME=day", "LABEL=team"]
    assert main(["configure", f"CORPUS={tickets}", *options]) == 0
    folder = Path(capsys.readouterr().out.strip()).parent
    assert main(["stage", "prepare", str(folder)]) == 0
    assert "split by day: train 2024-09-23 to 2024-12-" in capsys.readouterr().out
    rejected = pd.read_csv(folder / "rejects.csv")
    assert rejected["reason"].tolist() == ["no time in 'some day'"] * 2


@pytest.mark.slow
@pytest.mark.parametrize("word", ["TIME=day", "GROUP=customer"])
def test_a_run_is_split_as_asked_and_its_command_repeats_it(
    project: Project, tmp_path: Path, word: str
) -> None:
    tickets = tmp_path / "tickets.csv"
    write_tickets(tickets, 400)
    arguments = [f"CORPUS={tickets}", "LABEL=team", "MODEL=kim-rand", word, f"SET={project.tiny(2)}"]
    done = project.make(tmp_path / "data", "train", *arguments)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.splitlines()[-1])
    rows = pd.read_parquet(folder.parent / "rows.parquet")
    counts = rows["part"].value_counts()
    column = word.partition("=")[2]
    assert f"split by {column}: " in done.stdout
    assert f"split by {column}: " in (folder / "report.html").read_text()
    if word == "TIME=day":
        assert sorted(counts) == [40, 40, 320]
        by_part = {part: table["order"] for part, table in rows.groupby("part", observed=True)}
        assert by_part["train"].max() < by_part["validation"].min()
        assert by_part["validation"].max() < by_part["test"].min()
        assert "no train row has the class 'new': others of it count as wrong" in done.stdout
        scores = {
            entry["label"]: entry for entry in json.loads((folder / "metrics.json").read_text())["classes"]
        }
        assert scores["new"]["rows"] == 4 and scores["new"]["recall"] == 0
    else:
        assert rows.groupby("group")["part"].nunique().eq(1).all()
        assert counts["test"] > 20 and counts["validation"] > 20
    command = json.loads((folder / "request.json").read_text())["command"]
    assert word in shlex.split(command)
    again = project.make(tmp_path / "data", *shlex.split(command)[1:])
    assert again.returncode == 0 and again.stdout.splitlines() == [str(folder)]
    labelled = project.make(
        tmp_path / "data", "predict", f"CORPUS={tickets}", "MODEL=kim-rand", f"INPUT={tickets}"
    )
    assert labelled.returncode == 0, labelled.stderr


def made_folds(tickets: Path, count: int, **words: str) -> list[pd.DataFrame]:
    """Return the rows of each fold, made as `crossval` does it."""
    plan = configure_folds(TrainingRequest(str(tickets), "kim-rand", set="", label="team", **words), count, 1)
    assert main(["stage", "prepare", str(plan.all_rows.path)]) == 0
    assert main(["stage", "assign_folds", str(plan.all_rows.path / f"of{count:02d}-seed1")]) == 0
    for run in plan.runs:
        assert main(["stage", "make_fold", str(run.corpus.path)]) == 0
    return [pd.read_parquet(run.corpus.rows) for run in plan.runs]


def test_folds_in_time_order_train_on_what_is_older_and_leave_out_what_is_newer(tickets: Path) -> None:
    tested: list[int] = []
    for number, rows in enumerate(made_folds(tickets, 3, time="day"), 1):
        assert len(rows) == 50 * (number + 1)
        by_part = {part: table["order"] for part, table in rows.groupby("part", observed=True)}
        assert by_part["train"].max() < by_part["validation"].min()
        assert by_part["validation"].max() < by_part["test"].min()
        assert len(by_part["test"]) == 50
        assert len(by_part["validation"]) == pytest.approx(5 * number, abs=1)  # two rows a day
        tested += rows["line"][rows["part"] == "test"].tolist()
    assert sorted(tested) == [*range(2, 152)]  # the newest rows come first


def test_folds_keep_groups_together(tickets: Path) -> None:
    tested: list[int] = []
    for rows in made_folds(tickets, 3, group="customer"):
        assert rows.astype({"part": str}).groupby("group")["part"].nunique().eq(1).all()
        assert len(rows) == 200
        tested += rows["line"][rows["part"] == "test"].tolist()
    assert sorted(tested) == [*range(2, 202)]


@pytest.mark.slow
def test_a_cross_validation_in_time_order_says_what_holds(project: Project, tmp_path: Path) -> None:
    tickets = tmp_path / "tickets.csv"
    write_tickets(tickets, 400)
    arguments = [f"CORPUS={tickets}", "LABEL=team", "MODEL=kim-rand", "TIME=day", "FOLDS=2"]
    done = project.make(tmp_path / "data", "crossval", *arguments, f"SET={project.tiny(1)}")
    assert done.returncode == 0, done.stderr
    assert "The folds are in time order" in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 79

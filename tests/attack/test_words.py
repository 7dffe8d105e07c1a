"""Values, names of files, and data that mean something to make, to a shell, to a path or to a terminal."""

from __future__ import annotations

import csv
import os
import subprocess
from pathlib import Path

import pytest

from pipeline.terminal import visible
from tests.project import Project

pytestmark = pytest.mark.slow

ESCAPE = "\x1b]0;title\x07\x1b[2J\x1b[1;1H"
COLUMNS = ("text\x1b[31m", "label\x9b0m")
LABELS = (f"good{ESCAPE}", "bad\u202eeslaf\x08x")
NAMES = {"good]0;title[2J[1;1H", "badeslafx"}  # of the classes: what cannot be seen makes none of its own
FILES = (
    "$(shell touch canary).csv",
    "$$(touch canary).csv",
    "`touch canary`.csv",
    "';touch canary;'.csv",
    '";touch canary;".csv',
    ";touch canary;.csv",
    "a\ntouch canary\n.csv",
    "a b.csv",
    "-rf.csv",
    "*.csv",
    "a=b.csv",
    "#a.csv",
    "%s%n.csv",
    "~root.csv",
    "é你.csv",
    os.fsdecode(b"\xff.csv"),
    f"{ESCAPE}.csv",
)


class Hostile:
    """A model that was trained on data that is hostile to a terminal, and what training said."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder, self.data = project, folder, folder / "data"
        self.corpus = folder / "reviews.csv"
        self.write(self.corpus, 60)
        trained = project.make(
            self.data,
            "train",
            *(f"CORPUS={self.corpus}", f"TEXT={COLUMNS[0]}", f"LABEL={COLUMNS[1]}"),
            *("MODEL=kim-rand", f"SET={project.tiny()}"),
        )
        assert trained.returncode == 0, trained.stderr
        self.said = trained.stdout + trained.stderr

    def write(self, path: Path, rows: int) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(
                [f"a {('lovely', 'awful')[n % 2]} film {n}{ESCAPE}", LABELS[n % 2]] for n in range(rows)
            )

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.project.make(self.data, *arguments)


@pytest.fixture(scope="module")
def hostile(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    return Hostile(project, tmp_path_factory.mktemp("hostile"))


def obeyed(said: str) -> set[str]:
    """Return the characters that a terminal would obey."""
    return {character for character in said if character != "\n" and visible(character) != character}


def test_training_shows_escapes_of_labels_and_columns(hostile: Hostile) -> None:
    assert obeyed(hostile.said) == set()


@pytest.mark.parametrize("name", FILES, ids=visible)
def test_a_file_is_labelled_whatever_its_name(hostile: Hostile, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    hostile.write(path, 4)
    labelled = hostile.make("predict", f"INPUT={path}", f"CORPUS={hostile.corpus}", "MODEL=kim-rand")
    assert labelled.returncode == 0, labelled.stderr
    assert obeyed(labelled.stdout + labelled.stderr) == set()
    with Path(f"{path}.predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["predicted_label"] for row in rows} <= NAMES and len(rows) == 4
    assert {file.name for file in tmp_path.iterdir()} == {name, f"{name}.predictions.csv"}
    assert not (hostile.project.root / "canary").exists()


@pytest.mark.parametrize(
    "words",
    [
        "train CORPUS=../../../etc/passwd",
        "train CORPUS=/dev/zero",
        "train MODEL=../../x",
        "train MODEL=$(shell\ttouch\tcanary)",
        "train SET=train.epochs=$(shell\ttouch\tcanary)",
        "train SET=__class__=1",
        "train ENCODING=zip",
        "train ENCODING=../../x",
        "crossval JOBS=\";touch\tcanary;\"",
        "crossval FOLDS=99999999999",
        "tune NAME=../../../x BUDGET=1s",
        "tune BUDGET=-1s",
        "predict INPUT=/dev/zero",
        "predict INPUT=-rf",
        "predict TOP=99999999999999999999 INPUT=x.csv",
        "predict ABSTAIN=nan INPUT=x.csv",
        f"predict INPUT={ESCAPE}",
        f"predict {ESCAPE}=1",
        "dashboard PORT=99999999",
        "compare RUNS='\";--",
    ],
    ids=visible,
)  # fmt: skip
def test_a_command_is_refused_in_one_line(hostile: Hostile, tmp_path: Path, words: str) -> None:
    done = hostile.project.make(tmp_path, *words.split(" "))
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert done.returncode == 2 and line.startswith("convtext: ")
    assert obeyed(line + done.stdout) == set()
    assert not (hostile.project.root / "canary").exists()

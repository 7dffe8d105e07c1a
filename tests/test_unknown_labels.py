"""Test labels that training lacks, from the table to the report: wrong for every classifier."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.project import Project

pytestmark = pytest.mark.slow
SENTENCE = (
    "  4 of 20 test rows have a label that no training row has: every classifier is\n"
    "  wrong there, and macro-F1 counts such a label as a class of F1 0\n"
)


def table(path: Path, labels: list[str]) -> Path:
    random = np.random.default_rng(len(labels))
    words = [f"word{number}" for number in range(40)]
    rows = [f"{' '.join(random.choice(words, 6))} {label.lower()},{label}\n" for label in labels]
    path.write_text("text,label\n" + "".join(rows))
    return path


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory, project: Project) -> tuple[Path, list[str]]:
    data = tmp_path_factory.mktemp("unknown")
    train = table(data / "train.csv", ["good", "bad"] * 60)
    test = table(data / "test.csv", [*["good", "bad"] * 8, "Good", "odd", "odd", "odd"])
    return data, [f"CORPUS={train}", f"TEST={test}", f"SET={project.tiny(epochs=2)}"]


def test_a_run_and_its_report_count_them_as_wrong(
    project: Project, arguments: tuple[Path, list[str]]
) -> None:
    data, words = arguments
    done = project.make(data, "train", *words)
    assert done.returncode == 0, done.stderr
    assert SENTENCE in done.stdout and max(map(len, done.stdout.splitlines()[:-1])) <= 79
    folder = Path(done.stdout.splitlines()[-1])
    metrics = json.loads((folder / "metrics.json").read_text())
    predictions = pd.read_parquet(folder / "predictions.parquet")
    assert set(predictions["predicted_label"]) <= {"good", "bad"}
    right = predictions["label"] == predictions["predicted_label"]
    assert metrics["accuracy"] == pytest.approx(right.mean()) and right.mean() <= 16 / 20
    assert [entry["label"] for entry in metrics["classes"]] == ["bad", "good", "Good", "odd"]
    f1 = [entry["f1"] for entry in metrics["classes"]]
    assert f1[2:] == [0, 0] and metrics["macro_f1"] == pytest.approx(sum(f1) / 4)
    page = (folder / "report.html").read_text()
    assert "4 of 20 test rows have a label that no training row has, wrong for every classifier" in page
    assert json.loads((folder / "model" / "classifier.json").read_text())["labels"] == ["bad", "good"]
    done = project.make(data, "register", words[0])
    assert done.returncode in (0, 1) and "20 test rows" in done.stdout, done.stderr


def test_a_cross_validation_on_a_given_test_part_counts_them_too(
    project: Project, arguments: tuple[Path, list[str]]
) -> None:
    data, words = arguments
    done = project.make(data, "crossval", *words, "MODEL=kim-rand", "FOLDS=2")
    assert done.returncode == 0, done.stderr
    assert SENTENCE in done.stdout
    result = json.loads((Path(done.stdout.splitlines()[-1]) / "crossval.json").read_text())
    scores = result["contestants"]["majority class"]
    assert scores["accuracy"] == [8 / 20, 8 / 20]
    assert scores["macro_f1"] == pytest.approx([2 * 8 / (20 + 8) / 4] * 2)  # four labels, one ever predicted

"""The opponents of a corpus, for models that are chosen by accuracy and for those chosen by macro-F1."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.artifacts import RunFolder
from pipeline.graph.inner_make import Goal
from tests.project import Project

pytestmark = pytest.mark.slow

OF_MODEL = {"kim-rand": "accuracy", "balanced": "macro_f1"}


def write_tail(path: Path) -> None:
    """No two rows are equal. Of those with "fine", two in three are of the frequent class, and they are all
    rows of the rare one."""
    labelled = [("fine", "frequent")] * 60 + [("dull", "frequent")] * 240 + [("fine", "rare")] * 30
    lines = [f"{word} {number},{label}" for number, (word, label) in enumerate(labelled)]
    path.write_text("\n".join(["text,label", *lines]) + "\n")


def test_opponents_are_chosen_by_the_criterion_of_each_model_and_models_take_turns(
    project: Project, tmp_path: Path
) -> None:
    for part in ("train", "test"):
        write_tail(tmp_path / f"{part}.csv")
    few = project.tiny(epochs=1)
    arguments = [f"CORPUS={tmp_path / 'train.csv'}", f"TEST={tmp_path / 'test.csv'}", f"SET={few}"]
    folders = {}
    for model, said in {"kim-rand": "by accuracy, fitted on", "balanced": "by macro-F1, fitted on"}.items():
        done = project.make(tmp_path / "data", "train", *arguments, f"MODEL={model}")
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
        folders[model] = Path(done.stdout.splitlines()[-1])
    corpus = folders["balanced"].parent
    predicted = {
        criterion: pd.read_parquet(corpus / f"baseline_{criterion}.parquet")["linear"]
        for criterion in OF_MODEL.values()
    }
    truth = np.repeat([0, 1], [300, 30])
    accuracy = {}
    for model, criterion in OF_MODEL.items():
        metrics = json.loads((folders[model] / "metrics.json").read_text())
        accuracy[model] = metrics["linear_accuracy"]
        assert metrics["criterion"] == criterion
        choices = json.loads((corpus / f"baseline_{criterion}.json").read_text())
        assert metrics["baseline"] == max(choices, key=lambda key: choices[key]["validation_score"])
        assert accuracy[model] == np.mean(predicted[criterion] == truth)
    # Weighed up, "fine" is rare: 60 rows of 300 are wrong, and of 30 none.
    assert accuracy == {"kim-rand": 300 / 330, "balanced": 270 / 330}
    for model in OF_MODEL:
        again = project.make(tmp_path / "data", "train", *arguments, f"MODEL={model}")
        assert again.stdout.splitlines() == [str(folders[model])]


def graph(project: Project, data: Path, run: Path, *options: str) -> list[str]:
    """The stages that Make takes to the end of the run, without `configure` before."""
    goal = Goal(RunFolder(run), (RunFolder(run).metrics,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVTEXT_DATA", str(data))
        command = [word for word in goal.command(*options) if word != "--silent"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 3>&2', "sh", *command],
        cwd=data,
        env=project.environment(data)
        | {"CONVTEXT_PYTHON": sys.executable, "CONVTEXT_CALLER": str(project.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.partition("-m pipeline stage ") for line in done.stdout.splitlines()]
    return [verb.split()[0] for _, found, verb in lines if found]


def test_no_opponent_trains_a_network_anew(project: Project, tmp_path: Path) -> None:
    write_tail(tmp_path / "rows.csv")
    few = project.tiny(epochs=1) + " embed.vectors=random"
    arguments = [f"CORPUS={tmp_path / 'rows.csv'}", "MODEL=convtext", f"SET={few}"]
    done = project.make(tmp_path, "train", *arguments)
    assert done.returncode == 0, done.stderr
    run = Path(done.stdout.splitlines()[-1])
    assert graph(project, tmp_path, run) == []
    options = run.parent / "baseline.json"
    options.write_text(options.read_text().replace('"linear"', '"linear", "nbsvm"'))
    assert graph(project, tmp_path, run) == ["baseline", "evaluate"]
    assert "nbsvm" in pd.read_parquet(run.parent / "baseline_accuracy.parquet")
    assert graph(project, tmp_path, run) == []

    os.utime(run.parent / "baseline_accuracy.parquet")  # as if it had changed
    assert graph(project, tmp_path, run, "--dry-run") == ["evaluate"]


def test_of_more_rows_than_the_memory_has_room_for_linear_models_learn_some_and_say_so(
    project: Project, tmp_path: Path
) -> None:
    """A row of 900 words out of 5,000, of seven letters each, has some 23,000 values, of 24 bytes each."""
    random = np.random.default_rng(1)
    words = np.array([f"w{number:05d}x" for number in range(5_000)])
    lines = [f"{' '.join(random.choice(words, 900))} sign{label},{label}" for label in (0, 1) * 300]
    path = tmp_path / "long.csv"
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    done = project.make(
        tmp_path / "data", "train", f"CORPUS={path}", "MEMORY=768m", f"SET={project.tiny(epochs=1)} "
        "ensemble.ngrams=tokens,characters",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    fitted, shared, learned = (
        re.search(pattern, done.stdout)
        for pattern in (
            r"fitted on (\d+)\n",
            r"  (\d+) of 540 rows, all that fit",
            r"fitted to (\d+) of 480 rows",
        )
    )
    assert fitted and shared and learned, done.stdout
    assert fitted[1] == shared[1] == learned[1] and 150 < int(fitted[1]) < 300
    report = (Path(done.stdout.splitlines()[-1]) / "report.html").read_text("utf-8")
    assert f"were fitted to {fitted[1]} of 540 rows, all that fit into the memory" in report


def test_a_memory_that_is_no_size_is_one_line(project: Project, tmp_path: Path) -> None:
    done = project.make(tmp_path / "data", "train", "MEMORY=8")
    assert done.returncode == 2
    assert "MEMORY=8: expected a size such as 8g, and 768m or more" in done.stderr

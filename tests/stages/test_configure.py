from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.artifacts import CorpusFolder
from tests.test_end_to_end import ROOT, environment, make


def configure(data: Path, *arguments: str) -> list[Path]:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "configure", *arguments],
        cwd=ROOT, env={"CONVTEXT_DATA": str(data)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [Path(line) for line in done.stdout.splitlines()]


def test_the_request_is_the_command_that_repeats_the_run_and_changes_no_stage(tmp_path: Path) -> None:
    reviews = tmp_path / "my reviews.csv"
    reviews.write_text("body,stars\na,1\n")
    asked = ["--corpus", str(reviews), "--model", "kim-rand", "--text", "body", "--label", "stars"]
    (run,) = configure(tmp_path, *asked, "--set", "train.epochs=3 seed=7")
    request = json.loads((run / "request.json").read_text())
    assert request == {
        "title": "my reviews.csv kim-rand train.epochs=3 seed=7",
        "command": f"make train CORPUS='{reviews}' TEXT=body LABEL=stars MODEL=kim-rand "
        "SET='train.epochs=3 seed=7'",
    }
    options = {path: path.stat().st_mtime_ns for path in run.rglob("*.json") if path.name != "request.json"}
    assert options
    configure(tmp_path, *asked, "--set", "seed=7 train.epochs=3")
    assert json.loads((run / "request.json").read_text())["title"].endswith("seed=7 train.epochs=3")
    assert {path: path.stat().st_mtime_ns for path in options} == options


@pytest.mark.parametrize("name", ["my data", "a:b", "50%", "a#b", "a$b", "a=b", "it's", "(a)"])
def test_a_folder_that_make_cannot_work_in_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    done = make(tmp_path / name, "train", "CORPUS=digits")
    assert done.returncode == 2
    first, *rest = done.stderr.splitlines()
    assert first.startswith(f"convtext: CONVTEXT_DATA={tmp_path / name}: make cannot work in a folder with ")
    assert [line for line in rest if not line.startswith("make: *** ")] == []
    assert list(tmp_path.iterdir()) == []


def test_a_long_set_is_cut_in_the_name_and_whole_in_the_command(tmp_path: Path) -> None:
    long = "train.epochs=3 train.patience=2 train.batch_size=64"
    (run,) = configure(tmp_path, "--corpus", "digits", "--model", "", "--set", long)
    request = json.loads((run / "request.json").read_text())
    assert request["title"] == f"digits image_cnn {long[:40]}…"
    assert request["command"] == f"make train CORPUS=digits MODEL=image_cnn SET='{long}'"


def test_folds_that_set_makes_otherwise_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    reviews = tmp_path / "folds.csv"  # a name that is none of a folder of folds
    reviews.write_text("text,label\na,1\n")

    def folds(settings: str) -> list[Path]:
        asked = ["--corpus", str(reviews), "--model", "kim-rand", "--folds", "2", "--set", settings]
        _, run, _ = configure(tmp_path, *asked)
        return [run.parent, run.parents[1] / "all"]

    plain, of_model = folds(""), folds("train.epochs=3 seed=2")
    assert plain[0].parent.name == of_model[0].parent.name == "folds"
    before = {path: path.read_bytes() for path in plain[0].parent.rglob("*.json")}
    other = folds("tokenize.unit=character train.epochs=3")
    assert not set(other) & {*plain, *of_model}
    assert folds("train.epochs=9 tokenize.unit=character")[0] == other[0]
    assert (other[0] / "tokenize.json").read_bytes() != (plain[0] / "tokenize.json").read_bytes()
    assert {path: path.read_bytes() for path in plain[0].parent.rglob("*.json")} == before
    assert [CorpusFolder(path).is_fold for path in (*other, plain[0].parents[1])] == [True, True, False]


def test_the_runs_of_a_cross_validation_are_read_from_its_options(tmp_path: Path) -> None:
    # Two thousand of them have no room in a command line.
    asked = ["--corpus", "digits", "--model", "", "--folds", "2", "--repeats", "20"]
    place, first, *cuts = configure(tmp_path, *asked)
    runs = json.loads((place / "options.json").read_text())["runs"]
    assert (len(runs), runs[0]) == (40, str(first))
    assert [path.name for path in cuts] == [f"of02-seed{seed}.npz" for seed in range(1, 21)]
    makefile = f"include {ROOT}/Makefile\nshown:\n\t@printf '%s\\n' $(METRICS)\n"
    shown = subprocess.run(
        ["make", "--silent", "-f", "-", f"CROSSVAL={place}", "shown"],
        cwd=ROOT, input=makefile, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.split() == [f"{run}/metrics.json" for run in runs]


def test_a_value_may_begin_with_a_minus(tmp_path: Path) -> None:
    """As `make` hands it on."""
    reviews = tmp_path / "reviews.csv"
    reviews.write_text("text,-stars\na,1\n")
    done = subprocess.run(
        ["make", "--dry-run", "predict", f"CORPUS={reviews}", "INPUT=-", "TEXT=-text", "OUTPUT=-o.csv"],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=True,
    )  # fmt: skip
    predict = shlex.split(done.stdout)
    assert {"--input=-", "--text=-text", "--output=-o.csv", "--model="} <= set(predict)
    done = subprocess.run(
        ["make", "train", f"CORPUS={reviews}", "LABEL=-stars", "SET=-seed=1"],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr.startswith("convtext: SET: no option '-seed'")


def test_make_hands_on_nothing_that_only_the_environment_has(tmp_path: Path) -> None:
    names = (
        "CORPUS MODEL TEXT ENCODING OUTPUT TOP PROBABILITIES ABSTAIN EVIDENCE SHARES HARMLESS FORM THREADS"
    )
    done = subprocess.run(
        ["make", "--dry-run", "predict", "INPUT=new.csv"],
        cwd=ROOT, env=environment(tmp_path) | dict.fromkeys(names.split(), "others"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "--input='new.csv'" in done.stdout
    assert "others" not in done.stdout

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

from tests.test_end_to_end import ROOT, environment


def configure(data: Path, *arguments: str) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "configure", *arguments],
        cwd=ROOT, env={"CONVTEXT_DATA": str(data)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Path(done.stdout.splitlines()[-1])


def test_the_request_is_the_command_that_repeats_the_run_and_changes_no_stage(tmp_path: Path) -> None:
    reviews = tmp_path / "my reviews.csv"
    reviews.write_text("body,stars\na,1\n")
    asked = ["--corpus", str(reviews), "--model", "kim-rand", "--text", "body", "--label", "stars"]
    run = configure(tmp_path, *asked, "--set", "train.epochs=3 seed=7")
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


def test_a_long_set_is_cut_in_the_name_and_whole_in_the_command(tmp_path: Path) -> None:
    long = "train.epochs=3 train.patience=2 train.batch_size=64"
    run = configure(tmp_path, "--corpus", "digits", "--model", "", "--set", long)
    request = json.loads((run / "request.json").read_text())
    assert request["title"] == f"digits image_cnn {long[:40]}…"
    assert request["command"] == f"make train CORPUS=digits MODEL=image_cnn SET='{long}'"


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

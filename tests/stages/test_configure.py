from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.artifacts import CorpusFolder
from pipeline.config.command_line import parse_words
from pipeline.errors import StageFailed
from pipeline.graph.inner_make import Goal, make
from pipeline.graph.options_writer import taken_back_if_refused
from pipeline.graph.request import TrainingRequest
from pipeline.graph.single_run import configure_run
from tests.project import Project

NOT_UTF8 = os.fsdecode(b"\xe9")  # which MLflow opens no store in a folder of


def configure(project: Project, data: Path, *arguments: str) -> list[Path]:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "configure", *arguments],
        cwd=project.root, env={"CONVTEXT_DATA": str(data)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [Path(line) for line in done.stdout.splitlines()]


def test_the_request_is_the_command_that_repeats_the_run_and_changes_no_stage(
    project: Project, tmp_path: Path
) -> None:
    reviews = tmp_path / "my reviews.csv"
    reviews.write_text("body,stars\na,1\n")
    asked = [f"CORPUS={reviews}", "MODEL=kim-rand", "TEXT=body", "LABEL=stars"]
    (run,) = configure(project, tmp_path, *asked, "SET=train.epochs=3 seed=7")
    request = json.loads((run / "request.json").read_text())
    assert request == {
        "title": f"{tmp_path.name}/my reviews.csv kim-rand train.epochs=3 seed=7",
        "command": f"make train CORPUS='{reviews}' TEXT=body LABEL=stars MODEL=kim-rand "
        "SET='train.epochs=3 seed=7'",
    }
    options = {path: path.stat().st_mtime_ns for path in run.rglob("*.json") if path.name != "request.json"}
    assert options
    configure(project, tmp_path, *asked, "SET=seed=7 train.epochs=3")
    assert json.loads((run / "request.json").read_text())["title"].endswith("seed=7 train.epochs=3")
    assert {path: path.stat().st_mtime_ns for path in options} == options


@pytest.mark.parametrize(
    "name",
    [
        """it's (a:b) "50%"? #c=$d""",
        "a\nb",
        NOT_UTF8,
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("my data", *":%#$='(\"?")),
    ],
    ids=ascii,
)
def test_the_data_folder_and_the_corpus_may_have_any_name(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / ascii(name)[1:-1] if name == NOT_UTF8 else tmp_path / name
    monkeypatch.setenv("CONVTEXT_DATA", str(data))
    rows = [f"a {('lovely', 'awful')[n % 2]} film {n},{n % 2}" for n in range(20)]
    corpus = tmp_path / f"{name}.csv"
    corpus.write_text("\n".join(["text,label", *rows]))
    assert main(["configure", f"CORPUS={corpus}"]) == 0
    (folder,) = (data / "build").glob("[!.]*")
    make(Goal(CorpusFolder(folder), (CorpusFolder(folder).sequences,)))
    assert CorpusFolder(folder).sequences.exists()


def test_a_mistyped_column_costs_no_training_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    rows = [f"a {('lovely', 'awful')[n % 2]} film {n},seen {n} times,{n % 2}" for n in range(20)]
    corpus = tmp_path / "reviews.csv"
    corpus.write_text("\n".join(["review,note,label", *rows]))

    def prepare(column: str) -> int:
        request = TrainingRequest.from_words(parse_words("configure", [f"CORPUS={corpus}", f"TEXT={column}"]))
        files = request.folder.corpus
        with taken_back_if_refused(files):
            make(Goal(configure_run(request).corpus, (files.rows,)))
        return files.rows.stat().st_mtime_ns

    def options() -> tuple[str, int]:
        (path,) = (tmp_path / "data").glob("build/*/prepare.json")
        return path.read_text(), path.stat().st_mtime_ns

    made, of_review = prepare("review"), options()
    with pytest.raises(StageFailed):
        prepare("reviw")
    assert options() == of_review
    assert prepare("review") == made
    assert prepare("note") > made
    assert options() != of_review


def test_a_long_set_is_cut_in_the_name_and_whole_in_the_command(project: Project, tmp_path: Path) -> None:
    long = "train.epochs=3 train.patience=2 train.batch_size=64"
    (run,) = configure(project, tmp_path, "CORPUS=digits", "MODEL=", f"SET={long}")
    request = json.loads((run / "request.json").read_text())
    assert request["title"] == f"digits image_cnn {long[:40]}…"
    assert request["command"] == f"make train CORPUS=digits MODEL=image_cnn SET='{long}'"


def test_a_value_may_begin_with_a_minus(project: Project, tmp_path: Path) -> None:
    """As `make` hands it on."""
    reviews = tmp_path / "reviews.csv"
    reviews.write_text("text,-stars\na,1\n")
    done = subprocess.run(
        ["make", "--dry-run", "predict", f"CORPUS={reviews}", "INPUT=-", "TEXT=-text", "OUTPUT=-o.csv"],
        cwd=project.root, env=project.environment(tmp_path), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert {"INPUT=-", "TEXT=-text", "OUTPUT=-o.csv"} <= set(shlex.split(done.stdout))
    done = subprocess.run(
        ["make", "train", f"CORPUS={reviews}", "LABEL=-stars", "SET=-seed=1"],
        cwd=project.root, env=project.environment(tmp_path), capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr.startswith("convtext: SET: no option '-seed'")


def test_make_hands_on_nothing_that_only_the_environment_has(project: Project, tmp_path: Path) -> None:
    names = (
        "CORPUS MODEL TEXT ENCODING OUTPUT TOP PROBABILITIES ABSTAIN EVIDENCE SHARES HARMLESS FORM THREADS"
    )
    done = subprocess.run(
        ["make", "--dry-run", "predict", "INPUT=new.csv"],
        cwd=project.root, env=project.environment(tmp_path) | dict.fromkeys(names.split(), "others"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "'INPUT=new.csv'" in done.stdout
    assert "others" not in done.stdout


def test_vectors_are_a_word_that_does_what_set_does(project: Project, tmp_path: Path) -> None:
    asked = ["CORPUS=docstrings", "MODEL=kim-rand"]
    (run,) = configure(project, tmp_path, *asked, "VECTORS=glove-twitter-25,corpus", "SET=seed=2")
    request = json.loads((run / "request.json").read_text())
    assert request == {
        "title": "docstrings kim-rand seed=2 embed.vectors=glove-twitter-25,co…",
        "command": "make train CORPUS=docstrings MODEL=kim-rand VECTORS=glove-twitter-25,corpus SET=seed=2",
    }
    by_word = (run / "embed.json").read_bytes()
    assert json.loads(by_word)["embed"]["vectors"] == ["glove-twitter-25", "corpus"]
    configure(project, tmp_path, *asked, "SET=seed=2 embed.vectors=[glove-twitter-25,corpus]")
    assert (run / "embed.json").read_bytes() == by_word


def test_vectors_make_another_contestant_of_a_study_and_no_other_corpus() -> None:
    by_word = TrainingRequest("mr", "kim-rand", "seed=2", vectors="glove-twitter-25")
    by_set = TrainingRequest("mr", "kim-rand", "embed.vectors=glove-twitter-25")
    assert by_word.settings == by_set.settings == "embed.vectors=glove-twitter-25"
    assert by_word.source_settings == by_word.corpus_settings == ""


def test_vectors_are_for_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configure", "CORPUS=digits", "VECTORS=corpus"]) == 2
    assert "VECTORS= is for texts, and CORPUS=digits has images" in capsys.readouterr().err
    assert main(["configure", "CORPUS=mr", "VECTORS=no-such"]) == 2
    assert "convtext: no-such: no such file; expected a file of vectors" in capsys.readouterr().err

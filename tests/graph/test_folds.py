"""The folders and options of a cross-validation."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from pipeline.artifacts import CorpusFolder, graph_word
from pipeline.errors import InputError
from pipeline.graph.folds import configure_folds
from pipeline.graph.request import TrainingRequest


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))


def test_folds_that_set_makes_otherwise_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    reviews = tmp_path / "folds.csv"  # a name that is none of a folder of folds
    reviews.write_text("text,label\na,1\n")

    def folds(settings: str) -> list[Path]:
        plan = configure_folds(TrainingRequest(str(reviews), "kim-rand", settings), 2, 1)
        return [plan.runs[0].corpus.path, plan.all_rows.path]

    plain, of_model = folds(""), folds("train.epochs=3 seed=2")
    assert plain[0].parent.name == of_model[0].parent.name == "folds"
    before = {path: path.read_bytes() for path in plain[0].parent.rglob("*.json")}
    other = folds("tokenize.unit=character train.epochs=3")
    assert not set(other) & {*plain, *of_model}
    assert folds("train.epochs=9 tokenize.unit=character")[0] == other[0]
    assert (other[0] / "tokenize.json").read_bytes() != (plain[0] / "tokenize.json").read_bytes()
    assert {path: path.read_bytes() for path in plain[0].parent.rglob("*.json")} == before
    assert [CorpusFolder(path).is_fold for path in (*other, plain[0].parents[1])] == [True, True, False]


def test_the_results_of_a_cross_validation_are_a_fact_that_make_includes() -> None:
    # Two thousand of them have no room in a command line.
    plan = configure_folds(TrainingRequest("digits", "image_cnn", ""), 2, 20)
    runs = json.loads(plan.crossval.options.read_text())["runs"]
    assert runs == [str(run.path) for run in plan.runs] and len(runs) == 40
    assert [cut.folds.name for cut in plan.cuts] == [f"of02-seed{seed}.npz" for seed in range(1, 21)]
    shown = subprocess.run(
        ["make", "--silent", "-f", "-", "shown"],
        input=f"include {plan.crossval.facts}\nshown:\n\t@printf '%s\\n' $(METRICS)\n",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.split() == [f"{graph_word(Path(run))}/metrics.json" for run in runs]
    assert f"CUT := {graph_word(plan.cuts[1].folds)}\n" in plan.runs[2].corpus.facts.read_text()
    assert "ALL_ROWS :=\nCUT :=\n" in plan.all_rows.facts.read_text()


def test_folds_in_time_order_are_made_once_whatever_the_seed(tmp_path: Path) -> None:
    tickets = tmp_path / "tickets.csv"
    tickets.write_text("text,label,day\na,1,2024-12-31\n")
    request = TrainingRequest(str(tickets), "kim-rand", "", time="day")
    with pytest.raises(InputError, match="same by every seed: expected them once, not 3 times") as error:
        configure_folds(request, 2, 3)
    assert error.value.option == "repeats"
    assert not [*(tmp_path / "data").rglob("options.json")]
    assert len(configure_folds(request, 2, 1).runs) == 2
    # Of an official test part there are seeds instead of folds.
    by_seed = TrainingRequest(str(tickets), "kim-rand", "", time="day", test=str(tickets))
    assert len(configure_folds(by_seed, 2, 3).runs) == 6


def test_files_whose_names_are_not_utf_8_are_told_apart_by_escapes(tmp_path: Path) -> None:
    reviews, vectors = tmp_path / "reviews.csv", tmp_path / os.fsdecode(b"caf\xe9.txt")
    reviews.write_text("text,label\na,1\n")
    vectors.write_text("a 1 2\n")
    plan = configure_folds(TrainingRequest(str(reviews), "kim-rand", "", vectors=str(vectors)), 2, 1)
    model = json.loads(plan.crossval.options.read_text())["model"]
    assert model == f"kim-rand 'embed.vectors={tmp_path}/caf\\xe9.txt'"

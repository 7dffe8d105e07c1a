"""The folders, options and rows of a learning curve."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from pipeline.__main__ import main
from pipeline.artifacts import RunFolder, data_folder, graph_word
from pipeline.errors import InputError
from pipeline.graph.curve import CurvePlan, configure_curve, configure_sizes
from pipeline.graph.inner_make import Goal
from pipeline.graph.request import TrainingRequest

SHARES = [0.25, 0.5, 1.0]


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))


def configured(corpus: str | Path, model: str = "kim-rand", settings: str = "") -> CurvePlan:
    return configure_curve(TrainingRequest(str(corpus), model, settings))


def test_every_draw_of_every_size_is_a_run_of_its_own_with_its_seed() -> None:
    plan = configured("digits", "image_cnn", "seed=5")
    runs = configure_sizes(plan, SHARES)
    names = [run.corpus.path.name for run in runs]
    assert names == [
        f"digits-{share}percent-seed{seed}" for seed in (5, 6, 7) for share in ("25", "50", "100")
    ]
    options = [json.loads(run.corpus.prepare_options.read_text()) for run in runs]
    assert [one["subset"] for one in options[:4]] == [
        {"share": 0.25, "seed": 5},
        {"share": 0.5, "seed": 5},
        {"share": 1.0, "seed": 5},
        {"share": 0.25, "seed": 6},
    ]
    assert [json.loads(run.train_options.read_text())["seed"] for run in runs] == [5] * 3 + [6] * 3 + [7] * 3
    # All are drawn from the parts of one seed, and so are tested on the same rows.
    assert json.loads(plan.all_rows.prepare_options.read_text())["seed"] == 5
    assert {run.corpus.all_rows.path for run in runs} == {plan.all_rows.path}


def test_subsets_that_set_makes_otherwise_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    reviews = tmp_path / "subsets.csv"  # a name that is none of a folder of subsets
    reviews.write_text("text,label\na,1\n")
    plain, of_model = configured(reviews), configured(reviews, settings="train.epochs=3")
    assert plain.all_rows.path == of_model.all_rows.path
    assert plain.curve.path != of_model.curve.path
    others = [configured(reviews, settings=words) for words in ("seed=2", "tokenize.unit=character")]
    assert len({plan.all_rows.path for plan in [plain, *others]}) == 3
    assert len({plan.curve.path for plan in [plain, of_model, *others]}) == 4
    assert plain.all_rows.is_subset and not plain.all_rows.is_fold
    assert not configured("digits", "image_cnn").request.folder.corpus.is_subset


def test_the_facts_say_what_subsets_are_of_and_what_is_compared() -> None:
    plan = configured("digits", "image_cnn")
    runs = configure_sizes(plan, SHARES)
    subset_of = graph_word(plan.all_rows.rows)
    assert f"ALL_ROWS :=\nCUT :=\nSUBSET_OF := {subset_of}\n" in runs[0].corpus.facts.read_text()
    assert "SUBSET_OF :=\n" in plan.all_rows.facts.read_text()
    assert runs[0].corpus.images == plan.all_rows.images == plan.all_rows.path / "images.npy"
    needed = " ".join(f"{graph_word(run.path)}/metrics.json" for run in runs)
    assert f"METRICS := {needed}\n" in plan.curve.facts.read_text()


def test_make_would_draw_the_subset_and_compare_the_sizes(tmp_path: Path) -> None:
    plan = configured("digits", "image_cnn")
    runs = configure_sizes(plan, SHARES)
    plan.all_rows.rows.touch()
    for run in runs:
        run.metrics.touch()

    def planned(goal: Goal) -> str:
        command = goal.command("--dry-run")
        done = subprocess.run(command, cwd=data_folder(), capture_output=True, text=True, check=True)
        return done.stdout

    corpus = runs[0].corpus
    subset, curve = (f'"$CONVTEXT_DATA"/{graph_word(path)} ' for path in (corpus.path, plan.curve.path))
    assert f" stage make_subset {subset}" in planned(Goal(corpus, (corpus.rows,)))
    assert f" stage compare_sizes {curve}" in planned(Goal(plan.curve, (plan.curve.result,)))


def test_too_few_seeds_are_one_line() -> None:
    with pytest.raises(InputError, match="seed: 4294967295 leaves no room for 3 seeds"):
        configure_sizes(configured("digits", "image_cnn", "seed=4294967295"), SHARES)


@pytest.fixture
def drawn(tmp_path: Path) -> list[RunFolder]:
    """The runs of one draw, as far as their rows and vocabulary."""
    # A row has a word of its own, twice, so that it would be in the vocabulary; each fifth row is repeated.
    texts = [f"own{number - (number % 5 == 4)}x " * 2 + "ab"[number % 10 // 5] * 3 for number in range(200)]
    rows = [f"{text},{'ab'[number % 10 // 5]}" for number, text in enumerate(texts)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    plan = configured(tmp_path / "rows.csv")
    assert main(["stage", "prepare", str(plan.all_rows.path)]) == 0
    runs = configure_sizes(plan, SHARES)[:3]
    for run in runs:
        for stage in ("make_subset", "tokenize"):
            assert main(["stage", stage, str(run.corpus.path)]) == 0
    return runs


def test_sizes_differ_in_the_rows_to_learn_from_alone(drawn: list[RunFolder]) -> None:
    parts = [pd.read_parquet(run.corpus.rows)["part"] for run in drawn]
    everything = pd.read_parquet(drawn[0].corpus.all_rows.rows)["part"]
    pd.testing.assert_series_equal(parts[-1], everything)
    for smaller, larger in pairwise(parts):
        assert ((smaller == "test") == (everything == "test")).all()
        kept = smaller.notna()
        assert (smaller[kept] == larger[kept]).all()
        for name in ("train", "validation"):
            assert (smaller == name).sum() == pytest.approx((larger == name).sum() / 2, abs=4)
        labels = pd.read_parquet(drawn[0].corpus.rows)["label"]
        assert set(labels[smaller == "train"]) == {0, 1}


def test_a_subset_does_not_know_the_words_of_rows_that_it_leaves_out(drawn: list[RunFolder]) -> None:
    for run in drawn:
        rows = pd.read_parquet(run.corpus.rows)
        own = rows["text"].str.split().str[0]
        known = {word for word in json.loads(run.corpus.text_encoder.read_text())["words"] if word[-1] == "x"}
        assert known == set(own[rows["part"] == "train"])
        assert not known & set(own[rows["part"] != "train"])  # equal texts are in it, or not, together

"""`make tune`, as a user types it."""

from __future__ import annotations

import argparse
import csv
import gc
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import config, configure
from pipeline.errors import InputError
from tests.test_end_to_end import ROOT, SMALL, environment, make, write_reviews

FEW = SMALL.replace("epochs=4", "epochs=2")


class Tuned:
    def __init__(self, folder: Path) -> None:
        self.data, self.csv, self.output = (
            folder / "data",
            folder / "reviews.csv",
            folder / "conf" / "tuned.yaml",
        )
        write_reviews(self.csv, 80)
        self.arguments = [f"CORPUS={self.csv}", "TEXT=review", "LABEL=stars", "MODEL=kim-rand", f"SET={FEW}"]
        self.done = self.tune("BUDGET=9s")
        (self.folder,) = self.data.glob("build/*/kim-rand")

    def tune(self, *more: str) -> subprocess.CompletedProcess[str]:
        return make(self.data, "tune", *self.arguments, f"OUTPUT={self.output}", *more)

    def trials(self) -> list[dict[str, str]]:
        with (self.folder / "trials.csv").open(newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    return Tuned(tmp_path_factory.mktemp("tuned"))


def test_a_search_prints_a_line_a_trial_and_writes_the_best_with_what_was_found(tuned: Tuned) -> None:
    assert tuned.done.returncode == 0, tuned.done.stderr
    assert tuned.done.stderr == ""
    *lines, command, last = tuned.done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert last == str(tuned.output)
    again = f"make train CORPUS={tuned.csv} TEXT=review LABEL=stars MODEL=tuned"
    assert command == f"  to train it: {again}"
    first, *others = tuned.trials()
    assert any(line.split()[:1] == ["0"] and line.endswith("as it is") for line in lines)
    assert (first["network.filters"], first["train.batch_size"]) == ("8", "16")
    assert "network.channels" not in first  # random vectors
    best = max([first, *others], key=lambda trial: float(trial["validation_accuracy"]))
    assert others or best["ending"] == "budget spent"

    header = [line for line in tuned.output.read_text().splitlines() if line.startswith("#")]
    mark, asked, found, *warning, train = header
    assert mark.startswith("# Written by `make tune`")
    assert asked.startswith(f"# make tune CORPUS={tuned.csv}") and "BUDGET=9s" in asked
    accuracy = f"{float(best['validation_accuracy']):.2%}"
    assert found.startswith(
        f"# The best of {1 + len(others)} trials: validation accuracy {accuracy} on 8 rows"
    )
    assert "test part" in " ".join(warning)
    assert train == f"# {again}"


def test_trials_are_runs_below_the_run_of_the_search(tuned: Tuned) -> None:
    with sqlite3.connect(tuned.data / "tracking" / "mlflow.db") as store:
        tags = pd.read_sql_query("select run_uuid, key, value from tags", store)
        parameters = store.execute("select value from params where key = 'network.filters'").fetchall()
        counts = store.execute("select count(*) from metrics where key = 'validation_accuracy'").fetchone()
        states = {state for (state,) in store.execute("select status from runs")}
    store.close()
    trials = tuned.trials()
    parents = tags[tags["key"] == "mlflow.parentRunId"]
    assert len(parents) == len(trials)
    assert parents["value"].nunique() == 1
    endings = tags[tags["key"] == "trial"]["value"]
    assert sorted(endings) == sorted(trial["ending"] for trial in trials)
    assert len(parameters) == 1 + len(trials)
    assert counts[0] == 1 + sum(int(trial["epochs"]) for trial in trials)
    assert states == {"FINISHED"}
    parent = tuned.data / "tracking" / "artifacts" / parents["value"].iloc[0] / "artifacts"
    assert {path.name for path in parent.iterdir()} == {"tuned.yaml", "trials.csv"}


def test_the_winner_is_a_model_that_trains_to_what_was_found(
    tuned: Tuned, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config, "MODELS", tuned.output.parent)
    monkeypatch.setenv("CONVTEXT_DATA", str(tuned.data))
    configuration = config.load(
        str(tuned.csv), "tuned", "", {"source.text": "review", "source.label": "stars"}
    )
    assert configuration.embed.dimensions == 16
    assert configuration.train.epochs == 2

    parser = argparse.ArgumentParser()
    configure.add_arguments(parser)
    of_csv = ["--corpus", str(tuned.csv), "--text", "review", "--label", "stars"]
    configure.run(parser.parse_args([*of_csv, "--model", "tuned"]))
    run = Path(capsys.readouterr().out.strip())
    before = (tuned.folder.parent / "rows.parquet").stat().st_mtime_ns
    command = f'make --silent RUN="{run}" "{run}/model/manifest.json" 3>&2'
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environment(tuned.data), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tuned.folder.parent / "rows.parquet").stat().st_mtime_ns == before  # the same split
    history = json.loads((run / "history.json").read_text())
    found = max(float(trial["validation_accuracy"]) for trial in tuned.trials())
    best = next(trial for trial in tuned.trials() if float(trial["validation_accuracy"]) == found)
    epochs = int(best["epochs"])
    assert max(record["validation_accuracy"] for record in history[:epochs]) == found


def test_the_search_never_sees_the_test_part(tuned: Tuned) -> None:
    paths = [tuned.folder.parent / "rows.parquet", tuned.folder.parent / "sequences.npz"]
    kept = [path.read_bytes() for path in paths]
    found = tuned.trials()[0]["validation_accuracy"]
    rows = pd.read_parquet(paths[0])
    test = rows["part"] == "test"
    assert test.sum() == 8
    with np.load(paths[1]) as arrays:
        ids, offsets = arrays["ids"], arrays["offsets"]
    # No network could be built or scored with these.
    rows.loc[test, "label"] = 10**6
    for row in np.flatnonzero(test):
        ids[offsets[row] : offsets[row + 1]] = np.iinfo(ids.dtype).max
    try:
        rows.to_parquet(paths[0], index=False)
        np.savez(paths[1], ids=ids, offsets=offsets)
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "tune", str(tuned.folder)],
            cwd=ROOT, env=environment(tuned.data), capture_output=True, text=True,
        )  # fmt: skip
    finally:
        for path, content in zip(paths, kept, strict=True):
            path.write_bytes(content)
    assert (done.returncode, done.stderr) == (0, "")
    assert tuned.trials()[0]["validation_accuracy"] == found


def test_an_interrupted_search_keeps_the_best_so_far(tuned: Tuned) -> None:
    output = tuned.output.with_name("interrupted.yaml")
    process = subprocess.Popen(
        ["make", "tune", *tuned.arguments, f"OUTPUT={output}", "BUDGET=1h"],
        cwd=ROOT, env=environment(tuned.data), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert any("as it is" in line for line in iter(process.stdout.readline, ""))
    os.killpg(process.pid, signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "interrupted; best of " in said
    assert "tune was interrupted" in errors
    assert "Traceback" not in errors
    assert "validation accuracy" in output.read_text()


def test_a_model_that_was_written_by_hand_is_never_written_over(tuned: Tuned) -> None:
    output = tuned.output.with_name("mine.yaml")
    output.write_text("# Mine.\narchitecture: kim_cnn\n")
    done = make(tuned.data, "tune", *tuned.arguments, f"OUTPUT={output}", "BUDGET=1s")
    assert done.returncode == 2
    assert f"{output} was not written by `make tune`: give the winner another name" in done.stderr
    assert done.stderr.count("\n") == 2  # ours and make's
    assert done.stdout == ""
    with pytest.raises(InputError, match=r"mine.yaml was not written by"):
        config.write_model(output, {}, "")
    assert output.read_text() == "# Mine.\narchitecture: kim_cnn\n"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("BUDGET=10", "BUDGET='10': expected a time such as 90s, 10m or 1h30m"),
        ("BUDGET=", "BUDGET='': expected a time"),
        ("NAME=conf/models/x.yaml", "NAME='conf/models/x.yaml': expected a name in conf/models"),
        ("NAME=kim-rand", "conf/models/kim-rand.yaml was not written by `make tune`"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_built(
    tmp_path: Path, argument: str, message: str
) -> None:
    write_reviews(tmp_path / "reviews.csv", 20)
    arguments = [f"CORPUS={tmp_path / 'reviews.csv'}", "TEXT=review", "LABEL=stars"]
    done = make(tmp_path, "tune", *arguments, argument)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 2  # ours and make's
    assert not list(tmp_path.glob("build/*/*"))


# TensorFlow's variables, under NumPy 2.4.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
def test_a_network_that_was_trained_is_freed_with_its_graphs() -> None:
    from pipeline import trainer
    from pipeline.backend import forget_networks
    from pipeline.batches import Batches, SortedBatches
    from pipeline.models import kim_cnn
    from pipeline.options import Train
    from pipeline.sequences import Sequences

    def graphs() -> int:
        gc.collect()
        return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())

    forget_networks()
    before = graphs()
    texts, labels = Sequences.of([[2, 3], [4]]), np.array([0, 1])
    network = kim_cnn.build(kim_cnn.Options(filters=2), np.ones((5, 3), np.float32), 2)
    batches = Batches(texts, labels, 2, seed=1)
    trainer.train(network, batches, SortedBatches(texts, labels), Train(epochs=1), lambda record: None)
    del network
    assert graphs() > before  # if this fails, TensorFlow has mended it
    forget_networks()
    assert graphs() == before


def test_what_was_set_of_the_corpus_is_set_again_to_train_and_the_rest_is_in_the_file() -> None:
    given = "tokenize.lowercase=false network.filters=8 seed=3 split.test=0.2 embed.dimensions=16"
    assert config.of_corpus(given) == "tokenize.lowercase=false split.test=0.2"


def test_a_written_model_reads_back_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "MODELS", tmp_path)
    values = {
        "seed": 3,
        "embed": {"vectors": ["corpus", "größe: [1].bin"], "dimensions": 20},
        "architecture": "kim_cnn",
        "network": {"windows": [7], "max_norm": None, "channels": ["static"]},
        "train": {"learning_rate": 1e-05},
    }
    config.write_model(tmp_path / "one.yaml", values, "two\nlines: [")
    config.write_model(tmp_path / "one.yaml", values, "two\nlines: [")  # its own it may write over
    text = (tmp_path / "one.yaml").read_text("utf-8")
    assert "\n# two\n# lines: [\nseed: 3\n" in text
    assert "  windows: [7]\n  max_norm: null\n" in text
    loaded = config.load("docstrings", "one", "", {})
    assert loaded.embed.vectors == values["embed"]["vectors"]
    assert (loaded.seed, loaded.network["max_norm"], loaded.train.learning_rate) == (3, None, 1e-05)

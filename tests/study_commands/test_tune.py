"""`make tune`, as a user types it."""

from __future__ import annotations

import csv
import dataclasses
import gc
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.postgresql import PostgreSQL
from tests.project import Project

pytestmark = pytest.mark.slow
VERDICTS = (
    r"(no better|better|worse) than kim-rand over \d new seeds, \S+ points of accuracy \[\S+, \S+\]"
    r"|not (yet )?compared with kim-rand over new seeds|no trial beats kim-rand|nothing was tried but kim"
)
SPLIT = "split='{test: 0.2}'"
CONFIGURE = """
import sys
from pipeline.study_commands.tune import configure
from pipeline.config.command_line import parse_words
print(configure(parse_words("tune", sys.argv[1:])).path)
"""
Done = subprocess.CompletedProcess[str]


def checkout(project: Project, folder: Path) -> Path:
    """The project in a folder of its own, as a search writes to its conf/."""
    for name in ("pipeline", "conf"):
        shutil.copytree(project.root / name, folder / name)
    for name in ("Makefile", "requirements.lock"):
        shutil.copy2(project.root / name, folder)
    (folder / ".venv").symlink_to((project.root / ".venv").resolve())
    return folder


class Tuned:
    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.root, self.data, self.csv = (
            checkout(project, folder / "project"),
            folder / "data",
            folder / "reviews.csv",
        )
        project.write_reviews(self.csv, 80)
        self.of_csv = [f"CORPUS={self.csv}", "TEXT=review", "LABEL=stars"]
        self.arguments = [*self.of_csv, "MODEL=kim-rand", f"SET={project.tiny(epochs=2)} {SPLIT}"]
        self.done = self.run("make", "tune", *self.arguments, "NAME=better", "BUDGET=60s")
        (self.folder,) = self.data.glob("build/*/kim-rand/tune/better-*")
        self.corpus = self.folder.parents[2]

    def run(self, *command: str) -> Done:
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.project.environment(self.data),
            capture_output=True,
            text=True,
            timeout=240,
        )

    def model(self, name: str) -> Path:
        return self.root / "conf" / "models" / f"{name}.yaml"

    def trials(self) -> list[dict[str, str]]:
        with (self.folder / "trials.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def search_again(self) -> Done:
        """The stage alone, until an epoch has ended."""
        asked = self.folder / "tune.json"
        kept = asked.read_text()
        try:
            asked.write_text(json.dumps(json.loads(kept) | {"budget": 1}))
            return self.run(sys.executable, "-m", "pipeline", "stage", "search_options", str(self.folder))
        finally:
            asked.write_text(kept)


@pytest.fixture(scope="module")
def tuned(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    return Tuned(project, tmp_path_factory.mktemp("tuned"))


def test_a_search_prints_a_line_a_trial_and_writes_the_best_with_what_was_found(tuned: Tuned) -> None:
    assert tuned.done.returncode == 0, tuned.done.stderr
    assert tuned.done.stderr == ""
    *lines, command, last = tuned.done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert last == str(tuned.model("better"))
    given = shlex.quote("'split={test: 0.2}'")
    again = f"make train CORPUS={tuned.csv} TEXT=review LABEL=stars MODEL=better SET={given}"
    assert command == f"  to train it: {again}"
    first, *others = tuned.trials()
    assert any(line.split()[:1] == ["0"] and line.endswith("as it is") for line in lines)
    assert (first["network.filters"], first["train.batch_size"]) == ("8", "16")
    assert "network.channels" not in first  # random vectors
    best = max([first, *others], key=lambda trial: float(trial["validation_accuracy"]))
    assert others or best["ending"] == "budget spent"
    caution = "Trials and epochs were chosen by these same 8 rows, one of which is 12.5 points of accuracy: "
    caution += "scores and difference are optimistic, and the test part shows what to expect."
    said = " ".join(" ".join(lines).split())
    assert caution in said
    verdict = re.search(rf"best of {1 + len(others)}: trial {best['trial']} (.*)\. Trials and", said)
    assert verdict, said
    assert re.search(VERDICTS, verdict[1])

    header = [line for line in tuned.model("better").read_text().splitlines() if line.startswith("#")]
    mark, asked, found, *warning, train = header
    assert mark.startswith("# Written by `make tune`")
    assert asked.startswith(f"# make tune CORPUS={tuned.csv}") and asked.endswith("NAME=better BUDGET=60s")
    told = " ".join(line.removeprefix("# ") for line in (found, *warning))
    assert told.startswith(f"The best of {1 + len(others)} trials of the network of kim-rand: ")
    assert re.search(VERDICTS, verdict[1])[0] in told  # type: ignore[index]
    assert caution in told
    assert train == f"# {again}"


def ask(tuned: Tuned, query: str) -> list[tuple[object, ...]]:
    store = sqlite3.connect(tuned.data / "tracking" / "mlflow.db")
    try:
        return store.execute(query).fetchall()
    finally:
        store.close()


def test_trials_are_runs_below_the_run_of_the_search(tuned: Tuned) -> None:
    columns = ["run", "key", "value"]
    tags = pd.DataFrame(ask(tuned, "select run_uuid, key, value from tags"), columns=columns)
    trials = tuned.trials()
    parents = tags[tags["key"] == "mlflow.parentRunId"]
    confirming = tags[tags["key"] == "confirmation"]
    assert len(parents) == len(trials) + len(confirming)
    pairs = re.search(r"over (\d)\s+new\s+seeds,", tuned.done.stdout)
    assert not pairs or 2 * int(pairs[1]) <= len(confirming) <= 2 * int(pairs[1]) + 2  # one was cut off
    assert parents["value"].nunique() == 1
    endings = tags[tags["key"] == "trial"]["value"]
    assert sorted(endings) == sorted(trial["ending"] for trial in trials)
    filters = ask(tuned, "select run_uuid from params where key = 'network.filters'")
    assert len(filters) == 1 + len(trials) + len(confirming)
    epochs = pd.DataFrame(
        ask(tuned, "select run_uuid from metrics where key = 'validation_accuracy'"), columns=["run"]
    )
    of_trials = epochs[~epochs["run"].isin(confirming["run"])]
    assert len(of_trials) == 1 + sum(int(trial["epochs"]) for trial in trials)
    assert set(ask(tuned, "select status from runs")) == {("FINISHED",)}
    parent = parents["value"].iloc[0]
    artifacts = tuned.data / "tracking" / "artifacts" / parent / "artifacts"
    assert {path.name for path in artifacts.iterdir()} == {"better.yaml", "trials.csv"}
    of_parent = tags[(tags["run"] == parent) & (tags["key"] == "mlflow.note.content")]
    assert "by these same 8 rows, one of which is 12.5 points" in of_parent["value"].iloc[0]


def test_the_winner_is_a_model_that_trains_to_what_was_found(tuned: Tuned) -> None:
    before = (tuned.corpus / "rows.parquet").stat().st_mtime_ns
    command = tuned.done.stdout.splitlines()[-2].partition(": ")[2]
    done = tuned.run("sh", "-c", command)
    assert done.returncode == 0, done.stderr
    assert (tuned.corpus / "rows.parquet").stat().st_mtime_ns == before  # the same split
    history = json.loads((Path(done.stdout.splitlines()[-1]) / "history.json").read_text())
    best = max(tuned.trials(), key=lambda trial: float(trial["validation_accuracy"]))
    name = f"{tuned.corpus.name} tune {best['trial']}"
    run = f"run_uuid = (select run_uuid from runs where name = '{name}')"
    for key in ("loss", "validation_loss", "validation_accuracy"):
        found = ask(tuned, f"select value from metrics where key = '{key}' and {run} order by step")
        assert len(found) == int(best["epochs"])
        assert [record[key] for record in history[: len(found)]] == [value for (value,) in found]


def test_the_search_never_sees_the_test_part(tuned: Tuned) -> None:
    paths = [tuned.corpus / "rows.parquet", tuned.corpus / "sequences.npz"]
    kept = [path.read_bytes() for path in paths]
    rows = pd.read_parquet(paths[0])
    test = rows["part"] == "test"
    assert test.sum() == 16
    with np.load(paths[1]) as arrays:
        sequences = dict(arrays)
    offsets = sequences["offsets"]
    # No network could be built or scored with these.
    rows.loc[test, "label"] = 10**6
    for row in np.flatnonzero(test):
        for name in ("ids", "words"):
            sequences[name][offsets[row] : offsets[row + 1]] = np.iinfo(np.int32).max
    try:
        rows.to_parquet(paths[0], index=False)
        np.savez(paths[1], **sequences)
        done = tuned.search_again()
    finally:
        for path, content in zip(paths, kept, strict=True):
            path.write_bytes(content)
    assert (done.returncode, done.stderr) == (0, "")
    (first,) = tuned.trials()
    assert first["epochs"] == "1"  # the budget begins with the stage, which loads for longer than a second
    of_first = f"name = '{tuned.corpus.name} tune 0' and key = 'validation_loss' and step = 1"
    losses = ask(tuned, f"select value from metrics join runs using (run_uuid) where {of_first}")
    assert len(losses) == 2 and len(set(losses)) == 1


def test_a_search_whose_inputs_another_command_has_changed_is_refused(tuned: Tuned) -> None:
    words = [f"CORPUS={tuned.csv}", "TEXT=review", "LABEL=stars", "MODEL=kim-rand"]
    prepare = tuned.corpus / "prepare.json"
    kept = prepare.read_text()
    try:
        tuned.run(sys.executable, "-m", "pipeline", "configure", *words, "SET=seed=2")
        done = tuned.search_again()
    finally:
        prepare.write_text(kept)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{prepare} does not have the options of this search" in done.stderr
    assert done.stderr.count("\n") == 1


def test_two_searches_at_once_have_options_of_their_own_and_leave_those_of_train(tuned: Tuned) -> None:
    run = tuned.folder.parents[1]
    words = [f"CORPUS={tuned.csv}", "TEXT=review", "LABEL=stars", "MODEL=kim-rand", "BUDGET=1h"]
    before = {path: path.read_bytes() for path in [*run.glob("train.json"), *run.glob("request.json")]}
    asked = {}
    for name in ("one", "two", "two"):
        setting = f"train.epochs={len(name) + len(asked)}"
        done = tuned.run(sys.executable, "-c", CONFIGURE, *words, f"NAME={name}", f"SET={setting} {SPLIT}")
        asked[setting] = Path(done.stdout.strip())
    assert list(asked) == ["train.epochs=3", "train.epochs=4", "train.epochs=5"]
    assert len(set(asked.values())) == 3
    for setting, folder in asked.items():
        assert folder.parent == run / "tune"
        options = json.loads((folder / "tune.json").read_text())
        assert f"train.epochs={options['train']['train']['epochs']}" == setting
        assert f"SET='{setting} " in options["command"]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_search_keeps_the_best_so_far_as_does_one_that_is_killed(
    project: Project, tuned: Tuned, number: signal.Signals
) -> None:
    name = f"interrupted-by-{number}"
    process = subprocess.Popen(
        ["make", "tune", *tuned.arguments, f"NAME={name}", "BUDGET=1h"],
        cwd=tuned.root, env=project.environment(tuned.data), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert any("as it is" in line for line in iter(process.stdout.readline, ""))
    (trials,) = tuned.data.glob(f"build/*/kim-rand/tune/{name}-*/trials.csv")
    kept = tuned.model(name).read_text(), trials.read_text()  # before it knows that it will end
    assert "# The best of 1 trials of the network of kim-rand: nothing was tried but kim-rand" in kept[0]
    assert len(kept[1].splitlines()) == 2
    os.killpg(process.pid, number)
    said, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "interrupted; best of " in said
    assert "tune was interrupted" in errors
    assert "Traceback" not in errors
    assert "# The best of " in tuned.model(name).read_text()
    assert not list(tuned.model(name).parent.glob(".*"))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("BUDGET=10", "BUDGET=10: expected a time such as 90s, 10m or 1h30m"),
        ("BUDGET=", "BUDGET=: expected a time"),
        ("BUDGET=-1m", "BUDGET=-1m: expected a time"),
        ("NAME=conf/models/x.yaml", "NAME='conf/models/x.yaml': a name is of letters, digits"),
        ("NAME=my best", "NAME='my best': a name is of letters, digits"),
        ("NAME=a:b", "NAME='a:b': a name is of letters, digits"),
        ("NAME=-a", "NAME='-a': a name is of letters, digits"),
        ("NAME=.", "NAME='.': a name is of letters, digits"),
        ("NAME=" + "a" * 250, f"conf/models/{'a' * 250}.yaml cannot be written: file name too long"),
        (
            "NAME=kim-rand",
            "conf/models/kim-rand.yaml was not written by `make tune`: give the winner another",
        ),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_built(
    project: Project, tmp_path: Path, argument: str, message: str
) -> None:
    project.write_reviews(tmp_path / "reviews.csv", 20)
    arguments = [f"CORPUS={tmp_path / 'reviews.csv'}", "TEXT=review", "LABEL=stars"]
    done = subprocess.run(
        ["make", "tune", *arguments, argument],
        cwd=project.root,
        env=project.environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 2  # ours and make's
    assert not list(tmp_path.glob("build/[!.]*/*"))  # the digests of the code are not


def test_a_variable_of_the_environment_asks_for_nothing(project: Project, tmp_path: Path) -> None:
    project.write_reviews(tmp_path / "reviews.csv", 20)
    names = ["NAME", "MODEL", "SET", "TEXT", "LABEL", "TEST", "ENCODING", "OUTPUT", "TOP", "RUN", "CROSSVAL"]
    done = subprocess.run(
        ["make", "tune", f"CORPUS={tmp_path / 'reviews.csv'}", "BUDGET=none"],
        cwd=project.root, env=project.environment(tmp_path) | dict.fromkeys(names, "a:b"),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr.startswith("convtext: BUDGET=none: expected a time")


class Machine:
    """One of several machines that search together, each with a checkout and data of its own."""

    def __init__(self, project: Project, folder: Path, words: list[str]) -> None:
        self.data = folder / "data"
        self.root = checkout(project, folder / "project")
        self.process = subprocess.Popen(
            ["make", "tune", *words], cwd=self.root, env=project.environment(self.data),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.out = self.errors = ""

    def wait(self) -> None:
        self.out, self.errors = self.process.communicate(timeout=600)
        assert self.process.returncode == 0, self.errors

    @property
    def trials(self) -> list[dict[str, str]]:
        (table,) = self.data.glob("build/*/kim-rand/tune/*/trials.csv")
        with table.open(newline="") as file:
            return list(csv.DictReader(file))

    @property
    def winner(self) -> list[str]:
        text = (self.root / "conf" / "models" / "better.yaml").read_text()
        return [line for line in text.splitlines() if not line.startswith("#")]

    def tracked_trials(self) -> list[int]:
        """Return the numbers of the trials that are runs in this machine's MLflow, below its one parent."""
        query = """
            select name, tags.value from runs
            left join tags on tags.run_uuid = runs.run_uuid and tags.key = 'mlflow.parentRunId'
        """
        with sqlite3.connect(self.data / "tracking" / "mlflow.db") as store:
            runs = store.execute(query).fetchall()
        store.close()
        assert len({parent for _, parent in runs}) == 2  # and none of the parent's own
        (parent,) = (name for name, parent in runs if parent is None)
        assert re.fullmatch(r"\S+ tune on \S+", parent)
        return [int(number[1]) for name, _ in runs if (number := re.search(r" tune (\d+)$", name))]


def test_machines_that_share_a_search_try_each_trial_once_and_write_one_winner(
    project: Project, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    project.write_reviews(tmp_path / "reviews.csv", 80)
    words = [f"CORPUS={tmp_path / 'reviews.csv'}", "TEXT=review", "LABEL=stars", "MODEL=kim-rand"]
    words += [f"SET={project.tiny(epochs=2)} {SPLIT}", "NAME=better", "BUDGET=40s"]
    words += [f"STORAGE={postgresql.create('tune')}"]
    machines = [Machine(project, tmp_path / name, words) for name in ("one", "other")]
    for machine in machines:
        machine.wait()
    one, other = machines
    assert one.winner == other.winner
    assert one.trials == other.trials
    numbers = [int(trial["trial"]) for trial in one.trials]
    assert numbers == list(range(len(numbers)))
    assert sorted(one.tracked_trials() + other.tracked_trials()) == numbers
    assert one.tracked_trials()
    assert other.tracked_trials()
    for machine in machines:
        assert "se%2Fcr" not in machine.out + machine.errors
        files = [path for path in machine.data.rglob("*") if path.is_file()]
        files += (machine.root / "conf").rglob("*.yaml")
        assert [path for path in files if b"se%2Fcr" in path.read_bytes()] == []


# TensorFlow's variables, under NumPy 2.4.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
def test_what_is_tuned_is_what_is_shipped_and_the_winner_is_confirmed_by_new_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A linear model knows every validation row; a network of such a rate has learned nothing."""
    from pipeline.artifacts import RunFolder
    from pipeline.config.stage_options import TrainOptions, TuneOptions
    from pipeline.inputs import LabelledInputs, Sequences
    from pipeline.models import kim_cnn
    from pipeline.options import Ensemble, Train
    from pipeline.studies.search import Trial
    from pipeline.study_stages import search_options

    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    labels = np.tile([0, 1], 20).astype(np.int32)
    texts = Sequences.from_rows([[2, 3]] * 40)
    knows = 10 * np.eye(2, dtype=np.float32)[labels]
    options = TrainOptions(
        model="convtext",
        architecture="kim_cnn",
        network=kim_cnn.Options(filters=2, channels=["tuned"], windows=[1]).model_dump(),
        train=Train(epochs=2, learning_rate=1e-6),
        ensemble=Ensemble(ngrams=["tokens"]),
        seed=1,
    )
    rows = LabelledInputs(texts, labels)
    alone = search_options.Corpus("c", ["a", "b"], np.ones((5, 3), np.float32), rows, rows, None)
    pooled = dataclasses.replace(alone, linear=knows)

    def scored(corpus: search_options.Corpus) -> tuple[list[float], float]:
        scores: list[float] = []
        with search_options.new_run("one", {}, {}) as tracked:
            kept = search_options._train(corpus, options, tracked, lambda score: bool(scores.append(score)))
        return scores, float((kept == labels).mean())

    assert scored(alone) == ([0.5, 0.5], 0.5)
    assert scored(pooled) == ([1.0, 1.0], 1.0)

    asked = TuneOptions.model_construct(train=options, embed=None)
    study = search_options.Study(RunFolder(tmp_path / "c" / "convtext").search("one"), asked, pooled)
    start = study.search.start
    study.search.trials += [Trial(0, start, [0.5]), Trial(1, {**start, "network.dropout": 0.1}, [1.0])]
    assert study.verdict() == "not yet compared with convtext over new seeds"
    study._is_searching = False
    with search_options.new_run("search", {}, {}) as parent:
        assert list(study._confirm(parent, time.monotonic() + 1000)) == [2, 3, 4, 5, 6]
    assert study.verdict().startswith(
        "no better than convtext over 5 new seeds, +0.0 points of accuracy [+0.0, +0.0]"
    )


# TensorFlow's variables, under NumPy 2.4.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
def test_a_network_that_was_trained_is_freed_with_its_graphs() -> None:
    from pipeline.inputs import Sequences
    from pipeline.models import kim_cnn
    from pipeline.networks import trainer
    from pipeline.networks.backend import forget_networks
    from pipeline.networks.batches import Batches, SortedBatches
    from pipeline.options import Train

    def graphs() -> int:
        gc.collect()
        return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())

    forget_networks()
    before = graphs()
    texts, labels = Sequences.from_rows([[2, 3], [4]]), np.array([0, 1])
    network = kim_cnn.build(kim_cnn.Options(filters=2), np.ones((5, 3), np.float32), 2)
    batches = Batches(texts, labels, 2, seed=1)
    trainer.train(network, batches, SortedBatches(texts, labels), Train(epochs=1), lambda record: None)
    del network
    assert graphs() > before  # if this fails, TensorFlow has mended it
    forget_networks()
    assert graphs() == before

"""The commands of the README on a small CSV, as a user types them."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.linear.svm import C_VALUES
from pipeline.prediction.classifier import Classifier
from tests.project import Project

pytestmark = pytest.mark.slow


class Trained:
    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.data, self.csv = folder / "data", folder / "my reviews.csv"
        project.write_reviews(self.csv, 120)
        self.arguments = [f"CORPUS={self.csv}", "TEXT=review", "LABEL=stars"]
        self.done = self.train()
        self.folder = Path(self.done.stdout.splitlines()[-1])

    def train(self, assignments: str = "", *more: str) -> subprocess.CompletedProcess[str]:
        return self.project.make(
            self.data, "train", *self.arguments, f"SET={assignments or self.project.tiny()}", *more
        )

    def predict(self, source: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return self.project.make(self.data, "predict", f"CORPUS={self.csv}", f"INPUT={source}", *more)

    def times(self) -> Mapping[str, int]:
        return {
            path.name: path.stat().st_mtime_ns
            for path in [*self.folder.parent.iterdir(), *self.folder.iterdir()]
            if path != self.folder
        }


@pytest.fixture(scope="module")
def trained(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(project, tmp_path_factory.mktemp("trained"))


def test_train_ends_with_the_folder_of_the_run_and_its_metrics(trained: Trained) -> None:
    assert trained.done.returncode == 0, trained.done.stderr
    metrics = json.loads((trained.folder / "metrics.json").read_text())
    assert metrics["accuracy"] >= metrics["majority_accuracy"] == 0.5
    assert metrics["baseline_accuracy"] == 1
    assert metrics["test_rows"] == 12
    assert metrics["epochs"] <= 4
    assert metrics["train_seconds"] > 0
    assert 0 <= metrics["macro_f1"] <= 1
    pictures = {path.name for path in trained.folder.glob("*.png")}
    numbers = {"opponents.png", "calibration.png", "coverage.png", "slices.png", "learning_curves.png"}
    assert pictures == numbers | {"confusion_matrix.png", "class_scores.png", "filters.png"}
    page = (trained.folder / "report.html").read_text("utf-8")
    assert page.count("<figure>") == len(pictures)
    suspects, wrong = (pd.read_csv(trained.folder / f"{name}.csv") for name in ("suspect_labels", "mistakes"))
    assert ('class="text"' in page) == (len(suspects) + len(wrong) > 0)
    columns = ["file", "line", "text", "part", "label", "suggested_label", "probability"]
    assert suspects.columns.tolist() == columns
    filters = json.loads((trained.folder / "filters.json").read_text())
    assert len(filters) == 3 * 8 and {one["label"] for one in filters} <= {"1", "5"}
    description = json.loads((trained.folder / "model" / "classifier.json").read_text())
    assert metrics["temperature"] == description["temperature"] > 0
    assert 0 <= metrics["calibration_error"] <= 1
    assert 0 <= metrics["calibration_error_before"] <= 1


def test_what_train_prints_is_no_wider_than_80_columns_and_holds_no_noise(trained: Trained) -> None:
    *lines, _folder = trained.done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert sorted(line.partition(":")[0] for line in lines if line[:1].strip()) == [
        "baseline", "embed", "evaluate", "prepare", "time", "tokenize", "train",
    ]  # fmt: skip
    seconds = " ".join(lines[[line[:5] for line in lines].index("time:") :])
    taken = [float(number) for number in re.findall(r"([\d.]+) s\b", seconds)]
    assert len(taken) == 1 + 6 and taken[0] >= max(taken[1:])
    assert trained.done.stderr == ""


def test_the_run_is_in_mlflow_with_options_metrics_and_model(trained: Trained) -> None:
    with sqlite3.connect(trained.data / "tracking" / "mlflow.db") as store:
        runs = store.execute("select run_uuid, status from runs").fetchall()
        identifier = json.loads((trained.folder / "run.json").read_text())["mlflow_run"]
        assert (identifier, "FINISHED") in runs
        of_run = f"where run_uuid = '{identifier}'"
        parameters = dict(store.execute(f"select key, value from params {of_run}").fetchall())
        assert parameters["network.windows"] == "[1, 2, 3]"
        assert parameters["embed.dimensions"] == "16"
        metrics = dict(store.execute(f"select key, max(step) from metrics {of_run} group by key").fetchall())
        assert metrics["validation_accuracy"] >= 1
        assert "test.accuracy" in metrics
        tags = dict(store.execute(f"select key, value from tags {of_run}").fetchall())
        assert tags["model"] == "convtext"
        of_note = "where tag_key = 'mlflow.note.content'"
        ((note,),) = store.execute(f"select tag_value from logged_model_tags {of_note}").fetchall()
    store.close()
    artifacts = trained.data / "tracking" / "artifacts" / identifier / "artifacts"
    logged = {str(path.relative_to(artifacts)) for path in artifacts.rglob("*") if path.is_file()}
    assert {"metrics.json", "confusion_matrix.png", "data_report.json"} <= logged
    models = trained.data / "tracking" / "artifacts" / "models"
    assert [*models.glob("*/artifacts/artifacts/model/network.keras")]
    assert {"filters.json", "filters.png", "report.html", "suspect_labels.csv", "MODEL_CARD.md"} <= logged
    card = (trained.folder / "MODEL_CARD.md").read_text("utf-8")
    (packed,) = models.glob("*/artifacts/MODEL_CARD.md")
    assert packed.read_text("utf-8") == card
    assert note == card.partition("\n---\n\n")[2]
    assert {"confidently_wrong.json", "suspect_labels.json"} <= logged


def test_the_model_card_has_the_measures_the_data_and_what_repeats_them(trained: Trained) -> None:
    card = (trained.folder / "MODEL_CARD.md").read_text("utf-8")
    metrics = json.loads((trained.folder / "metrics.json").read_text())
    head = yaml.safe_load(card.split("---\n")[1])
    measured = {metric["type"]: metric["value"] for metric in head["model-index"][0]["results"][0]["metrics"]}
    assert measured == {"accuracy": round(metrics["accuracy"], 4), "f1": round(metrics["macro_f1"], 4)}
    low, high = metrics["difference_interval"]
    told = f"{100 * metrics['difference']:+.1f} points, interval {100 * low:+.1f} to {100 * high:+.1f}: "
    assert told in card
    data = json.loads((trained.folder.parent / "data_report.json").read_text())["rows"]
    rows = " | ".join(f"{data[part]:,}" for part in ("all", "train", "validation", "test"))
    assert f"\n| rows | {rows} |\n" in card
    request = json.loads((trained.folder / "request.json").read_text())
    assert f"```bash\n{request['command']}\n```" in card
    reference = json.loads((trained.folder / "model" / "classifier.json").read_text())["reference"]
    assert f"{100 * reference['outside']:.1f} % of the validation part's words" in card
    assert f"model `{Classifier.load(trained.folder / 'model').digest}`" in card


def test_a_second_train_does_nothing(trained: Trained) -> None:
    before = trained.times()
    done = trained.train()
    assert done.stdout.splitlines() == [str(trained.folder)]
    assert trained.times() == before


def test_the_same_seed_gives_the_same_bits(project: Project, trained: Trained, tmp_path: Path) -> None:
    again = Trained(project, tmp_path)
    assert again.done.returncode == 0, again.done.stderr
    first, second = (json.loads((one.folder / "metrics.json").read_text()) for one in (trained, again))
    assert first | {"train_seconds": 0} == second | {"train_seconds": 0}
    arrays = [np.load(one.folder / "vectors.npz")["vectors"] for one in (trained, again)]
    np.testing.assert_array_equal(*arrays)
    tables = [pd.read_parquet(one.folder / "predictions.parquet")["probability"] for one in (trained, again)]
    np.testing.assert_array_equal(*tables)


def test_each_row_keeps_its_columns_and_gains_label_and_probability(trained: Trained, tmp_path: Path) -> None:
    source = tmp_path / "new.csv.gz"
    text = 'when,review,"note, free"\n2026,a lovely film,"x\ny"\n2027,,\n2028,an awful film,"""q"""\n'
    source.write_bytes(gzip.compress(text.encode()))
    done = trained.predict(source)
    assert done.returncode == 0, done.stderr
    with Path(f"{source}.predictions.csv").open("rb") as packed:
        assert packed.read(4) == b"when"
    with Path(f"{source}.predictions.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["when", "review", "note, free", "predicted_label", "probability"]
    assert [row[:3] for row in rows] == [
        ["2026", "a lovely film", "x\ny"],
        ["2027", "", ""],
        ["2028", "an awful film", '"q"'],
    ]
    assert {row[3] for row in rows} <= {"1", "5"}
    assert all(0.5 <= float(row[4]) <= 1 for row in (rows[0], rows[2])) and float(rows[1][4]) == 0
    assert "3 rows labelled" in done.stdout
    assert "texts without any known word, with probability 0: 1 (1 without any word)" in done.stdout
    assert not Path(f"{source}.predictions.csv.rejects.csv").exists()


def test_rows_that_cannot_be_read_are_set_aside_with_lines_and_reason(
    trained: Trained, tmp_path: Path
) -> None:
    source, output = tmp_path / "new.csv", tmp_path / "out.csv"
    source.write_bytes(b"review\na lovely film\nragged,row\ncaf\xe9\nan awful film\n")
    done = trained.predict(source, f"OUTPUT={output}", "UNREADABLE=0.5")
    assert done.returncode == 0
    assert "rows that could not be read: 2" in done.stdout
    assert [line.split(",")[0] for line in output.read_text().splitlines()[1:]] == [
        "a lovely film",
        "an awful film",
    ]
    with Path(f"{output}.rejects.csv").open(newline="") as file:
        assert [row[:2] for row in csv.reader(file)][1:] == [["3", "3"], ["4", "4"]]


def test_a_text_has_the_same_probability_alone_and_among_others(trained: Trained, tmp_path: Path) -> None:
    texts = [f"a {'lovely awful ' * (n % 9)}film {n}" for n in range(150)]
    (tmp_path / "many.csv").write_text("review\n" + "\n".join(texts) + "\n")
    (tmp_path / "one.csv").write_text(f"review\n{texts[7]}\n")
    for name in ("many.csv", "one.csv"):
        assert trained.predict(tmp_path / name).returncode == 0
    many = (tmp_path / "many.csv.predictions.csv").read_text().splitlines()
    one = (tmp_path / "one.csv.predictions.csv").read_text().splitlines()
    assert many[8] == one[1]


def test_an_interrupted_predict_keeps_the_old_output_and_goes_on_by_the_same_command(
    project: Project, trained: Trained, tmp_path: Path
) -> None:
    source, output = tmp_path / "endless.csv", tmp_path / "out.csv"
    output.write_text("old")
    source.write_text("review\n" + "a lovely film\n" * 2_000_000)
    process = subprocess.Popen(
        ["make", "predict", f"CORPUS={trained.csv}", f"INPUT={source}", f"OUTPUT={output}", "HARMLESS=1"],
        cwd=project.root, env=project.environment(trained.data), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not Path(f"{output}.partial.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "predict was interrupted" in errors
    assert "Traceback" not in errors
    assert output.read_text() == "old"
    assert "goes on from there" in errors
    assert Path(f"{output}.partial").stat().st_size > 0


def test_an_interrupted_train_keeps_the_old_model_and_marks_its_run_killed(
    project: Project, trained: Trained
) -> None:
    before = trained.times()
    long = project.tiny(epochs=9999)
    process = subprocess.Popen(
        ["make", "train", *trained.arguments, f"SET={long} train.patience=9999"],
        cwd=project.root, env=project.environment(trained.data), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert any("epoch  2" in line for line in iter(process.stdout.readline, ""))
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "train was interrupted" in errors
    assert "Traceback" not in errors
    changed = {name for name, when in trained.times().items() if before.get(name) != when}
    assert changed <= {"train.json", "request.json"}
    store = sqlite3.connect(trained.data / "tracking" / "mlflow.db")
    assert store.execute("select status from runs order by start_time").fetchall()[-1] == ("KILLED",)
    store.close()


def test_a_damaged_model_is_refused_by_name(trained: Trained, tmp_path: Path) -> None:
    source = tmp_path / "new.csv"
    source.write_text("review\na lovely film\n")
    for name in ("table-0.int16.npy", "text_encoder.json", "classifier.json", "manifest.json"):
        path = trained.folder / "model" / name
        whole = path.read_bytes()
        try:
            for damage in (whole[: len(whole) // 2], whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]):
                path.write_bytes(damage)
                done = trained.predict(source)
                assert done.returncode == 2
                assert re.search(
                    r"(was changed or cut since training|manifest\.json): .*remove ", done.stderr
                )
                assert done.stderr.count("\n") == 2  # ours and make's
            path.unlink()
            done = trained.predict(source)
            assert done.returncode == 2
            assert f"{name} is missing" in done.stderr
        finally:
            path.write_bytes(whole)
        assert not Path(f"{source}.predictions.csv").exists()


def test_an_option_of_training_retrains_and_repeats_nothing_before_it(
    project: Project, trained: Trained
) -> None:
    before = trained.times()
    done = trained.train(project.tiny() + " train.patience=2")
    assert done.returncode == 0, done.stderr
    changed = {name for name, when in trained.times().items() if before.get(name) != when}
    assert {"train.json", "model", "history.json", "metrics.json"} <= changed
    assert not changed & {"rows.parquet", "sequences.npz", "vectors.npz", "baseline_accuracy.parquet"}


def test_a_changed_text_redoes_everything_and_a_broken_one_loses_nothing(trained: Trained) -> None:
    before = trained.times()
    text = trained.csv.read_text()
    trained.csv.write_text(text + "121,one, field,too many,5\n" * 2)
    done = trained.train()
    assert done.returncode == 2
    assert f"{trained.csv}: 2 of 12" in done.stderr and "line 122: 5 fields" in done.stderr
    assert done.stderr.count("\n") == 2  # one line of ours, and make's own
    written = {"prepare.json", "train.json", "embed.json", "request.json", "rejects.csv"}
    assert {
        name: when for name, when in trained.times().items() if name not in written
    }.items() <= before.items()
    trained.csv.write_text(text + "121,a lovely ending,5\n")
    done = trained.train()
    assert done.returncode == 0, done.stderr
    after = trained.times()
    assert all(
        after[name] != before[name]
        for name in ("rows.parquet", "sequences.npz", "vectors.npz", "metrics.json")
    )


def test_several_networks_and_the_linear_models_are_one_classifier(
    project: Project, trained: Trained, tmp_path: Path
) -> None:
    few = project.tiny(epochs=2)
    done = trained.train(f"{few} ensemble.members=2", "MODEL=convtext")
    assert done.returncode == 0, done.stderr
    assert "  weights: networks " in done.stdout
    folder = Path(done.stdout.splitlines()[-1])
    run = json.loads((folder / "run.json").read_text())
    weights, settings = run["weights"], run["settings"]
    assert list(weights) == ["networks", "tokens", "characters"] == ["networks", *settings]
    told = ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())
    assert f"weights: {told}\n" in done.stdout
    for name, setting in settings.items():
        assert setting["C"] in C_VALUES and 0 <= setting["naive_bayes"] <= 1
        assert f"  {name}: C = {setting['C']:g}, {setting['naive_bayes']:.0%} naive Bayes\n" in done.stdout
    members = json.loads((folder / "metrics.json").read_text())["members"]
    assert {member["name"]: member["weight"] for member in members} == pytest.approx(weights)
    assert "ensemble of 2 networks + n-grams" in (folder / "report.html").read_text("utf-8")
    history = json.loads((folder / "history.json").read_text())
    assert [(one["member"], one["epoch"]) for one in history] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert json.loads((folder / "metrics.json").read_text())["accuracy"] == 1
    output = tmp_path / "labelled.csv"
    done = trained.predict(trained.csv, f"OUTPUT={output}", "MODEL=convtext", "TEXT=review")
    assert done.returncode == 0, done.stderr
    labelled = pd.read_csv(output, dtype=str)
    assert (labelled["predicted_label"] == labelled["stars"]).mean() > 0.95


def test_out_of_scope_rows_are_measured_and_not_trained_on(project: Project, tmp_path: Path) -> None:
    reviews = tmp_path / "reviews.csv"
    project.write_reviews(reviews, 120)
    with reviews.open("a", encoding="utf-8") as file:
        file.writelines(f"{n},the weather of day {n},none\n" for n in range(30))
    done = project.make(
        tmp_path / "data", "train", f"CORPUS={reviews}", "TEXT=review", "LABEL=stars", "OTHER=none",
        f"SET={project.tiny()}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "  30 out-of-scope rows stand out with an AUROC of " in done.stdout
    folder = Path(done.stdout.splitlines()[-1])
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test_rows"] == 12 and len(metrics["classes"]) == 2 and metrics["other_rows"] == 30
    low, high = metrics["other_auroc_interval"]
    assert 0 <= low <= metrics["other_auroc"] <= high <= 1
    assert "Of one of its 30 rows and" in (folder / "report.html").read_text("utf-8")
    assert "weather" not in (folder.parent / "text_encoder.json").read_text("utf-8")
    assert "OTHER=none" in json.loads((folder / "request.json").read_text())["command"]

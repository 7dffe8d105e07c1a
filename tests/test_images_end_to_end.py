"""The commands of the README on images, as a user types them."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SMALL = "train.epochs=6 network.filters=[16] network.dense=[] network.dropout=0.0"


def make(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "MLFLOW"))
    }
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=inherited | {"CONVTEXT_DATA": str(data)},
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip


class Trained:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.done = make(data, "train", "CORPUS=digits", f"SET={SMALL}")
        assert self.done.returncode == 0, self.done.stderr
        self.folder = Path(self.done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


def times(folder: Path) -> dict[str, int]:
    files = [*folder.parent.iterdir(), *folder.iterdir()]
    return {path.name: path.stat().st_mtime_ns for path in files if path != folder}


def test_an_image_corpus_trains_image_cnn_and_has_neither_tokens_nor_vectors(trained: Trained) -> None:
    assert trained.folder.parts[-2:] == ("digits", "image_cnn")
    metrics = json.loads((trained.folder / "metrics.json").read_text())
    assert metrics["accuracy"] > 0.8 < metrics["baseline_accuracy"]
    assert "logistic regression on pixels" in trained.done.stdout
    files = {*times(trained.folder)}
    assert {"images.npy", "rows.parquet", "data_report.json", "model", "calibration.png"} <= files
    assert {"report.html", "suspect_labels.csv", "wrong_pictures.png", "feature_maps.png"} <= files
    card = (trained.folder / "MODEL_CARD.md").read_text("utf-8")
    assert "pipeline_tag: image-classification" in card
    assert "**Corpus:** Handwritten digits" in card and "images with several labels" in card
    assert not files & {"tokenize.json", "sequences.npz", "embed.json", "vectors.npz", "text_encoder.json"}
    assert trained.done.stderr == ""
    assert max(map(len, trained.done.stdout.splitlines()[:-1])) <= 80


def test_rows_report_and_pixels_belong_together(trained: Trained) -> None:
    corpus = trained.folder.parent
    rows, images = pd.read_parquet(corpus / "rows.parquet"), np.load(corpus / "images.npy")
    columns = ["file", "line", "content", "width", "height", "label", "part", "unit", "copied"]
    assert sorted(rows) == sorted(columns)
    assert images.shape == (len(rows), 8, 8, 1) and images.dtype == np.uint8
    assert rows["line"].tolist() == list(range(1, len(rows) + 1))
    report = json.loads((corpus / "data_report.json").read_text())
    assert report["rows"]["all"] == 1797 and report["width"]["median"] == 8
    assert report["equal_across_split"]["images"] == 0
    assert set(pd.read_csv(trained.folder / "mistakes.csv")) == {
        "file", "line", "label", "predicted_label", "probability"
    }  # fmt: skip


def test_the_run_is_in_mlflow_with_the_shape_and_the_model(trained: Trained) -> None:
    with sqlite3.connect(trained.data / "tracking" / "mlflow.db") as store:
        identifier = json.loads((trained.folder / "run.json").read_text())["mlflow_run"]
        of_run = f"where run_uuid = '{identifier}'"
        parameters = dict(store.execute(f"select key, value from params {of_run}").fetchall())
    store.close()
    assert parameters["shape"] == "(8, 8, 1)" and parameters["network.filters"] == "[16]"
    artifacts = trained.data / "tracking" / "artifacts" / identifier / "artifacts"
    logged = {str(path.relative_to(artifacts)) for path in artifacts.rglob("*") if path.is_file()}
    assert {"metrics.json", "options/train.json"} <= logged
    models = trained.data / "tracking" / "artifacts" / "models"
    assert [*models.glob("*/artifacts/artifacts/model/image_encoder.json")]


def test_a_second_train_does_nothing(trained: Trained) -> None:
    before = times(trained.folder)
    done = make(trained.data, "train", "CORPUS=digits", f"SET={SMALL}")
    assert done.stdout.splitlines() == [str(trained.folder)]
    assert times(trained.folder) == before


def test_a_folder_and_a_csv_of_its_paths_are_labelled_alike(trained: Trained, tmp_path: Path) -> None:
    images = np.load(trained.folder.parent / "images.npy")
    rows = pd.read_parquet(trained.folder.parent / "rows.parquet")
    folder = tmp_path / "new"
    for row in range(40):
        path = folder / str(row % 3) / f"{row:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[row, :, :, 0]).save(path)
    (folder / "0" / "broken.png").write_bytes(b"garbage")
    done = make(trained.data, "predict", f"INPUT={folder}", "CORPUS=digits")
    assert done.returncode == 0, done.stderr
    assert "40 rows labelled" in done.stdout and "could not be read: 1" in done.stdout
    labelled = pd.read_csv(f"{folder}.predictions.csv", dtype={"predicted_label": str})
    assert list(labelled) == ["path", "predicted_label", "probability"]
    truth = [rows["label"][int(Path(path).stem)] for path in labelled["path"]]
    predicted = labelled["predicted_label"].astype(int)
    assert np.mean([one == other for one, other in zip(predicted, truth, strict=True)]) > 0.8
    with Path(f"{folder}.predictions.csv.rejects.csv").open(newline="") as file:
        assert [*csv.reader(file)][1][2:] == [
            "no png, jpg, webp, gif, bmp or tiff image",
            str(folder / "0" / "broken.png"),
        ]

    listed = tmp_path / "listed.csv"
    relative = [str(Path(path).relative_to(tmp_path)) for path in labelled["path"]]
    pd.DataFrame({"note": "é", "path": [*relative, "new/none.png"]}).to_csv(listed, index=False)
    done = make(trained.data, "predict", f"INPUT={listed}", "CORPUS=digits")
    assert done.returncode == 0, done.stderr
    again = pd.read_csv(f"{listed}.predictions.csv", dtype={"predicted_label": str})
    assert list(again) == ["note", "path", "predicted_label", "probability"]
    assert again[["predicted_label", "probability"]].equals(labelled[["predicted_label", "probability"]])
    with Path(f"{listed}.predictions.csv.rejects.csv").open(newline="") as file:
        assert [*csv.reader(file)][1] == ["42", "42", "no such file or directory", "é,new/none.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["train", "CORPUS=digits", "MODEL=kim-rand"],
            "takes texts, and CORPUS=digits has images",
        ),
        (
            ["train", "CORPUS=docstrings", "MODEL=dense"],
            "takes images, and CORPUS=docstrings has",
        ),
        (["train", "CORPUS=digits", "TEXT=a"], "TEXT= is for a CSV; digits of conf/corpora needs none"),
        (
            ["train", "CORPUS=digits", "SET=ensemble.ngrams=[tokens]"],
            "ensemble.ngrams weighs in a model",
        ),
        (["predict", "CORPUS=digits", "INPUT=none/"], "none does not exist: name a CSV file"),
    ],
)
def test_what_does_not_fit_is_one_line(trained: Trained, arguments: list[str], message: str) -> None:
    done = make(trained.data, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 2  # ours and make's

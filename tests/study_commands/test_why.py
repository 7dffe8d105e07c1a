"""`make why` on corpora so small that three networks are trained in a second."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.__main__ import main

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),  # MLflow's own
]
Run = Callable[..., Path]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def configure(corpus: Path, model: str, assignments: str) -> Path:
        arguments = [f"CORPUS={corpus}", f"MODEL={model}", f"SET={assignments}"]
        assert main(["configure", *arguments]) == 0
        return Path(capsys.readouterr().out.splitlines()[-1])

    return configure


def tables(text: str) -> dict[str, list[str]]:
    """The first cell of each line of a table -> the others."""
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")
    ]
    return {first: rest for first, *rest in rows}


def test_images_are_moved_and_both_dense_networks_are_counted_and_trained(
    configured, tmp_path, capsys
) -> None:
    random = np.random.default_rng(1)
    labels = np.arange(60) % 2
    images = (random.integers(0, 50, (60, 4, 4, 1)) + 200 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(tmp_path / "pictures.npz", images=images, labels=labels)
    small = "network.filters=[4] network.dense=[8] train.epochs=2 train.batch_size=16"
    folder = configured(tmp_path / "pictures.npz", "image_cnn", small)
    assert main(["stage", "prepare", str(folder.parent)]) == 0
    assert main(["stage", "compare_with_dense", str(folder)]) == 0

    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80 or str(folder) in said.splitlines()[-1]
    found = tables((folder / "why.md").read_text())
    assert found["network"] == ["parameters", "connections", "+0", "+1", "+2"]
    # 3 x 3 x 4 weights and a batch normalization; 2 x 2 x 4 numbers after the pooling; 8 units; 2 classes.
    assert found["image_cnn"][0] == str(36 + 4 * 4 + 17 * 8 + 9 * 2)
    assert found["dense, equal sizes"][:2] == ["426", "400"]  # 16 -> 16 -> 8 -> 2
    assert found["filters1"][:3] == ["1,024", "400", "36"]  # 16 to 64; 10 x 10 x 4 without the padding
    assert all(0 <= float(value) <= 100 for value in found["image_cnn"][2:])
    assert (folder / "why.png").stat().st_size > 10_000
    with sqlite3.connect(tmp_path / "data" / "tracking" / "mlflow.db") as store:
        steps = store.execute("select max(step) from metrics where key = 'convolution.accuracy'").fetchone()
        assert store.execute("select status from runs").fetchall() == [("FINISHED",)]
    store.close()
    assert steps == (2,)
    logged = {path.name for path in (tmp_path / "data" / "tracking" / "artifacts").rglob("*.*")}
    assert {"why.md", "why.png"} <= logged


def test_texts_are_moved_and_a_dense_network_holds_their_positions(configured, tmp_path) -> None:
    words = ["lovely", "awful"]
    lines = [f"a {words[row % 2]} film of number {row},{row % 2}" for row in range(80)]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    small = "network.filters=3 embed.dimensions=4 train.epochs=2 train.batch_size=16"
    folder = configured(tmp_path / "reviews.csv", "kim-rand", small)
    for verb, place in [("prepare", folder.parent), ("tokenize", folder.parent), ("embed", folder)]:
        assert main(["stage", verb, str(place)]) == 0
    assert main(["stage", "compare_with_dense", str(folder)]) == 0
    found = tables((folder / "why.md").read_text())
    tokens = 6 + 8
    assert found["convolution"][2] == str(3 * (3 + 4 + 5) * 4)
    assert found["convolution"][-1] == f"{tokens:.1f}"
    assert found["dense, equal sizes"][1] == str(tokens * 4 * 9 + 9 * 2)


def test_a_network_without_a_convolution_is_refused(configured, tmp_path, capsys) -> None:
    images = np.zeros((20, 8, 8, 1), np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None, None]
    np.savez(tmp_path / "pictures.npz", images=images, labels=np.arange(20) % 2)
    folder = configured(tmp_path / "pictures.npz", "dense", "")
    assert main(["stage", "prepare", str(folder.parent)]) == 0
    assert main(["stage", "compare_with_dense", str(folder)]) == 2
    assert "MODEL=dense has no convolution to compare" in capsys.readouterr().err
    assert not (folder / "why.md").exists()
    assert json.loads((folder / "train.json").read_text())["architecture"] == "dense"

"""The command that packs a model for a service: of a run, and of the champion."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.__main__ import main
from pipeline.artifacts import ChampionFiles, RunFolder
from pipeline.config import loading
from pipeline.files import write_arrays
from pipeline.prediction.classifier import Classifier
from pipeline.release.champion_note import Champion, write_note
from pipeline.tracking.location import store_fingerprint
from tests.prediction.model_folders import save_text_model

# TensorFlow's variables, under NumPy 2.4.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]
MODEL_ID = "m-" + "1" * 32


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A trained kim-rand of the corpus mr, in CONVTEXT_DATA; the working folder is another."""
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = RunFolder(loading.run_folder("mr", "kim-rand"))
    save_text_model(folder.model)
    write_arrays(folder.row_keys, test=np.zeros(1, np.uint64))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def columns(packed: Path) -> list[str]:
    return Classifier.load(packed / "artifacts" / "model").columns


def test_a_runs_model_is_packed_with_its_code_and_what_it_needs(
    run: RunFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["pack", "CORPUS=mr", "MODEL=kim-rand"]) == 0
    said = "pack: service is ready: serve it with MLflow, or\n  docker build -t convtext service\n"
    assert capfd.readouterr() == (said, "")
    packed = Path("service")
    assert columns(packed) == ["review"]
    assert (packed / "code" / "convtext" / "serving" / "server.py").is_file()
    assert (packed / "Dockerfile").is_file() and "Dockerfile" in (packed / ".dockerignore").read_text()
    assert "mlflow-skinny==" in (packed / "requirements.txt").read_text()
    assert [path.name for path in Path().iterdir()] == ["service"]


def test_without_a_model_it_is_the_champion(run: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    files = ChampionFiles.model(MODEL_ID)
    save_text_model(files.classifier, "champion")
    shutil.copy2(run.row_keys, files.row_keys)
    write_note(
        Champion(corpus="mr", store=store_fingerprint(), version="3", model_id=MODEL_ID, title="the best")
    )
    (files.path.parents[1] / "mlflow.db").touch()
    assert main(["pack", "CORPUS=mr", "OUTPUT=out/champion"]) == 0
    assert capfd.readouterr().err == "pack: by the champion, version 3 (the best)\n"
    assert columns(Path("out/champion")) == ["champion"]


def test_what_is_there_already_is_left_alone(run: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    Path("service").mkdir()
    Path("service", "precious").write_text(json.dumps(1))
    assert main(["pack", "CORPUS=mr", "MODEL=kim-rand"]) == 2
    said = capfd.readouterr().err
    assert said == "convtext: service is there already: remove it, or name another folder with OUTPUT=\n"
    assert Path("service", "precious").read_text() == "1"


def test_without_a_trained_model_nothing_is_written(
    run: RunFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["pack", "CORPUS=mr", "MODEL=kim-static"]) == 2
    assert "there is no trained model" in capfd.readouterr().err
    assert not list(Path().iterdir())

"""A project that is copied or moved: its runs, champion and artifacts go along, all else stays."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.release.find import artifact
from pipeline.tracking import store
from tests.project import Project
from tests.tracking_runs import query

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's own use of Pydantic and SQLAlchemy
]
# Eight test rows show nothing, which the gate would say.
REGISTER = ("register", "CORPUS=reviews.csv", "MODEL=kim-rand", "FORCE=a test")
LOCATIONS = (
    "select artifact_location from experiments where name = 'convtext'"
    " union select artifact_uri from runs union select artifact_location from logged_models"
    " union select source from model_versions union select storage_location from model_versions"
)


def run(project: Project, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder of the user's, which has its data in it."""
    environment = project.environment(Path("data")) | {"PYTHONPATH": str(project.root)}
    del environment["CONVTEXT_DATA"]
    command = [sys.executable, "-m", "pipeline", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def train(project: Project, folder: Path, seed: int) -> subprocess.CompletedProcess[str]:
    words = ["CORPUS=reviews.csv", "TEXT=review", "LABEL=stars", "MODEL=kim-rand"]
    done = run(project, folder, "train", *words, f"SET=seed={seed} {project.tiny()}")
    assert done.returncode == 0, done.stderr
    return done


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_project_can_be_copied_and_moved(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, copy, moved = (tmp_path / name for name in ("original", "a copy", "100% moved?"))
    original.mkdir()
    project.write_reviews(original / "reviews.csv", 60)
    train(project, original, 1)
    assert run(project, original, *REGISTER).returncode == 0
    before = content(original)

    shutil.copytree(original, copy)
    train(project, copy, 2)
    assert run(project, copy, *REGISTER).returncode == 0
    assert content(original) == before
    assert len(query(copy / "data", "select 1 from runs")) == 2
    assert len(list((copy / "data" / "build").glob("[!.]*"))) == 1
    here = (copy / "data" / "tracking" / "artifacts").as_uri()
    assert all(str(location).startswith(here) for (location,) in query(copy / "data", LOCATIONS))

    original.rename(moved)
    (moved / "new.csv").write_text("review\na lovely film\n")
    labelled = run(project, moved, "predict", "INPUT=new.csv", "CORPUS=reviews.csv")
    assert "by the champion, version 1 (" in labelled.stderr
    assert (moved / "new.csv.predictions.csv").read_text().splitlines()[1].startswith("a lovely film,5,")
    again = train(project, moved, 1).stdout.splitlines()
    assert len(again) == 1  # the folder alone: nothing was made anew
    assert "this run is the champion already" in run(project, moved, *REGISTER).stdout
    assert not original.exists()
    monkeypatch.setenv("CONVTEXT_DATA", str(moved / "data"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert store.prepare_pages().artifacts == (moved / "data" / "tracking" / "artifacts").as_uri()
    ((run_id,),) = query(moved / "data", "select run_uuid from runs")
    assert artifact(str(run_id), "report.html", tmp_path / "fetched").stat().st_size > 10_000
    assert not original.exists()

"""`make export` of trained models: each format, its example, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import Project

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
pytestmark = pytest.mark.slow


class Trained:
    """A pool of a network and linear models on reviews."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder, self.data = project, folder, folder / "data"
        self.corpus = folder / "reviews.csv"
        project.write_reviews(self.corpus, 60)
        done = self.make("train", "TEXT=review", "LABEL=stars", f"SET={project.tiny()}")
        assert done.returncode == 0, done.stderr

    def make(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.project.make(self.data, command, f"CORPUS={self.corpus}", *words)


@pytest.fixture(scope="module")
def trained(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(project, tmp_path_factory.mktemp("export"))


@pytest.mark.parametrize("form", ["keras", "saved_model", "onnx", "tflite"])
def test_an_export_is_checked_and_its_example_labels_a_text(trained: Trained, form: str) -> None:
    done = trained.make("export", f"FORMAT={form}")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "validation rows: logits within" in lines[0] and max(map(len, lines[:-1])) <= 79
    folder = Path(lines[-1])
    assert folder.parts[-2:] == ("export", form)
    command = [sys.executable, "-P", str(folder / "example.py"), "a lovely film"]
    printed = subprocess.run(command, cwd=trained.folder, capture_output=True, text=True, check=True).stdout
    said = trained.make("say", "TEXT=a lovely film").stdout
    assert [line.split() for line in printed.splitlines()] == [line.split() for line in said.splitlines()[:2]]


def test_another_folder_takes_the_export_if_it_holds_nothing_else(trained: Trained) -> None:
    output = trained.folder / "my models" / "reviews"
    for _ in range(2):
        done = trained.make("export", "FORMAT=onnx", f"OUTPUT={output}")
        assert done.returncode == 0, done.stderr
    assert (output / "model.onnx").exists() and done.stdout.splitlines()[-1] == str(output)
    done = trained.make("export", "FORMAT=onnx", f"OUTPUT={trained.folder}")
    assert done.returncode == 2 and "is there already, and no export" in done.stderr
    assert trained.corpus.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["FORMAT=pickle"], "FORMAT=pickle: expected keras or saved_model or onnx or tflite"),
        (["MODEL=kim-rand"], "there is no trained model in"),
    ],
)
def test_what_cannot_be_exported_is_one_line(trained: Trained, words: list[str], complaint: str) -> None:
    done = trained.make("export", *words)
    assert done.returncode == 2 and done.stdout == ""
    assert complaint in done.stderr and "Traceback" not in done.stderr

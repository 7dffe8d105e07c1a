"""Nothing that is learned or chosen depends on the test rows: neither on their texts nor on their labels."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.__main__ import main
from pipeline.baselines.catalogue import BASELINES
from pipeline.graph.folds import configure_folds
from pipeline.graph.request import TrainingRequest
from tests.project import Project

pytestmark = pytest.mark.slow

WORDS = [f"{first}{second}" for first in "bdfgk" for second in ("al", "en", "ir", "os", "um", "yx")]
CLASSES = ["calm", "glad", "sad"]
OF_TEST_ALONE = ["quagga", "zebra", "okapi"]
OPPONENTS = [name for name, one in BASELINES.items() if one.fits("tokens") and one.available()]
SECONDS = {"seconds", "examples_per_second"}


def write_rows(path: Path, rows: int, seed: int, more: list[str], shift: int = 0) -> None:
    """A word tells the class, with a fifth of the labels wrong and a class that is frequent; then `more`
    words, and the classes exchanged in a ring by `shift`."""
    random = np.random.default_rng(seed)
    lines = ["text,label"]
    for _ in range(rows):
        words = random.choice(WORDS, 6).tolist()
        told = random.integers(0, 3) if random.random() < 0.2 else max(0, WORDS.index(words[2]) % 5 - 2)
        lines.append(f"{' '.join(words + more)},{CLASSES[(told + shift) % 3]}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def runs(project: Project, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs, with test rows that have neither texts nor labels in common."""
    found = []
    for seed, shift in ((1, 0), (2, 1)):
        folder = tmp_path_factory.mktemp("leak")
        write_rows(folder / "train.csv", 400, 0, [])
        write_rows(folder / "test.csv", 150, seed, OF_TEST_ALONE[seed:], shift)
        arguments = [f"CORPUS={folder / 'train.csv'}", f"TEST={folder / 'test.csv'}", "MODEL=convtext"]
        settings = project.tiny(epochs=12, filters=32)
        done = project.make(folder / "data", "train", *arguments, f"SET={settings}")
        assert done.returncode == 0, done.stderr
        found.append(Path(done.stdout.splitlines()[-1]))
    return found


def same_bytes(runs: list[Path], name: str) -> bool:
    first, second = ((run / name).read_bytes() for run in runs)
    return first == second


def test_the_vocabulary_is_that_of_the_training_part(runs: list[Path]) -> None:
    assert same_bytes(runs, "../text_encoder.json")
    words = (runs[0].parent / "text_encoder.json").read_text()
    assert WORDS[0] in words and not [word for word in OF_TEST_ALONE if word in words]


def test_the_vectors_are_those_of_the_training_part(runs: list[Path]) -> None:
    assert same_bytes(runs, "vectors.npz")


def test_the_epochs_their_choice_and_the_weights_are_the_same(runs: list[Path]) -> None:
    first, second = (
        [
            {key: value for key, value in epoch.items() if key not in SECONDS}
            for epoch in json.loads((run / "history.json").read_text())
        ]
        for run in runs
    )
    assert first == second
    weights = [json.loads((run / "run.json").read_text())["weights"] for run in runs]
    assert weights[0] == weights[1]
    networks = [zipfile.ZipFile(run / "model" / "network.keras").read("model.weights.h5") for run in runs]
    assert networks[0] == networks[1]


def test_the_classifier_is_the_same_with_its_temperature(runs: list[Path]) -> None:
    dated = {"network.keras", "manifest.json"}
    names = {path.name for path in (runs[0] / "model").iterdir()} - dated
    assert "classifier.json" in names
    assert [name for name in sorted(names) if not same_bytes(runs, f"model/{name}")] == []


@pytest.mark.parametrize("criterion", ["accuracy", "macro_f1"])
def test_the_opponents_are_fitted_and_chosen_without_the_test_part(
    runs: list[Path], criterion: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for run in runs:
        options = run.parent / "baseline.json"
        before = options.read_text()
        options.write_text(json.dumps(json.loads(before) | {"baselines": OPPONENTS}))
        assert main(["stage", "baseline", str(run.parent), criterion]) == 0
        options.write_text(before)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] and "NBSVM with bigrams: C = " in said[0]
    assert same_bytes(runs, f"../baseline_{criterion}.json")


def test_a_fold_of_a_cross_validation_does_not_know_the_words_that_its_test_rows_alone_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    # Every row has a word of its own, twice, so that it would be in the vocabulary.
    rows = [f"own{number}x own{number}x {'ab'[number % 2] * 3},{'ab'[number % 2]}" for number in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    plan = configure_folds(TrainingRequest(str(tmp_path / "rows.csv"), "kim-rand", set=""), 3, 1)
    whole, fold = plan.all_rows.path, plan.runs[0].corpus.path
    assert main(["stage", "prepare", str(whole)]) == 0
    assert main(["stage", "assign_folds", str(whole / "of03-seed1")]) == 0
    for stage in ("make_fold", "tokenize"):
        assert main(["stage", stage, str(fold)]) == 0
    parts = pd.read_parquet(fold / "rows.parquet")["part"]
    known = json.loads((fold / "text_encoder.json").read_text())["words"]
    own = {f"own{number}x": part for number, part in enumerate(parts)}
    assert {word for word in known if word in own} == {word for word in own if own[word] == "train"}
    assert set(own.values()) == {"train", "validation", "test"}

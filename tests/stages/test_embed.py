"""The verb `embed`, with files, side by side and without, and what `evaluate` makes of it."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.__main__ import main
from pipeline.vectors.vector_sources import DOWNLOADS, Download
from tests.vectors.tiny_encoder import write_encoder

ROOT = Path(__file__).resolve().parents[2]
WORDS = [f"{stem}{end}" for stem in ("act", "play", "film", "lov", "sing") for end in ("", "ing", "ed", "s")]
IN_FILE = [word for word in WORDS if not word.endswith("ed")]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    rng = np.random.default_rng(0)
    rows = [f"{' '.join(rng.choice(WORDS, 6))} number{n // 4},{'ab'[n % 2]}" for n in range(400)]
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n", "utf-8")
    return path


def write_vectors(path: Path, words: list[str], dimensions: int) -> Path:
    rng = np.random.default_rng(1)
    lines = [f"{word} {' '.join(map(str, rng.normal(0, 0.4, dimensions).round(3)))}\n" for word in words]
    path.write_text("".join(lines), "utf-8")
    return path


def embed(
    corpus: Path, assignments: str, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[Path, list[str]]:
    arguments = [f"CORPUS={corpus}", "MODEL=kim-rand", *words]
    assert main(["configure", *arguments, f"SET=embed.dimensions=6 {assignments}"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    for verb in ("prepare", "tokenize"):
        assert main(["stage", verb, str(folder.parent)]) == 0
    capsys.readouterr()
    assert main(["stage", "embed", str(folder)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in said if str(corpus.parent) not in line) <= 80
    return folder, said


def read(folder: Path) -> tuple[list[str], np.ndarray, np.ndarray, dict[str, object]]:
    words = json.loads((folder.parent / "text_encoder.json").read_text("utf-8"))["words"]
    arrays = np.load(folder / "vectors.npz")
    coverage = json.loads((folder / "coverage.json").read_text("utf-8"))
    return words, arrays["vectors"], arrays["found"], coverage


def test_a_file_too_small_to_map_from_falls_back_and_the_found_words_are_marked(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_vectors(tmp_path / "glove.txt", IN_FILE, 5)
    folder, said = embed(corpus, f"embed.vectors={file}", capsys)
    words, vectors, found, coverage = read(folder)
    assert vectors.shape == (len(words) + 2, 5) and vectors.dtype == np.float32
    assert found.tolist() == [True, False, *(word in IN_FILE for word in words)]
    assert said[2] == "  missing words: uniform (a map needs 100 words with a vector, here are 15)"
    assert coverage["types"] == 15 / len(words)


def test_words_that_the_file_lacks_are_mapped_unless_uniform_is_asked_for(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.vectors.missing_vectors.MIN_WORDS", 10)
    monkeypatch.setattr("pipeline.vectors.missing_vectors.MIN_EXPLAINED", -np.inf)
    file = write_vectors(tmp_path / "glove.txt", IN_FILE, 5)
    folder, said = embed(corpus, f"embed.vectors={file}", capsys)
    _, mapped, found, coverage = read(folder)
    assert said[2].startswith("  missing words: mapped from subwords (held-out words: cosine ")
    assert coverage["files"][str(file)]["missing"]["how"] == "subwords"
    folder, said = embed(corpus, f"embed.vectors={file} embed.missing=uniform", capsys)
    _, uniform, _, coverage = read(folder)
    assert said[2] == "  missing words: uniform"
    np.testing.assert_array_equal(mapped[found], uniform[found])
    assert (mapped[~found] != uniform[~found]).all()


def test_runs_of_two_seeds_share_no_random_vectors(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, first, _, _ = read(embed(corpus, "seed=1 embed.vectors=[random,random]", capsys)[0])
    _, second, _, _ = read(embed(corpus, "seed=2 embed.vectors=[random,random]", capsys)[0])
    blocks = [vectors[2:, columns] for vectors in (first, second) for columns in np.split(np.arange(12), 2)]
    assert len({block[0].tobytes() for block in blocks}) == 4


def test_several_sets_stand_side_by_side_each_of_its_own_dimensions(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_vectors(tmp_path / "one.txt", ["acting", "films"], 3)
    two = write_vectors(tmp_path / "two.txt", ["acting", "loved"], 4)
    folder, said = embed(corpus, f"embed.vectors=[{one},{two},corpus,random,random]", capsys)
    words, vectors, found, coverage = read(folder)
    assert vectors.shape == (len(words) + 2, 3 + 4 + 3 * 6)
    assert not vectors[0].any()
    assert {word for word, has in zip(words, found[2:], strict=True) if has} == {"acting", "films", "loved"}
    assert not np.array_equal(vectors[2:, 13:19], vectors[2:, 19:])  # each with a seed of its own
    assert coverage["types"] == 3 / len(words) and list(coverage["files"]) == [str(one), str(two)]
    inputs = json.loads((folder / "embed.json").read_text("utf-8"))["inputs"]
    assert [entry["path"] for entry in inputs] == [str(one), str(two)]
    warning = "knows 3 of the 20 most frequent words; it seems to be of another language than the texts"
    assert coverage["files"][str(one)]["warnings"] == [warning.replace("3", "2")]
    assert "it seems to be of another language" in " ".join(" ".join(said).split())


def test_vectors_of_one_word_are_downloaded_once_and_several_stand_side_by_side(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "mirror" / "tiny-5.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(write_vectors(tmp_path / "tiny.txt", IN_FILE, 5).read_bytes()))
    checksum = hashlib.md5(packed.read_bytes()).hexdigest()
    monkeypatch.setitem(DOWNLOADS, "tiny-5", Download(packed.stat().st_size, checksum))
    monkeypatch.setenv("MIRROR", str(packed.parent))
    folder, said = embed(corpus, "", capsys, "VECTORS=tiny-5,random")
    words, vectors, found, coverage = read(folder)
    assert said[1] == f"embed: {len(words)} words, 11 dimensions, start: tiny-5, random"
    assert vectors.shape == (len(words) + 2, 5 + 6)
    assert found.tolist() == [True, False, *(word in IN_FILE for word in words)]
    assert list(coverage["files"]) == ["tiny-5"] and coverage["files"]["tiny-5"]["warnings"] == []
    options = json.loads((folder / "embed.json").read_text("utf-8"))
    assert options["embed"]["vectors"] == ["tiny-5", "random"] and options["inputs"] == []
    packed.unlink()
    again, said_again = embed(corpus, "embed.vectors=[tiny-5,random]", capsys)
    assert said_again == said[1:]
    np.testing.assert_array_equal(read(again)[1], vectors)


def test_a_folder_with_a_sentence_encoder_gives_every_word_it_knows_a_vector(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    numbers = np.random.default_rng(0).normal(size=(6, 3)).tolist()
    tokens = ["[UNK]", "[CLS]", "[SEP]", "film", "play", "##ing"]
    encoder = write_encoder(tmp_path / "mini", dict(zip(tokens, numbers, strict=True)))
    folder, said = embed(corpus, "", capsys, f"VECTORS={encoder}")
    words, vectors, found, coverage = read(folder)
    assert vectors.shape == (len(words) + 2, 3)
    assert {word for word, has in zip(words, found[2:], strict=True) if has} == {
        "film", "filming", "play", "playing"
    }  # fmt: skip
    assert vectors[found][1:].std() == pytest.approx(0.25)
    assert coverage["types"] == 4 / len(words)
    # `playing` is spelled from parts, which is no sign that it is of the encoder's language.
    assert coverage["files"][str(encoder)]["warnings"] == [
        "knows 2 of the 20 most frequent words; it seems to be of another language than the texts"
    ]
    inputs = json.loads((folder / "embed.json").read_text("utf-8"))["inputs"]
    assert [entry["path"] for entry in inputs] == [f"{encoder}/model.onnx", f"{encoder}/tokenizer.json"]
    assert f" caution: {encoder} knows 2 of" in " ".join(" ".join(said).split())


def test_without_a_file_every_word_counts_as_found(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, said = embed(corpus, "embed.vectors=random", capsys)
    words, vectors, found, coverage = read(folder)
    assert found.all() and len(found) == len(words) + 2 == len(vectors)
    assert coverage == {} and len(said) == 1
    assert json.loads((folder / "embed.json").read_text("utf-8"))["embed"]["vectors"] == "random"


@pytest.mark.slow
def test_the_report_gives_accuracy_by_share_of_uncovered_words(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_vectors(tmp_path / "glove.txt", IN_FILE, 5)
    folder, _ = embed(corpus, f"embed.vectors={file} train.epochs=1 network.filters=2", capsys)
    assert main(["stage", "baseline", str(folder.parent)]) == 0
    for verb in ("train", "evaluate"):  # in a process of their own: MLflow's libraries warn
        command = [sys.executable, "-m", "pipeline", "stage", verb, str(folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    table = done.stdout[done.stdout.index("  words without a vector") :].splitlines()
    assert max(map(len, table)) <= 80
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    slices = metrics["slices"]["uncovered_words"]
    assert sum(entry["rows"] for entry in slices) == metrics["test_rows"]
    right = sum(entry["rows"] * (entry["accuracy"] or 0) for entry in slices)
    assert right / metrics["test_rows"] == pytest.approx(metrics["accuracy"])


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        ("embed.vectors=glove-twiter-25", "no such file; did you mean 'glove-twitter-25'?"),
        ("embed.vectors=[]", "embed.vectors: list should have at least 1 item"),
        ("embed.vectors=3", "embed.vectors: input should be a valid list, found 3"),
        ("embed.vectors=[corpus,missing.vec]", "missing.vec: no such file"),
        ("embed.missing=none", "embed.missing: input should be 'subwords' or 'uniform', found 'none'"),
    ],
)
def test_wrong_options_are_one_line(
    corpus: Path, capsys: pytest.CaptureFixture[str], assignments: str, expected: str
) -> None:
    assert main(["configure", f"CORPUS={corpus}", "MODEL=kim-rand", f"SET={assignments}"]) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1


def test_a_header_that_miscounts_the_words_is_a_caution(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_vectors(tmp_path / "v.vec", IN_FILE, 4)
    path.write_text(f"{len(IN_FILE) + 1} 4\n" + path.read_text("utf-8"), "utf-8")
    folder, said = embed(corpus, "", capsys, f"VECTORS={path}")
    warning = f"line 1 claims {len(IN_FILE) + 1} words, and there are {len(IN_FILE)}, which were read"
    assert f"caution: {path} {warning}" in " ".join(line.strip() for line in said)
    files = read(folder)[3]["files"]
    assert isinstance(files, dict) and files[str(path)]["warnings"][0] == warning

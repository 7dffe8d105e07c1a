"""The summary of a prepared corpus as the user sees it, and the files with its classes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from pipeline.__main__ import main

WORDS = ["kettle", "lamp", "mug", "chair", "teapot", "umbrella", "jacket", "clock", "rug", "speaker"]


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))


def text(number: int) -> str:
    """Texts of five words that are no near copies of one another."""
    return " ".join(WORDS[(number // 10**place) % 10] + str(number % 97) for place in range(5))


def table(path: Path, labels: list[str]) -> Path:
    path.write_text("text,label\n" + "".join(f"{text(n)},{label}\n" for n, label in enumerate(labels)))
    return path


def prepare(
    corpus: Path, capsys: pytest.CaptureFixture[str], *words: str, model: str = "kim-rand"
) -> tuple[Path, list[str]]:
    """Return the corpus's folder, and the lines of the summary that are no numbers of rows or sizes."""
    assert main(["configure", f"CORPUS={corpus}", f"MODEL={model}", *words]) == 0
    folder = Path(capsys.readouterr().out.strip()).parent
    assert main(["stage", "prepare", str(folder)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 79 for line in said if "rejects.csv" not in line)
    return folder, said


def names(folder: Path) -> tuple[list[str], list[str]]:
    labels, unknown = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("labels", "unknown_labels")
    )
    return labels, unknown


def rejects(folder: Path) -> list[list[str]]:
    with (folder / "rejects.csv").open(newline="") as file:
        return [*csv.reader(file)]


def cautions(said: list[str]) -> str:
    """The lines from the first caution on, up to the table."""
    end = next(place for place, line in enumerate(said) if line.strip().startswith("all "))
    return "\n".join(said[1:end])


def test_labels_of_one_look_are_one_class_and_those_of_another_case_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spellings = ["True", "not\xa0spam", "True ", "\u200bnot spam", "true", "not  spam"]
    corpus = table(tmp_path / "flags.csv", spellings * 10)
    folder, said = prepare(corpus, capsys)
    assert names(folder) == (["True", "not spam", "true"], [])
    assert cautions(said) == (
        "  caution: labels that differ in case alone: 'True' (20), 'true' (10);\n"
        "  CASE=ignore makes one class of each"
    )
    folder, said = prepare(corpus, capsys, "CASE=ignore")
    assert names(folder) == (["True", "not spam"], [])
    assert cautions(said) == (
        "  caution: labels that differ in case alone are one class: 'True' (also 'true')"
    )
    assert json.loads((folder / "data_report.json").read_text())["classes"]["True"]["all"] == 30


def test_the_only_row_of_a_class_is_set_aside_listed_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = table(tmp_path / "stars.csv", [*["good", "bad"] * 20, "rare", "scarce", "scarce"])
    folder, said = prepare(corpus, capsys)
    assert names(folder)[0] == ["bad", "good", "scarce"]
    assert cautions(said) == (
        "  caution: 1 class has a single row, set aside, as it cannot be both learned\n"
        "  and tested: 'rare'; RARE=keep learns it"
    )
    assert "  duplicate rows: 0   set aside: 1   texts of several labels: 0" in said
    assert rejects(folder)[1] == [
        str(corpus), "42", "42", "the only row of class 'rare'"
    ]  # fmt: skip
    assert len(pd.read_parquet(folder / "rows.parquet")) == 42

    folder, said = prepare(corpus, capsys, "RARE=keep")
    assert names(folder)[0] == ["bad", "good", "rare", "scarce"]
    assert cautions(said) == (
        "  caution: 1 class has a single row, learned and never tested: 'rare';\n"
        "  RARE=drop sets such rows aside"
    )
    rows = pd.read_parquet(folder / "rows.parquet")
    assert rows["part"][rows["label"] == 2].tolist() == ["train"]

    assert main(["configure", f"CORPUS={corpus}", "MODEL=kim-rand", "RARE=error"]) == 0
    assert main(["stage", "prepare", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "stars.csv, line 42: this is the only row of class 'rare'" in error
    assert error.endswith("set them aside with RARE=drop, or learn them with RARE=keep\n")


def test_test_labels_that_training_lacks_follow_the_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = table(tmp_path / "train.csv", ["good", "bad"] * 20)
    test = table(tmp_path / "test.csv", ["good", "Good", "excellent", "bad"])
    folder, said = prepare(corpus, capsys, f"TEST={test}")
    assert names(folder) == (["bad", "good"], ["Good", "excellent"])
    assert cautions(said) == (
        "  caution: labels that differ in case alone: 'good' (21), 'Good' (1);\n"
        "  CASE=ignore makes one class of each\n"
        "  caution: 2 of 4 test rows have a label that no training row has, wrong for\n"
        "  every classifier: 'Good' (1; near 'good'), 'excellent' (1)"
    )
    rows = pd.read_parquet(folder / "rows.parquet")
    assert rows["label"][rows["part"] == "test"].tolist() == [1, 2, 3, 0]
    folder, said = prepare(corpus, capsys, f"TEST={test}", "CASE=ignore")
    assert names(folder) == (["bad", "good"], ["excellent"])


def test_validation_rows_of_a_label_that_training_lacks_are_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = table(tmp_path / "train.csv", ["good", "bad"] * 20)
    validation = table(tmp_path / "validation.csv", ["good", "odd", "bad"])
    folder, said = prepare(corpus, capsys, f"SET=source.validation={validation}")
    assert names(folder) == (["bad", "good"], [])
    assert "  caution: 1 of 3 validation rows has a label that no training row has, set" in said
    assert (pd.read_parquet(folder / "rows.parquet")["part"] == "validation").sum() == 2


def test_cells_of_several_labels_are_said_also_where_the_split_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = table(tmp_path / "tags.csv", ["sport;music", "music", "sport", "sport;art", "art"] * 10)
    _, said = prepare(corpus, capsys)
    assert cautions(said) == (
        "  caution: 20 of 50 labels look like several in one cell, such as\n"
        "  'sport;music': one label a row is learned, so each combination is a class of\n"
        "  its own"
    )
    corpus = table(tmp_path / "few.csv", ["sport;music", "music", "sport"] * 2)
    assert main(["configure", f"CORPUS={corpus}", "MODEL=kim-rand"]) == 0
    folder = Path(capsys.readouterr().out.strip()).parent
    assert main(["stage", "prepare", str(folder)]) == 2
    assert "look like several in one cell" in capsys.readouterr().out


def test_texts_without_any_known_word_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"lamp mug chair {n},{'ab'[n % 2]}\n" for n in range(40)]
    (tmp_path / "new.csv").write_text("text,label\n" + "".join(rows) + "zzqx vvkp,a\n\U0001f642,b\n")
    folder, _ = prepare(tmp_path / "new.csv", capsys)
    assert main(["stage", "tokenize", str(folder)]) == 0
    assert "  texts without any known word: 2\n" in capsys.readouterr().out


def picture(path: Path, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), grey).save(path)


def test_of_a_folder_of_images_links_are_followed_and_what_is_no_class_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, elsewhere = tmp_path / "pictures", tmp_path / "elsewhere"
    for number in range(10):
        picture(folder / "dark" / f"no\xa0break {number}.png", number)
        picture(elsewhere / f"{number}.webp", 200 + number)
    picture(folder / "lone" / "0.gif", 99)
    picture(folder / "dark\xa0" / "10.bmp", 10)
    (folder / "light").symlink_to(elsewhere, target_is_directory=True)
    (folder / "light-again").mkdir()
    (folder / "dark" / "back").symlink_to(folder, target_is_directory=True)
    (folder / "dark" / "broken.png").symlink_to(tmp_path / "none.png")
    prepared, said = prepare(folder, capsys, model="dense")
    assert names(prepared) == (["dark", "light"], [])
    assert cautions(said) == (
        "  caution: 1 class has a single row, set aside, as it cannot be both learned\n"
        "  and tested: 'lone'; RARE=keep learns it\n"
        "  caution: folders without an image, which are no class: 'light-again'"
    )
    assert any("set aside: 3   images of several labels: 0" in line for line in said)
    reasons = {Path(row[0]).name: row[3] for row in rejects(prepared)}
    assert reasons == {
        "file": "reason",
        "back": "a link back to a folder that it lies in",
        "broken.png": "a link that leads to no file",
        "0.gif": "the only row of class 'lone'",
    }
    rows = pd.read_parquet(prepared / "rows.parquet")
    assert len(rows) == 21 and rows["label"].value_counts().to_dict() == {0: 11, 1: 10}

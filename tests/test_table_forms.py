"""Corpora in other forms than CSV, and of several text columns, from the file to the classifier."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.prediction.classifier import Classifier
from tests.project import Project
from tests.tables.workbooks import workbook

ROWS = [
    {
        "title": f"title {n}",
        "body": f"a {['lovely', 'awful'][n % 2]} film, number {n}",
        "stars": 5 - 4 * (n % 2),
    }
    for n in range(120)
]
FORMS = ["csv", "tsv", "tsv.gz", "jsonl", "jsonl.gz", "parquet", "xlsx"]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows in the form that the name says."""
    content = "".join(json.dumps(row) + "\n" for row in rows)
    if ".jsonl" not in path.name:
        separator = "\t" if ".tsv" in path.name else ";"
        content = "".join(
            separator.join(map(str, line)) + "\n" for line in [list(rows[0]), *map(dict.values, rows)]
        )
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".xlsx":
        workbook(path, [["a title above"], list(rows[0]), *(list(row.values()) for row in rows)], [["other"]])
    else:
        path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def prepare(path: Path, *words: str) -> tuple[int, Path | None]:
    assert main(["configure", f"CORPUS={path}", "MODEL=kim-rand", "LABEL=stars", *words]) == 0
    (options,) = Path(path.parent, "data").rglob("prepare.json")
    return main(["stage", "prepare", str(options.parent)]), options.parent


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))


@pytest.mark.parametrize("form", FORMS)
def test_a_corpus_may_be_a_table_of_any_form(tmp_path: Path, form: str) -> None:
    words = ["SKIP=1", "SHEET=one"] if form == "xlsx" else []
    test = write(tmp_path / "held_out.jsonl", [row | {"body": f"unlike {row['body']}"} for row in ROWS[:20]])
    code, folder = prepare(write(tmp_path / f"reviews.{form}", ROWS), "TEXT=body", f"TEST={test}", *words)
    assert code == 0 and folder
    rows = pd.read_parquet(folder / "rows.parquet")
    assert rows["text"][rows["part"] != "test"].tolist() == [row["body"] for row in ROWS]
    assert (rows["part"] == "test").sum() == 20
    assert json.loads((folder / "labels.json").read_text()) == ["1", "5"]
    assert json.loads((folder / "text_columns.json").read_text()) == ["body"]


def test_several_columns_are_one_text_with_a_boundary(tmp_path: Path) -> None:
    code, folder = prepare(write(tmp_path / "reviews.xlsx", ROWS), "TEXT=title, body", "SKIP=1", "SHEET=1")
    assert code == 0 and folder
    rows = pd.read_parquet(folder / "rows.parquet")
    assert rows["text"].tolist() == [f"{row['title']}\x1f{row['body']}" for row in ROWS]
    assert json.loads((folder / "text_columns.json").read_text()) == ["title", "body"]
    report = (folder / "data_report.json").read_text()
    assert "\\u001f" not in report


def test_which_sheet_is_read_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "reviews.xlsx"
    with pd.ExcelWriter(path) as book:
        for sheet in ("one", "two"):
            pd.DataFrame(ROWS).to_excel(book, sheet_name=sheet, index=False)
    code, _ = prepare(path, "TEXT=title,body")
    assert code == 0
    assert capsys.readouterr().err.count("sheet 'one' is read, the first; not 'two'") == 1


def test_one_column_whose_name_has_a_comma_is_meant_before_several(tmp_path: Path) -> None:
    rows = [{"title,body": row["body"]} | row for row in ROWS]
    code, folder = prepare(write(tmp_path / "reviews.jsonl", rows), "TEXT=title,body")
    assert code == 0 and folder
    assert pd.read_parquet(folder / "rows.parquet")["text"].tolist() == [row["body"] for row in ROWS]
    assert json.loads((folder / "text_columns.json").read_text()) == ["title,body"]


@pytest.mark.parametrize("text", ["stars", "body,stars"])
def test_the_label_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    code, _ = prepare(write(tmp_path / "reviews.csv", ROWS), f"TEXT={text}")
    assert code == 2
    assert "column 'stars' is both text and label: name another with TEXT=" in capsys.readouterr().err


def test_the_summary_lists_what_was_set_aside_of_json_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "reviews.jsonl", ROWS)
    path.write_text(path.read_text() + '{"body": "no stars"}\n{"body": "cut\n')
    code, folder = prepare(path, "TEXT=body")
    assert code == 0 and folder
    assert capsys.readouterr().out.endswith(
        f"  rows set aside, with line and reason: {folder}/rejects.csv\n"
        "    no label: 1\n    no JSON: unterminated string starting at: 1\n"
    )
    with (folder / "rejects.csv").open(newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["121", "122"]


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("reviews.jsonl", ["SHEET=1"], "SHEET: source.sheet is for an .xlsx, and this corpus has none"),
    ],
)
def test_a_sheet_of_no_workbook_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: list[str], expected: str
) -> None:
    path = write(tmp_path / name, ROWS)
    assert main(["configure", f"CORPUS={path}", "MODEL=kim-rand", *words]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.slow
def test_two_columns_are_trained_on_and_labelled_in_any_form(project: Project, tmp_path: Path) -> None:
    corpus = write(tmp_path / "reviews.xlsx", ROWS)
    words = [f"CORPUS={corpus}", "TEXT=title,body", "LABEL=stars", "SKIP=1", "SHEET=one", "MODEL=kim-rand"]
    settings = f"{project.tiny(2)} ensemble.ngrams=tokens,characters"
    done = project.make(tmp_path / "data", "train", *words, f"SET={settings}")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.splitlines()[-1])
    assert Classifier.load(folder / "model").columns == ["title", "body"]
    shown = pd.read_parquet(folder / "predictions.parquet")["text"]
    assert shown.str.fullmatch(r"title \d+ \| a (lovely|awful) film, number \d+").all()
    new = write(tmp_path / "new.jsonl", [{"body": "a lovely film", "title": "title"}, {"body": "awful"}])
    done = project.make(
        tmp_path / "data", "predict", f"INPUT={new}", words[0], words[5], "EVIDENCE=1", "PROBABILITIES=1"
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in Path(f"{new}.predictions.jsonl").read_text().splitlines()]
    probabilities = Classifier.load(folder / "model").predict_proba(["title\x1fa lovely film", "\x1fawful"])
    shown = [[row["probability_of_1"], row["probability_of_5"]] for row in found]
    assert shown == [[round(float(share), 4) for share in row] for row in probabilities]

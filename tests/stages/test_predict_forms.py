"""Tables in other forms than CSV, and texts in several columns, labelled by the command."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.artifacts import RunFolder
from pipeline.config import loading
from pipeline.prediction.classifier import Classifier
from tests.prediction.model_folders import save_text_model
from tests.tables.workbooks import cells, kinds, workbook

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
TEXTS = ["w2 w3 w9", "=w9 w9", "w5, w5", "", "\uff1dw2"]
ROWS = [{"id": n, "review": text} for n, text in enumerate(TEXTS)]
FORMS = ["csv", "csv.gz", "tsv", "tsv.gz", "jsonl", "jsonl.gz", "parquet", "xlsx"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CONVTEXT_DATA with a model of the column review, and one of title and body."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVTEXT_DATA", str(folder))
        save_text_model(RunFolder(loading.run_folder("mr", "kim-rand")).model)
        save_text_model(RunFolder(loading.run_folder("trec", "kim-rand")).model, "title", "body")
    return folder


@pytest.fixture(autouse=True)
def _data_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(data))


def classifier(corpus: str = "mr") -> Classifier:
    return Classifier.load(RunFolder(loading.run_folder(corpus, "kim-rand")).model)


def predict(source: Path, *options: str, corpus: str = "mr") -> int:
    return main(["predict", f"INPUT={source}", f"CORPUS={corpus}", "MODEL=kim-rand", *options])


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows in the form that the name says."""
    if ".jsonl" in path.name:
        content = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        separator = "\t" if ".tsv" in path.name else ","
        lines = [list(rows[0]), *(row.values() for row in rows)]
        quoted = (
            ['"' + str(value) + '"' if separator in str(value) else str(value) for value in line]
            for line in lines
        )
        content = "".join(separator.join(line) + "\n" for line in quoted)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".xlsx":
        workbook(path, [list(rows[0]), *(list(row.values()) for row in rows)])
    else:
        path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file as texts, in the form that its name says."""
    if path.suffix == ".parquet":
        found = pq.read_table(path).to_pylist()
    elif path.suffix == ".xlsx":
        header, *lines = cells(path)
        found = [dict(zip(header, line, strict=True)) for line in lines]
    else:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        if ".jsonl" in path.name:
            found = [json.loads(line) for line in text.splitlines()]
        else:
            delimiter = "\t" if ".tsv" in path.name else ","
            found = list(csv.DictReader(text.splitlines(), delimiter=delimiter, strict=True))
    return [{key: "" if value is None else str(value) for key, value in row.items()} for row in found]


@pytest.mark.parametrize("output", FORMS)
@pytest.mark.parametrize("source", FORMS)
def test_every_form_is_labelled_in_every_form(tmp_path: Path, source: str, output: str) -> None:
    path, target = write(tmp_path / f"new.{source}", ROWS), tmp_path / f"out.{output}"
    assert predict(path, f"OUTPUT={target}") == 0
    labels, sure = classifier().predict(TEXTS)
    sure[TEXTS.index("")] = 0  # it has no known word
    found = read(target)
    assert [list(row) for row in found] == [["id", "review", "predicted_label", "probability"]] * 5
    assert [row["review"] for row in found] == TEXTS
    assert [row["id"] for row in found] == list("01234")
    assert [row["predicted_label"] for row in found] == labels
    np.testing.assert_allclose([float(row["probability"]) for row in found], sure, atol=6e-5)
    if output == "xlsx":
        assert "f" not in kinds(target)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("new.tsv", "new.tsv.predictions.tsv"),
        ("new.tsv.gz", "new.tsv.gz.predictions.tsv"),
        ("new.jsonl", "new.jsonl.predictions.jsonl"),
        ("new.JSONL.gz", "new.JSONL.gz.predictions.jsonl"),
        ("new.xlsx", "new.xlsx.predictions.xlsx"),
    ],
)
def test_predictions_are_in_the_form_of_the_input(tmp_path: Path, name: str, named: str) -> None:
    path = tmp_path / name
    write(tmp_path / name.lower(), ROWS).rename(path)
    assert predict(path) == 0
    assert [row["review"] for row in read(tmp_path / named)] == TEXTS


def test_the_summary_counts_what_json_lines_and_sheets_have_that_is_no_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ['{"review": "w2"}'] * 400 + ["[1]", '{"review": ["w2"]}', '{"review": "cut', "[2]"]
    path = tmp_path / "new.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    assert predict(path) == 0
    said = capsys.readouterr().out
    assert f": {path}.predictions.jsonl\n" in said
    assert (
        "  rows that could not be read: 4\n"
        "    no JSON object, such as {...}: 2\n"
        "    a list or an object where a text was expected: 1\n"
        "    no JSON: unterminated string starting at: 1\n"
        f"  they are listed in {path}.predictions.jsonl.rejects.csv\n"
    ) in said
    workbook(tmp_path / "new.xlsx", [["review"], *([["w2"]] * 200), ["w3", "a note"]], [["other"]])
    assert predict(tmp_path / "new.xlsx") == 0
    said = capsys.readouterr()
    assert f"{tmp_path}/new.xlsx: sheet 'one' is read, the first; not 'two'" in said.err
    assert "    2 fields where the header has 1: 1\n" in said.out


@pytest.mark.parametrize("output", ["out.csv", "out.xlsx"])
def test_no_cell_of_a_harmless_output_begins_as_a_formula(tmp_path: Path, output: str) -> None:
    path = write(tmp_path / "new.jsonl", ROWS)
    assert predict(path, f"OUTPUT={tmp_path / output}", "HARMLESS=1") == 0
    assert [row["review"] for row in read(tmp_path / output)] == [
        "w2 w3 w9", "'=w9 w9", "w5, w5", "", "'\uff1dw2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["HARMLESS=1"], "HARMLESS=1 is for what a spreadsheet opens"),
        (["SHEET=2"], "SHEET= is for an .xlsx, not "),
        (["OUTPUT=out.json"], "out.json would be a CSV: end its name in .csv, .tsv, .jsonl, .parquet"),
        (["OUTPUT=out.XLSX.gz"], "out.XLSX.gz would be a CSV"),
        (["TEXT=title,title"], "column 'title' is named twice in 'title,title': name another with TEXT="),
        (["TEXT=titel,id"], "there is no column 'titel' among 'id', 'review'"),
    ],
)
def test_words_that_do_not_fit_are_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], expected: str
) -> None:
    assert predict(write(tmp_path / "new.jsonl", ROWS), *options) == 2
    assert expected in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["new.jsonl"]


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet", "xlsx"])
def test_the_columns_of_the_training_are_joined_and_nothing_crosses_their_boundary(
    tmp_path: Path, form: str
) -> None:
    pairs = [("w2 w3", "w9 w4"), ("", "w5"), ("w2", ""), ("", "")]
    rows = [{"body": body, "id": 1, "title": title} for title, body in pairs]
    source, output = write(tmp_path / f"new.{form}", rows), tmp_path / "out.csv"
    assert predict(source, f"OUTPUT={output}", "EVIDENCE=1", "PROBABILITIES=1", corpus="trec") == 0
    found = read(output)
    model = classifier("trec")
    assert model.columns == ["title", "body"]
    expected = model.predict_proba([f"{title}\x1f{body}" for title, body in pairs])
    shown = [[float(row[f"probability_of_{label}"]) for label in model.labels] for row in found]
    np.testing.assert_allclose(shown, expected, atol=6e-5)
    assert not np.allclose(expected[0], model.predict_proba(["w2 w3 w9 w4"])[0], atol=1e-4)
    ngrams = {ngram for ngram, _ in json.loads(found[0]["evidence"])} - {"(others)", "(bias)"}
    assert ngrams and all(ngram in "w2 w3" or ngram in "w9 w4" for ngram in ngrams)


def test_a_column_whose_name_has_a_comma_is_meant_before_several(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text('"title,body",title,body\nw2 w3,w9,w9\n')
    assert predict(tmp_path / "new.csv", "TEXT=title,body", f"OUTPUT={tmp_path / 'out.csv'}") == 0
    (row,) = read(tmp_path / "out.csv")
    assert float(row["probability"]) == pytest.approx(classifier().predict(["w2 w3"])[1][0], abs=6e-5)


def test_a_text_of_several_columns_is_said_with_a_bar_between(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    probability = classifier("trec").predict(["w2 w3\x1fw9"])[1][0]
    assert main(["say", "CORPUS=trec", "MODEL=kim-rand", "TEXT=w2 w3 | w9"]) == 0
    said = capsys.readouterr().out
    assert said.lstrip().startswith(f"{probability:.1%}") and "w3 w9" not in said
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"w2 w3\x1fw9\n")))
    assert main(["say", "CORPUS=trec", "MODEL=kim-rand"]) == 0
    assert capsys.readouterr().out == f"w2 w3 | w9\n{said}\n"

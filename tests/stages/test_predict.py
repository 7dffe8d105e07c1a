"""The command that labels files, on a classifier of random weights."""

from __future__ import annotations

import csv
import gzip
import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.artifacts import RunFolder
from pipeline.config import loading
from pipeline.delimited.blocks import CsvBlocks
from pipeline.folding.fold_network import fold_networks
from pipeline.models.kim_cnn import Options, build
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier, save
from pipeline.prediction.pool import Pool
from pipeline.text.encoder import TextEncoder
from tests.prediction.networks import linear_models

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["a lovely film", "an awful film", "lovely lovely", "awful", "", "a film"] * 5
LABELS = ["1", "=2", "so, so"]
MODEL = ["CORPUS=mr", "MODEL=kim-rand"]
EVERYTHING = ["TOP=3", "PROBABILITIES=1", "SHARES=1", "EVIDENCE=1"]
Edit = Callable[[list[str]], None]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CONVTEXT_DATA with a model in it that reads ten tokens of a text."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVTEXT_DATA", str(folder))
        model = RunFolder(loading.run_folder("mr", "kim-rand")).model
    model.mkdir(parents=True)
    keras.utils.set_random_seed(1)
    encoder = TextEncoder.learn(TEXTS, Tokenize(minimum_count=1, maximum_length=10))
    vectors = np.random.default_rng(1).normal(size=(len(encoder.words) + 2, 6)).astype(np.float32)
    network = build(Options(filters=4, max_norm=None), vectors, 3)
    kernel = network.get_layer("logits").kernel
    kernel.assign(3 * np.random.default_rng(2).normal(size=kernel.shape))
    folded = fold_networks([network])
    assert folded is not None
    pool = Pool(folded, linear_models(encoder.words, 3, encoder.encode(TEXTS)), [0.7, 0.2, 0.2])
    classifier = Classifier(pool.rounded, encoder, LABELS, ["review"])
    classifier.set_drift_reference(encoder.encode(TEXTS), encoder.count_tokens(pd.DataFrame({"text": TEXTS})))
    # As if all that is sure had been right.
    logits = classifier.logits(encoder.encode(TEXTS * 10))
    predicted = logits.argmax(axis=1).astype(np.int32)
    sure = classifier.softmax(logits).max(axis=1)
    classifier.set_validation(encoder.encode(TEXTS * 10), np.where(sure >= np.median(sure), predicted, -1))
    save(model, classifier, network, pool)
    return folder


@pytest.fixture(autouse=True)
def _data_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(data))


@pytest.fixture
def classifier() -> Classifier:
    return Classifier.load(RunFolder(loading.run_folder("mr", "kim-rand")).model)


def predict(source: Path | str, output: Path | str, *options: str) -> int:
    return main(["predict", f"INPUT={source}", f"OUTPUT={output}", *MODEL, *options])


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter, strict=True))


def records(count: int) -> list[str]:
    """Lines of CSV, each of one record, some with all that makes CSV hard."""
    words = ["lovely", "awful", "film", "a", "Ünknown", "x-ray", '""quoted""', "semi;colon", "=1"]
    pick = random.Random(1)
    texts = [" ".join(pick.choices(words, k=pick.randrange(15))) for _ in range(count)]
    return [f'{n},"{text}"' if '"' in text or n % 3 else f"{n},{text}" for n, text in enumerate(texts)]


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("id,review\n" + "".join(f"{line}\n" for line in lines), "utf-8")
    return path


def command(*arguments: str, before: str = "") -> list[str]:
    """The same command in a process of its own, in which `before` is run first."""
    code = f"import sys\n{before}\nfrom pipeline.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", code, "predict", *arguments, *MODEL]


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, timeout=120, **options)  # type: ignore[call-overload]


# What is written


def test_each_column_is_what_the_classifier_says(tmp_path: Path, classifier: Classifier) -> None:
    texts = ["a lovely film", "zzz film", "", 'an "awful" film, really', "lovely " * 12]
    source, output = tmp_path / "new.csv", tmp_path / "out.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["review"], *([text] for text in texts)])
    assert predict(source, output, *EVERYTHING) == 0
    found = rows(output)
    assert list(found[0]) == [
        "review", "predicted_label", "probability", "predicted_label_2", "probability_2", "predicted_label_3",
        "probability_3", "probability_of_1", "probability_of_=2", "probability_of_so, so", "unknown_words",
        "cut_off", "evidence",
    ]  # fmt: skip
    probabilities = classifier.predict_proba(texts)
    sequences = classifier.encoder.encode(texts).as_sequences()
    logits, lacking = classifier.logits(sequences), sequences.lack_known_words
    assert lacking.tolist() == [False, False, True, False, False]
    for row, text, shares, logit, lacks in zip(found, texts, probabilities, logits, lacking, strict=True):
        assert row["review"] == text
        order = np.argsort(-shares)
        for suffix, place in [("", order[0]), ("_2", order[1]), ("_3", order[2])]:
            assert row[f"predicted_label{suffix}"] == LABELS[place]
            assert row[f"probability{suffix}"] == f"{0 if lacks else shares[place]:.4f}"
        assert [row[f"probability_of_{label}"] for label in LABELS] == [f"{share:.4f}" for share in shares]
        parts = json.loads(row["evidence"])
        assert sum(value for _, value in parts) == pytest.approx(logit.max(), abs=1e-3)
        assert parts[-1][0] == "(bias)"
        as_read = "".join(classifier.encoder.pieces(text))
        assert all(name in ("(bias)", "(others)") or name in as_read for name, _ in parts)
    assert [row["unknown_words"] for row in found[:3]] == ["0.0000", "0.5000", "0.0000"]
    assert [row["cut_off"] for row in found] == ["0.0000"] * 4 + [f"{2 / 12:.4f}"]


def test_below_the_threshold_there_is_no_label_and_all_else_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path / "new.csv", records(200))
    assert predict(source, tmp_path / "all.csv", "TOP=2") == 0
    sure = sorted(float(row["probability"]) for row in rows(tmp_path / "all.csv"))
    threshold = (sure[100] + sure[99]) / 2 if sure[99] < sure[100] else sure[100]
    capsys.readouterr()
    assert predict(source, tmp_path / "some.csv", "TOP=2", f"ABSTAIN={threshold:.6f}") == 0
    left = 0
    for full, row in zip(rows(tmp_path / "all.csv"), rows(tmp_path / "some.csv"), strict=True):
        assert row | {"predicted_label": ""} == full | {"predicted_label": ""}
        assert row["predicted_label"] in ("", full["predicted_label"])
        assert float(row["probability"]) <= threshold + 1e-4 or row["predicted_label"]
        left += not row["predicted_label"]
    assert 0 < left < 200
    shown = float(f"{threshold:.6f}")
    assert f"rows left without a label, of probability below {shown}: {left}" in capsys.readouterr().out


def test_a_precision_labels_from_the_probability_that_the_validation_part_shows(
    tmp_path: Path, classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path / "new.csv", records(200))
    assert predict(source, tmp_path / "all.csv") == 0
    assert predict(source, tmp_path / "some.csv", "ABSTAIN=precision:0.95") == 0
    said = capsys.readouterr().out
    outcomes = classifier.validation
    assert outcomes is not None
    threshold = outcomes.probability[outcomes.correct].min()
    texts = [row["review"] for row in rows(tmp_path / "all.csv")]
    lacking = classifier.encoder.encode(texts).as_sequences().lack_known_words
    labelled = (classifier.predict(texts)[1] >= threshold) & ~lacking
    expected = [
        row | ({} if shown else {"predicted_label": ""})
        for row, shown in zip(rows(tmp_path / "all.csv"), labelled, strict=True)
    ]
    assert rows(tmp_path / "some.csv") == expected and 0 < labelled.sum() < 200
    shares = f"{labelled.mean():.1%} (of the validation part {outcomes.correct.mean():.1%})"
    assert f"  labelled at precision 0.95: {shares}\n" in said


def test_a_precision_by_class_is_refused_where_no_class_has_rows_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path / "new.csv", records(3))
    assert predict(source, tmp_path / "out.csv", "ABSTAIN=precision-by-class:0.999") == 2
    said = capsys.readouterr().err
    assert said.startswith("convtext: the 300 validation rows do not show a precision of 0.999")
    assert said.endswith("set it with ABSTAIN=\n") and said.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()


def test_harmless_escapes_every_cell_of_the_header_the_rows_the_labels_and_the_rejects(
    tmp_path: Path,
) -> None:
    source, output = tmp_path / "new.csv", tmp_path / "out.csv"
    source.write_text('review,+note\n=1+1,"@a, ""b"""\nfine,-2\n=ragged\n' + "lovely,\n" * 50)
    assert predict(source, output, "HARMLESS=1", "UNREADABLE=0.1", *EVERYTHING) == 0
    found = rows(output)
    assert list(found[0])[1] == "'+note"
    assert [[*row.values()][:2] for row in found[:2]] == [["'=1+1", '\'@a, "b"'], ["fine", "'-2"]]
    cells = [cell for row in [*found, *rows(Path(f"{output}.rejects.csv"))] for cell in row.values()]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert {row["predicted_label_3"] for row in found} <= {"1", "'=2", "so, so"}
    assert any(cell == "'=2" for cell in cells)
    assert predict(source, output, "UNREADABLE=0.1") == 0  # nobody asked for it
    assert source.read_text().splitlines()[1] in output.read_text()


def test_a_field_as_long_as_the_reader_takes_is_labelled_whatever_is_wanted(tmp_path: Path) -> None:
    source, long = tmp_path / "new.csv", "lovely " * 30_000
    source.write_text(f'review\n"{long}"\nfilm\n')
    assert predict(source, tmp_path / "plain.csv", "HARMLESS=1", "THREADS=2") == 0
    assert predict(source, tmp_path / "out.parquet") == 0
    assert [line.split(b",")[0].decode() for line in (tmp_path / "plain.csv").read_bytes().splitlines()] == [
        "review", long, "film"
    ]  # fmt: skip
    assert pq.read_table(tmp_path / "out.parquet")["review"].to_pylist() == [long, "film"]


def test_any_block_size_and_thread_count_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "new.csv", [*records(300), "ragged", '"3\n00",two\n'])
    assert predict(source, tmp_path / "out.csv", *EVERYTHING, "THREADS=1") == 0
    expected = (tmp_path / "out.csv").read_bytes()
    rejects = (tmp_path / "out.csv.rejects.csv").read_bytes()
    assert expected.count(b"\n") == 303 and rejects.count(b"\n") == 2
    for size, threads in [(1, "3"), (700, "1"), (700, "4"), (1 << 20, "2")]:
        monkeypatch.setattr("pipeline.tables.formats.CsvBlocks", partial(CsvBlocks, block_size=size))
        assert predict(source, tmp_path / "again.csv", *EVERYTHING, f"THREADS={threads}") == 0
        assert (tmp_path / "again.csv").read_bytes() == expected
        assert (tmp_path / "again.csv.rejects.csv").read_bytes() == rejects


@pytest.mark.parametrize("form", ["int16", "float32"])
def test_a_row_has_the_same_bytes_in_any_order(tmp_path: Path, form: str) -> None:
    lines = records(300)
    assert predict(written(tmp_path / "a.csv", lines), tmp_path / "a.out", *EVERYTHING, f"FORM={form}") == 0
    random.Random(2).shuffle(lines)
    assert predict(written(tmp_path / "b.csv", lines), tmp_path / "b.out", *EVERYTHING, f"FORM={form}") == 0
    first, second = ((tmp_path / name).read_bytes().splitlines() for name in ("a.out", "b.out"))
    assert first != second and sorted(first) == sorted(second)


def test_every_form_gives_the_same_labels(tmp_path: Path) -> None:
    source, found = written(tmp_path / "new.csv", records(200)), []
    for form in ("int16", "float32", "keras"):
        assert predict(source, tmp_path / "out.csv", f"FORM={form}", "THREADS=3") == 0
        found.append([(row["id"], row["predicted_label"]) for row in rows(tmp_path / "out.csv")])
    assert found[0] == found[1] == found[2]


def test_gzip_in_and_out_holds_the_same_as_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.tables.formats.CsvBlocks", partial(CsvBlocks, block_size=900))
    source = written(tmp_path / "new.csv", records(200))
    (tmp_path / "new.csv.gz").write_bytes(gzip.compress(source.read_bytes()))
    assert predict(source, tmp_path / "out.csv") == 0
    assert predict(tmp_path / "new.csv.gz", tmp_path / "out.csv.gz") == 0
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()) == (tmp_path / "out.csv").read_bytes()


def test_a_packed_file_that_breaks_off_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path / "new.csv", records(2000))
    packed = gzip.compress(source.read_bytes())
    (tmp_path / "new.csv.gz").write_bytes(packed[: len(packed) // 2])
    source.unlink()
    for output in ("out.csv", "out.parquet"):
        assert predict(tmp_path / "new.csv.gz", tmp_path / output) == 2
        error = capsys.readouterr().err
        assert "new.csv.gz, after line " in error and "damaged" in error and error.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv.gz"}


def test_rows_that_cannot_be_read_are_listed_with_line_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "new.csv", tmp_path / "out.csv"
    source.write_bytes(b"review\na lovely film\nragged,row\ncaf\xe9\nan awful film\n" + b"film\n" * 196)
    assert predict(source, output) == 0
    said = capsys.readouterr().out
    assert (
        "  rows that could not be read: 2\n    2 fields where the header has 1: 1\n"
        f"    bytes that are not utf-8: 1\n  they are listed in {output}.rejects.csv\n"
    ) in said
    assert max(len(line) for line in said.splitlines() if "csv" not in line) <= 79
    assert [row["review"] for row in rows(output)][:2] == ["a lovely film", "an awful film"]
    found = rows(Path(f"{output}.rejects.csv"))
    assert [(row["first_line"], row["last_line"], row["text"][:3]) for row in found] == [
        ("3", "3", "rag"),
        ("4", "4", "caf"),
    ]
    assert "2 fields where the header has 1" in found[0]["reason"] and "0xe9" in found[1]["reason"]
    source.write_text("review\nfine\n")
    assert predict(source, output) == 0
    assert not Path(f"{output}.rejects.csv").exists()  # of the pass before


def test_beyond_the_share_the_readable_rows_are_labelled_and_one_line_says_how_many_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "new.csv", tmp_path / "out.csv"
    source.write_text("id,review\n0,fine\n1,fine, really\n2\n3,fine, so\n")
    assert predict(source, output) == 2
    said = capsys.readouterr()
    assert "predict: 1 rows labelled" in said.out and "rows that could not be read: 3" in said.out
    assert said.err == (
        f"convtext: {source}: 3 of 4 rows (75.00%) cannot be read where 1% are allowed, most often as in "
        f"line 3: 3 fields where the header has 2 (all are listed in {output}.rejects.csv): mend them, or "
        "allow a share of 0.76: set it with UNREADABLE=\n"
    )
    assert [row["id"] for row in rows(output)] == ["0"]
    assert predict(source, output, "UNREADABLE=0.75") == 0
    done = run(f"INPUT={source}", "OUTPUT=-")
    assert done.returncode == 2 and done.stdout == output.read_bytes()


@pytest.mark.parametrize("target", ["out.csv", "out.parquet"])
def test_where_no_row_could_be_labelled_the_exit_code_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("id,review\n0,fine, really\n1,so, so\n")
    assert predict(source, tmp_path / target, "UNREADABLE=0.99") == 2
    assert "2 of 2 rows (100.00%) cannot be read" in capsys.readouterr().err


# The form of the input


@pytest.mark.parametrize("family", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("lead", ["", "sep=;\n", "Export\nof today\n"])
@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_the_output_begins_as_the_input_does(tmp_path: Path, family: str, lead: str, name: str) -> None:
    source, output = tmp_path / "new.csv", tmp_path / name
    head = f"\ufeff{lead}id;review;naïve\r\n"
    source.write_bytes((head + "".join(f"{n};a film, ü {n};1,5\r\n" for n in range(50))).encode(family))
    assert predict(source, output, f"SKIP={lead.count('Export') * 2}") == 0
    content = gzip.decompress(output.read_bytes()) if name.endswith("gz") else output.read_bytes()
    mark, *lines = content.decode(family).partition("\ufeff")[1:]
    assert mark == "\ufeff"
    above, header, *labelled = "".join(lines).rpartition("id;")[0], *"".join(lines)[len(lead) :].splitlines()
    assert (above, header) == (lead, "id;review;naïve;predicted_label;probability")
    assert len(labelled) == 50 and labelled[7].startswith("7;a film, ü 7;1,5;")


def test_columns_without_a_name_and_of_one_name_stay_and_trailing_separators_go(tmp_path: Path) -> None:
    source = tmp_path / "new.csv"
    source.write_text("id,review,x,x,,\n0,a lovely film,1,2\n1,an awful film,3,4,5\n")
    assert predict(source, tmp_path / "out.csv") == 0
    first, *lines = (tmp_path / "out.csv").read_text().splitlines()
    assert first == "id,review,x,x,,,predicted_label,probability"
    assert lines[0].startswith("0,a lovely film,1,2,,,") and lines[1].startswith("1,an awful film,3,4,5,,")
    trailing = tmp_path / "trailing.csv"
    trailing.write_text("id,review\n0,a lovely film,\n1,an awful film,\n")
    assert predict(trailing, tmp_path / "clean.csv") == 0
    assert {len(row) for row in csv.reader((tmp_path / "clean.csv").read_text().splitlines())} == {4}
    assert [len(row) for row in csv.reader(lines)] == [8, 8]
    assert predict(source, tmp_path / "out.parquet") == 0
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["id", "review", "x", "x_2", "", "_2", "predicted_label", "probability"]
    assert table.to_pylist()[1]["x_2"] == "4"


def test_quotes_that_are_characters_like_others_stay_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "new.tsv", tmp_path / "out.tsv"
    lines = [f'{n}\t"a lovely "film"' for n in range(4)]
    source.write_text("\n".join(["id\treview", *lines]) + "\n")
    assert predict(source, output) == 2
    error = capsys.readouterr().err
    assert "a quote inside a quoted field is not doubled" in error and error.endswith(
        "say so: give QUOTING=none\n"
    )
    assert predict(source, output, "QUOTING=none", "EVIDENCE=1") == 0
    header, *labelled = output.read_text().splitlines()
    assert header == "id\treview\tpredicted_label\tprobability\tevidence"
    assert [line.split("\t")[:2] for line in labelled] == [line.split("\t") for line in lines]
    assert all(isinstance(json.loads(line.split("\t")[4]), list) for line in labelled)
    (other := tmp_path / "new.csv").write_text("id,review\n0,fine\n")
    assert predict(other, output.with_suffix(".csv"), "QUOTING=none", "PROBABILITIES=1") == 2  # for `so, so`
    assert "no quotes may stand around it" in capsys.readouterr().err


def test_a_separator_that_is_not_found_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = tmp_path / "new.csv", tmp_path / "out.csv"
    source.write_text("id:review\n0:fine\n")
    assert predict(source, output) == 2
    assert capsys.readouterr().err.endswith("by another character?: name it with SEPARATOR=\n")
    assert predict(source, output, "SEPARATOR=:") == 0
    assert rows(output, ":")[0]["review"] == "fine"


def test_a_header_alone_and_a_parquet_file_give_tables_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.csv"
    source.write_text("review\n")
    assert predict(source, tmp_path / "out.csv") == 0
    assert (tmp_path / "out.csv").read_text() == "review,predicted_label,probability\n"
    assert predict(source, tmp_path / "out.parquet") == 2
    assert "there are no rows to write as Parquet" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv", "out.csv"}
    source = written(tmp_path / "rows.csv", records(60))
    assert predict(source, tmp_path / "rows.parquet", "SHARES=1") == 0
    assert main(["predict", f"INPUT={tmp_path / 'rows.parquet'}", *MODEL]) == 2
    assert "already has a column 'predicted_label'" in capsys.readouterr().err
    kept = pq.read_table(tmp_path / "rows.parquet").select(["id", "review"])
    pq.write_table(kept, tmp_path / "kept.parquet")
    assert main(["predict", f"INPUT={tmp_path / 'kept.parquet'}", *MODEL]) == 0
    assert predict(tmp_path / "kept.parquet", tmp_path / "from.csv") == 0
    assert predict(source, tmp_path / "direct.csv") == 0
    assert rows(tmp_path / "from.csv") == rows(tmp_path / "direct.csv")
    packed = pq.read_table(tmp_path / "kept.parquet.predictions.parquet")
    assert packed["predicted_label"].to_pylist() == [
        row["predicted_label"] for row in rows(tmp_path / "from.csv")
    ]


# What is refused


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["TOP=0"], "TOP=0: expected a whole number from 1"),
        (["TOP=4"], "top is 4: expected a number of labels from 1 to 3: set it with TOP="),
        (["TOP=two"], "TOP=two: expected a whole number"),
        (["TOP=²"], "TOP=²: expected a whole number"),
        (["PROBABILITIES=yes"], "PROBABILITIES=yes: expected 1, or nothing"),
        (["ABSTAIN=1.5"], "ABSTAIN=1.5: expected a probability from 0 to 1"),
        (["ABSTAIN=nan"], "ABSTAIN=nan: expected a probability"),
        (["ABSTAIN=80%"], "ABSTAIN=80%: expected a probability"),
        (["ABSTAIN=precision"], "ABSTAIN=precision: expected a probability from 0 to 1, such as 0.8, or"),
        (["SHARES=2"], "SHARES=2: expected 1, or nothing"),
        (["EVIDENCE=all"], "EVIDENCE=all: expected 1, or nothing"),
        (["EVIDENCE=1", "FORM=keras"], "evidence needs a folded model"),
        (["HARMLESS=on"], "HARMLESS=on: expected 1, or nothing"),
        (["HARMLESS=1", "OUTPUT=labelled.parquet"], "HARMLESS=1 is for what a spreadsheet opens"),
        (["FORM=int8"], "form int8: expected one of float32, int16, keras: set it with FORM="),
        (["THREADS=0"], "THREADS=0: expected a whole number from 1"),
        (
            ["TEXT=reviews"],
            "no column 'reviews' among 'id', 'review', did you mean",
        ),
        (["SEPARATOR=ab"], "SEPARATOR=ab: expected comma, tab, semicolon, pipe or one character"),
        (["QUOTING=maybe"], "QUOTING=maybe: expected csv or none"),
        (["SKIP=-1"], "SKIP=-1: expected a whole number from 0 to 1000"),
        (["UNREADABLE=1"], "UNREADABLE=1: expected a share below 1, such as 0.02"),
        (["SKIP=6"], "new.csv is empty behind line 6"),
        (["ENCODING=utf-9"], "'utf-9' is not a text encoding"),
        (["OUTPUT=missing/out.csv"], "does not exist or cannot be written"),
        (["INPUT=absent.csv"], "absent.csv does not exist"),
        (["INPUT=absent.parquet"], "absent.parquet does not exist: name a Parquet file"),
        (["INPUT="], "predict needs the rows to label"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    options: list[str], expected: str,
) -> None:  # fmt: skip
    source = written(tmp_path / "new.csv", records(5))
    monkeypatch.chdir(tmp_path)
    assert predict(source, tmp_path / "out.csv", *options) == 2
    error = capsys.readouterr().err
    assert expected in error and error.startswith("convtext: ") and error.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv"}


@pytest.mark.parametrize("name", ["probability", "evidence", "probability_of_so, so", "predicted_label_2"])
def test_a_column_that_would_be_added_twice_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source = tmp_path / "new.csv"
    source.write_text(f'review,"{name}"\nfine,1\n')
    assert predict(source, tmp_path / "out.csv", *EVERYTHING) == 2
    assert f"new.csv already has a column '{name}': rename or remove it" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv"}


@pytest.mark.parametrize(
    "name", ["out.csv", "out.csv.rejects.csv", "out.csv.partial", "out.csv.partial.json"]
)
def test_the_input_is_not_written_over_by_any_file_on_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source = written(tmp_path / name, records(5))
    before = source.read_bytes()
    assert predict(source, tmp_path / "out.csv") == 2
    assert f"{name} is the input itself" in capsys.readouterr().err
    assert source.read_bytes() == before


@pytest.mark.parametrize("name", ["manifest.json", "new.csv", "../model/text_encoder.json"])
def test_the_output_is_no_file_of_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    model = RunFolder(loading.run_folder("mr", "kim-rand")).model
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    assert predict(written(tmp_path / "new.csv", records(5)), model / name) == 2
    assert "lies in the model's folder: set it with OUTPUT=" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before


def test_the_output_is_no_image_of_the_folder_that_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "below").mkdir()
    picture = written(tmp_path / "below" / "a.png", records(1))
    before = picture.read_bytes()
    assert predict(tmp_path, picture) == 2
    assert "a.png is an image of the input" in capsys.readouterr().err
    assert picture.read_bytes() == before


def test_a_link_at_the_default_name_is_replaced_and_not_followed(tmp_path: Path) -> None:
    source, other = written(tmp_path / "new.csv", records(5)), written(tmp_path / "other.txt", records(1))
    output = Path(f"{source}.predictions.csv")
    output.symlink_to(other)
    before = other.read_bytes()
    assert predict(source, "") == 0
    assert len(rows(output)) == 5 and not output.is_symlink()
    assert other.read_bytes() == before


@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2", "/dev/fd/7"])
def test_an_open_file_is_not_replaced_by_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert predict(written(tmp_path / "new.csv", records(5)), name) == 2
    assert f"{name} is no file of its own; - is standard output" in capsys.readouterr().err


def test_links_that_lead_in_a_circle_are_one_line_or_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, loop = written(tmp_path / "new.csv", records(5)), tmp_path / "loop.csv"
    loop.symlink_to(loop)
    assert predict(loop, tmp_path / "out.csv") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert predict(source, loop) == 0
    assert len(rows(loop)) == 5


# Standard input and output


def test_the_names_of_standard_input_and_output_are_those_streams_even_where_they_are_files(
    tmp_path: Path,
) -> None:
    source, output = written(tmp_path / "new.csv", records(20)), tmp_path / "out.csv"
    assert predict(source, tmp_path / "expected.csv") == 0
    for given, target in (("/dev/stdin", ""), ("/dev/fd/0", "/dev/stdout"), ("-", "/proc/self/fd/1")):
        with source.open("rb") as read, output.open("wb") as write:
            inode = output.stat().st_ino
            done = subprocess.run(
                command(f"INPUT={given}", f"OUTPUT={target}"), cwd=ROOT, stdin=read, stdout=write,
                stderr=subprocess.PIPE, timeout=120,
            )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert output.stat().st_ino == inode
        assert output.read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_standard_input_goes_to_standard_output_with_all_words_beside_it(tmp_path: Path) -> None:
    lines = [*records(100), "ragged"]
    source = written(tmp_path / "new.csv", lines)
    assert predict(source, tmp_path / "out.csv", "TOP=2") == 0
    done = run("INPUT=-", "TOP=2", input=source.read_bytes())
    assert done.returncode == 0
    assert done.stdout == (tmp_path / "out.csv").read_bytes()
    told = done.stderr.decode()
    assert "line 102 was left out: 1 field where the header has 2" in told
    assert "100 rows labelled" in told and "standard output" in told and "Traceback" not in told


def test_a_reader_that_has_enough_ends_it_without_a_word(tmp_path: Path) -> None:
    source = written(tmp_path / "new.csv", records(20_000))
    with subprocess.Popen(
        command(f"INPUT={source}", "OUTPUT=-"), cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout and process.stderr
        assert process.stdout.readline().startswith(b"id,review,predicted_label")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_neither_tensorflow_nor_what_else_is_slow_is_imported(tmp_path: Path) -> None:
    source = written(tmp_path / "new.csv", records(20))
    heavy = (
        "{'tensorflow', 'keras', 'mlflow', 'gensim', 'sklearn', 'pandas', 'matplotlib', 'fsspec', 'pyarrow'}"
    )
    code = (
        "import sys\nfrom pipeline.__main__ import main\nassert main(sys.argv[1:]) == 0\n"
        f"print(*{heavy} & set(sys.modules), file=sys.stderr)"
    )
    arguments = ["predict", f"INPUT={source}", *MODEL, *EVERYTHING]
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert len(rows(tmp_path / "new.csv.predictions.csv")) == 20


# Interruptions

OFTEN = (  # blocks so small, and notes so frequent, that a moment's work can be interrupted
    "import functools\nfrom pipeline.prediction import resumable\nfrom pipeline.tables import formats\n"
    "resumable.CHECKPOINT_SECONDS = {seconds}\n"
    "formats.CsvBlocks = functools.partial(formats.CsvBlocks, block_size=4096)\n"
)
SLOW = ["EVIDENCE=1"]  # beside which all else takes no time


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A folder with rows that take some seconds, and their labels as an undisturbed pass writes them."""
    folder = tmp_path_factory.mktemp("many")
    source = written(folder / "many.csv", [*records(10_000), "ragged"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVTEXT_DATA", str(data))
        assert predict(source, folder / "whole.csv", *SLOW) == 0
    return folder


def disturbed(source: Path, output: Path, how: signal.Signals, seconds: float = 0.01) -> tuple[int, str]:
    """The exit code and words of a pass that gets a signal once it has written, and noted if it notes, some
    rows."""
    sign = Path(f"{output}.partial.json") if seconds < 60 else Path(f"{output}.partial")
    arguments = [f"INPUT={source}", f"OUTPUT={output}", *SLOW]
    with subprocess.Popen(
        command(*arguments, before=OFTEN.format(seconds=seconds)), cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 100
        while not (sign.exists() and sign.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(how)
        _, told = process.communicate(timeout=60)
    assert not output.exists()
    return process.returncode, told


def test_interrupted_on_standard_output_it_does_not_say_that_nothing_is_left(many: Path) -> None:
    with subprocess.Popen(
        command(f"INPUT={many / 'many.csv'}", "OUTPUT=-", *SLOW, before=OFTEN.format(seconds=1000)),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.splitlines()[-1] == b"convtext: predict was interrupted; standard output ends where it was"


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_killed_it_leaves_no_output_and_the_same_command_goes_on_to_the_same_bytes(
    many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    output = tmp_path / name
    assert disturbed(many / "many.csv", output, signal.SIGKILL)[0] == -signal.SIGKILL
    assert predict(many / "many.csv", output, *SLOW) == 0
    said = capsys.readouterr()
    assert "predict: going on after row" in said.err
    assert "10,000 rows labelled" in said.out and "rows that could not be read: 1" in said.out
    found = output.read_bytes()
    assert (gzip.decompress(found) if name.endswith(".gz") else found) == (many / "whole.csv").read_bytes()
    rejects = Path(f"{output}.rejects.csv")
    assert rejects.read_bytes() == (many / "whole.csv.rejects.csv").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {name, rejects.name}


def test_interrupted_it_says_that_the_same_command_goes_on_and_it_does(
    many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.csv"
    code, told = disturbed(many / "many.csv", output, signal.SIGINT)
    assert code == 130
    assert told.splitlines()[-1] == "convtext: predict was interrupted; the same command goes on from there"
    assert "Traceback" not in told
    assert predict(many / "many.csv", output, *SLOW) == 0
    assert "predict: going on after row" in capsys.readouterr().err
    assert output.read_bytes() == (many / "whole.csv").read_bytes()


def test_interrupted_before_the_first_note_it_says_that_nothing_is_left_and_leaves_nothing(
    many: Path, tmp_path: Path
) -> None:
    code, told = disturbed(many / "many.csv", tmp_path / "out.csv", signal.SIGINT, seconds=1000)
    assert (code, told.splitlines()[-1]) == (
        130,
        "convtext: predict was interrupted; nothing half-written is left",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_parquet_file_is_gone_on_with_too(
    many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.Table.from_pylist(rows(many / "many.csv")[:300])
    source, output = tmp_path / "new.parquet", tmp_path / "out.csv"
    pq.write_table(table, source, row_group_size=70)
    assert predict(source, tmp_path / "whole.csv") == 0
    monkeypatch.setattr("pipeline.tables.parquet.BATCH_ROWS", 50)
    monkeypatch.setattr("pipeline.prediction.resumable.CHECKPOINT_SECONDS", 0)
    # A limit on the size of files is a full disk, and needs no disk.
    with limited((tmp_path / "whole.csv").stat().st_size // 2):
        assert predict(source, output, "THREADS=1") == 2
    assert "the same command goes on from there" in capsys.readouterr().err
    assert predict(source, output, "THREADS=1") == 0
    assert "predict: going on after row" in capsys.readouterr().err
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()


class limited:
    """No file of this process grows beyond so many bytes."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._size, self._before[1]))

    def __exit__(self, *exception: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_a_full_disk_is_one_line_that_names_the_file_and_leaves_nothing_half_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source = written(tmp_path / "new.csv", records(2000))
    with limited(8000):
        assert predict(source, tmp_path / name) == 2
    error = capsys.readouterr().err
    assert error.startswith("convtext: predict: ") and error.count("\n") == 1 and name in error
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv"}


def test_after_a_full_disk_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.tables.formats.CsvBlocks", partial(CsvBlocks, block_size=900))
    monkeypatch.setattr("pipeline.prediction.resumable.CHECKPOINT_SECONDS", 0)
    source, output = written(tmp_path / "new.csv", records(6000)), tmp_path / "out.csv"
    assert predict(source, tmp_path / "whole.csv") == 0
    capsys.readouterr()
    with limited((tmp_path / "whole.csv").stat().st_size // 2):
        assert predict(source, output) == 2
    error = capsys.readouterr().err
    assert error.endswith(f"'{output}'; the same command goes on from there\n") and error.count("\n") == 1
    assert not output.exists()
    assert predict(source, output) == 0
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()

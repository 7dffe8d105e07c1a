"""What a user can get wrong ends in one line with the remedy, exit code 2, and nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.__main__ import main

GOOD = "text,label\n" + "".join(f"text number {n},{'ab'[n % 2]}\n" for n in range(40))


def run(*arguments: str) -> int:
    return main(list(arguments))


def prepare(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = run("configure", f"CORPUS={path}", "MODEL=kim-rand", *options)
    if code == 0:
        folder = Path(capsys.readouterr().out.strip()).parent
        code = run("stage", "prepare", str(folder))
        assert code == 0 or not list(folder.glob("rows.parquet"))
        assert not list(folder.glob(".partial*"))
    return code, capsys.readouterr().err


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))


def with_line(line: bytes) -> bytes:
    return GOOD.encode() + line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ["reviews.csv is empty"]),
        (b"text,label\n", ["reviews.csv", "no rows"]),
        (b"text,label\n" + b"same class,a\n" * 9, ["reviews.csv", "'a'", "two classes"]),
        (b"text,label\n" + b"".join(b"a text,label %d\n" % n for n in range(9)), ["9 of 9 rows", "LABEL="]),
        (with_line(b"no label,\n" * 3), ["reviews.csv: 3 of 43 rows", "line 42: no label", "BLANK="]),
        (with_line(b" ,a\n" * 3), ["reviews.csv: 3 of 43 rows", "line 42: no text", "BLANK="]),
        (b"text,label\n" + b",\n" * 9, ["reviews.csv, line 2", "no text"]),
        (
            with_line(b"caf\xe9,a\n"),
            ["1 of 41 rows (2.44%) cannot be read", "line 42: byte 0xe9", "ENCODING="],
        ),
        (with_line(b"nul\0,a\n"), ["reviews.csv: 1 of 41 rows", "line 42: a NUL", "UNREADABLE="]),
        (with_line(b'"unclosed,a\nnext,b\n'), ["1 of 42 rows", "line 42: a quote", "QUOTING=none"]),
        (with_line(b"one,two,three\n"), ["reviews.csv: 1 of 41 rows", "line 42: 3 fields", "UNREADABLE="]),
        (with_line(b"one\n"), ["reviews.csv: 1 of 41 rows", "line 42: 1 field"]),
        (b"text,label,text\n" + b"a,b,c\n" * 9, ["reviews.csv, line 1", "'text'"]),
        (
            with_line(b"x" * 10_000_000 + b",a\n"),
            ["1 of 41 rows", "line 42: a line of", "characters or more"],
        ),
        (b"PK\x03\x04" + b"\0" * 100, ["reviews.csv looks like an Excel workbook"]),
        (GOOD.encode("utf-16")[:-1], ["reviews.csv, after line", "not utf-16-le", "ENCODING="]),
        (GOOD.partition("\n")[2].encode(), ["line 1", "looks like data, as 'a'", "write a line with"]),
        (b"Reviews\n\n" + GOOD.replace("text", "review").encode(), ["below titles: skip 2 lines", "SKIP="]),
        (b"review,label\n" + b"a,b\n" * 9, ["no column 'text'", "'review', 'label'"]),
        (b"texts,label\n" + b"a,b\n" * 9, ["no column 'text'", "did you mean 'texts'?"]),
    ],
)
def test_a_bad_training_file_is_named_with_line_and_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, expected: list[str]
) -> None:
    path = tmp_path / "reviews.csv"
    path.write_bytes(content)
    code, error = prepare(path, capsys)
    assert code == 2
    assert error.startswith("convtext: ") and error.count("\n") == 1
    for part in expected:
        assert part in error


def test_rows_that_are_set_aside_are_listed_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "reviews.csv"
    more = "".join(f"more {n},{'ab'[n % 2]}\n" for n in range(2000))
    path.write_text(GOOD + more + " ,a\nragged, row,a\n,b\ncafé,b\n")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9"))
    assert run("configure", f"CORPUS={path}", "MODEL=kim-rand") == 0
    folder = Path(capsys.readouterr().out.strip()).parent
    assert run("stage", "prepare", str(folder)) == 0
    said = capsys.readouterr().out
    assert said.endswith(
        f"  rows set aside, with line and reason: {folder}/rejects.csv\n"
        "    no text: 2\n    3 fields where the header has 2: 1\n    bytes that are not utf-8: 1\n"
    )
    assert (folder / "rejects.csv").read_text().splitlines() == [
        "file,line,last_line,reason", f"{path},2042,2042,no text",
        f"{path},2043,2043,3 fields where the header has 2", f"{path},2044,2044,no text",
        f"{path},2045,2045,byte 0xe9 at position 4 of line 2045 is not utf-8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("\ufeffsep=;\r\ntext;label\r\n", []),
        ("text;label;price, EUR\n", []),
        ("text|label\n", []),
        ("text,label,,,\n", []),
        ("text,label,x,x\n", []),
        ("Export of reviews\n\ntext,label\n", ["SKIP=2"]),
        ("text:label\n", ["SEPARATOR=:"]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_is_read_as_people_have_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: list[str], encoding: str
) -> None:
    path = tmp_path / "reviews.csv"
    header = content.splitlines()[-1]
    separator = header[header.index("label") - 1]
    more = separator * header.count(separator)  # one beyond the header
    lines = "".join(f"text number {n}, fine{separator}{'ab'[n % 2]}{more}\n" for n in range(40))
    if separator == ",":
        lines = lines.replace(", fine", "")
    path.write_text(content + lines, encoding, newline="")
    assert prepare(path, capsys, *words) == (0, "")
    (table,) = (tmp_path / "data" / "build").glob("*/rows.parquet")
    rows = pd.read_parquet(table)
    assert len(rows) == 40 and rows["text"][3].startswith("text number 3")


def test_a_test_file_of_other_labels_alone_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.csv").write_text(GOOD)
    (tmp_path / "test.csv").write_text("text,label\nfine,A\nodd,B\n")
    code, error = prepare(tmp_path / "train.csv", capsys, f"TEST={tmp_path / 'test.csv'}")
    assert code == 2
    assert error.endswith("differ in case alone: make one class of each with CASE=ignore\n"), error


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("CASE=lower", "CASE: source.case: input should be 'keep' or 'ignore', found 'lower'"),
        ("RARE=yes", "RARE: source.rare: input should be 'drop', 'keep' or 'error', found 'yes'"),
    ],
)
def test_a_word_for_the_classes_has_few_values(
    word: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.csv").write_text(GOOD)
    code, error = prepare(tmp_path / "train.csv", capsys, word)
    assert code == 2 and said in error, error


def test_the_encoding_that_the_message_asks_for_is_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "reviews.csv"
    for encoding in ("windows-1252", "utf-16"):
        path.write_bytes((GOOD + "café,a\n").encode(encoding))
        assert prepare(path, capsys, f"ENCODING={encoding}")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["CORPUS=missing.csv"], "missing.csv: no such file"),
        (["CORPUS=trek"], "did you mean 'trec'"),
        (["CORPUS=mr", "SET=train.epoch=3"], "did you mean 'train.epochs'"),
        (["CORPUS=mr", "SET=train.epochs=many"], "found 'many'"),
        (["CORPUS=mr", "SET=embed.vectors=missing.vec"], "missing.vec: no such file"),
    ],
)
def test_a_bad_request_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert run("configure", "MODEL=kim-rand", *arguments) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1
    assert not list(tmp_path.rglob("*.json"))


def test_options_for_a_csv_are_refused_where_the_corpus_is_no_csv(capsys: pytest.CaptureFixture[str]) -> None:
    for corpus in ("docstrings", "mr"):
        assert run("configure", f"CORPUS={corpus}", "MODEL=kim-rand", "TEST=held.csv") == 2
        assert "TEST= is for a CSV" in capsys.readouterr().err


def test_a_test_file_with_nothing_but_blanks_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.csv").write_text(GOOD * 50)
    (tmp_path / "test.csv").write_text("text,label\n ,a\n")
    code, error = prepare(tmp_path / "train.csv", capsys, f"TEST={tmp_path / 'test.csv'}")
    assert code == 2
    assert "test.csv, line 2: no text" in error


@pytest.mark.parametrize("seed", ["-1", "99999999999", "1.5"])
def test_a_seed_that_no_generator_takes_is_refused(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("configure", "CORPUS=mr", "MODEL=kim-rand", f"SET=seed={seed}") == 2
    assert "SET: seed: " in capsys.readouterr().err


def test_predict_does_not_write_over_its_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "text\nfine\n"
    for name, output in [("a.csv", "a.csv"), ("b.csv.rejects.csv", "b.csv")]:
        (tmp_path / name).write_text(text)
        arguments = [f"INPUT={tmp_path / name}", f"OUTPUT={tmp_path / output}"]
        assert run("predict", *arguments, "CORPUS=mr", "MODEL=kim-rand") == 2
        assert "is the input itself" in capsys.readouterr().err
        assert (tmp_path / name).read_text() == text
    assert run("predict", f"INPUT={tmp_path / 'a.csv'}", "OUTPUT=/dev/null", "CORPUS=mr",
               "MODEL=kim-rand") == 2  # fmt: skip
    assert "/dev/null is not a file" in capsys.readouterr().err


def test_predict_suggests_the_corpus_and_model_that_were_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.csv").write_text("text\nfine\n")
    for corpus, model, meant in [("trek", "kim-rand", "trec"), ("mr", "kim-rnd", "kim-rand")]:
        assert run("predict", f"INPUT={tmp_path / 'new.csv'}", f"CORPUS={corpus}", f"MODEL={model}") == 2
        assert f"did you mean '{meant}'" in capsys.readouterr().err


def test_predict_before_train_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.csv").write_text("text\nfine\n")
    arguments = [f"INPUT={tmp_path / 'new.csv'}", "CORPUS=mr", "MODEL=kim-rand"]
    assert run("predict", *arguments) == 2
    assert "run `make train CORPUS=mr MODEL=kim-rand` first" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.predictions.csv"))


def test_out_of_scope_rows_are_in_a_file_of_their_own_and_in_no_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(GOOD + "first other,oos\nsecond other,oos\n")
    assert run("configure", f"CORPUS={path}", "MODEL=kim-rand", "OTHER=oos") == 0
    folder = Path(capsys.readouterr().out.strip()).parent
    assert run("stage", "prepare", str(folder)) == 0
    assert "  out-of-scope rows, compared with the test part: 2, labelled oos\n" in capsys.readouterr().out
    others, rows = (pd.read_parquet(folder / f"{name}.parquet") for name in ("other_rows", "rows"))
    assert others.to_dict("list") == {
        "file": [str(path)] * 2, "line": [42, 43], "text": ["first other", "second other"],
    }  # fmt: skip
    assert len(rows) == 40 and not set(rows["text"]) & set(others["text"])
    assert json.loads((folder / "labels.json").read_text()) == ["a", "b"]
    assert prepare(path, capsys)[0] == 0  # without OTHER, its rows are a class like any other
    assert not (folder / "other_rows.parquet").exists()
    assert json.loads((folder / "labels.json").read_text()) == ["a", "b", "oos"]


def test_a_long_label_of_out_of_scope_rows_fits_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, label = tmp_path / "reviews.csv", "outside " * 40
    path.write_text(GOOD + f"first other,{label}\n")
    assert run("configure", f"CORPUS={path}", "MODEL=kim-rand", f"OTHER={label.strip()}") == 0
    folder = Path(capsys.readouterr().out.strip()).parent
    assert run("stage", "prepare", str(folder)) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "outside outside" in line)
    assert len(line) <= 79


def test_a_file_of_nothing_but_out_of_scope_rows_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, others = tmp_path / "train.csv", tmp_path / "others.csv"
    train.write_text(GOOD)
    others.write_text("text,label\nfirst other,oos\nsecond other,oos\n")
    for path, *options in ((others,), (train, f"TEST={others}")):
        code, said = prepare(path, capsys, *options, "OTHER=oos")
        assert code == 2 and f"{others}: all 2 rows have the label 'oos'" in said, said
        assert said.count("\n") == 1 and said.endswith("set it with OTHER=\n")


def test_a_label_of_out_of_scope_rows_that_no_row_has_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(GOOD)
    code, said = prepare(path, capsys, "OTHER=oos")
    assert code == 2 and said.endswith("set it with OTHER=\n"), said

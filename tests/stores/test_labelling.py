"""`predict` with files of an S3 server: the bytes of the local command, or an error and nothing."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.stores import filesystems
from tests.prediction.model_folders import save_image_model, save_text_model
from tests.stores.s3_server import S3Server

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's variables, under NumPy 2.4.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
INPUT = "s3://bucket/in/new.csv"
OUTPUT = "s3://bucket/out.csv"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_text_model(folder)
    return folder


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    """Rows of more than two blocks and two parts."""
    pick = random.Random(1)
    words = [f"w{number}" for number in range(2, 10)] + ["zzz", "é,", '"x"']
    return [[str(number), " ".join(pick.choices(words, k=40))] for number in range(200_000)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> Path:
    path = tmp_path_factory.mktemp("large") / "new.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "review"], *rows])
    assert path.stat().st_size > 2 * filesystems.PART_BYTES
    return path


@pytest.fixture
def predict(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    return lambda source, output, *more: main(
        ["predict", f"MODEL={model}", f"INPUT={source}", f"OUTPUT={output}", *more]
    )


def write(path: Path, rows: list[list[str]]) -> None:
    """Write the rows in the form that the name says."""
    records = [{"id": number, "review": text} for number, text in rows]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(records), path, row_group_size=len(rows) // 3)
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in [["id", "review"], *rows]:
            book.active.append(row)
        book.save(path)
    else:
        packed, ending = path.suffix == ".gz", path.name.partition(".")[2].removesuffix(".gz")
        opener = gzip.open if packed else open
        with opener(path, "wt", encoding="utf-8", newline="") as file:
            if ending == "jsonl":
                file.writelines(f"{json.dumps(record)}\n" for record in records)
            else:
                writer = csv.writer(file, delimiter="\t" if ending == "tsv" else ",")
                writer.writerows([["id", "review"], *rows])
                file.write("ragged\n")


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "jsonl", "jsonl.gz", "parquet"])
def test_a_file_of_a_store_has_the_labels_of_a_local_one_byte_by_byte(
    s3: S3Server, predict: Callable[..., int], rows: list[list[str]], tmp_path: Path, ending: str
) -> None:
    source, expected = tmp_path / f"new.{ending}", tmp_path / f"expected.{ending}"
    write(source, rows[:6_000])
    s3.put(f"in/new.{ending}", source.read_bytes())
    assert predict(source, expected, "TOP=2") == 0
    assert predict(f"s3://bucket/in/new.{ending}", f"s3://bucket/out.{ending}", "TOP=2") == 0
    assert s3.get(f"out.{ending}") == expected.read_bytes()
    assert predict(f"s3://bucket/in/new.{ending}", tmp_path / f"local.{ending}", "TOP=2") == 0
    assert (tmp_path / f"local.{ending}").read_bytes() == expected.read_bytes()
    rejects = Path(f"{expected}.rejects.csv")
    assert s3.keys() == {f"in/new.{ending}", f"out.{ending}"} | (
        {f"out.{ending}.rejects.csv"} if rejects.exists() else set()
    )
    if rejects.exists():
        assert s3.get(f"out.{ending}.rejects.csv") == rejects.read_bytes()


def test_a_workbook_is_read_and_written_too(
    s3: S3Server, predict: Callable[..., int], rows: list[list[str]], tmp_path: Path
) -> None:
    write(tmp_path / "new.xlsx", rows[:50])
    s3.put("new.xlsx", (tmp_path / "new.xlsx").read_bytes())
    assert predict(tmp_path / "new.xlsx", tmp_path / "out.csv") == 0
    assert predict("s3://bucket/new.xlsx", "s3://bucket/out.xlsx") == 0
    assert predict("s3://bucket/out.xlsx", "s3://bucket/out.csv", "EVIDENCE=1") == 2  # labelled already
    (tmp_path / "out.xlsx").write_bytes(s3.get("out.xlsx"))
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [[str(cell.value) for cell in row][:3] for row in sheet] == [
            row[:3] for row in csv.reader(file)
        ]


def test_a_file_of_several_blocks_and_parts_is_labelled_too(
    s3: S3Server, predict: Callable[..., int], large: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put("in/new.csv", large.read_bytes())
    assert predict(large, tmp_path / "out.csv") == 0
    capsys.readouterr()
    assert predict(INPUT, "") == 0
    name = f"{INPUT}.predictions.csv"
    assert "200,000 rows labelled" in (told := capsys.readouterr().out) and told.splitlines()[0].endswith(
        name
    )
    assert s3.get("in/new.csv.predictions.csv") == (tmp_path / "out.csv").read_bytes()
    assert sum("partNumber=" in path for _, path in s3.requests) > 2
    assert sum(method == "GET" and path.endswith("/in/new.csv") for method, path in s3.requests) > 2


def test_rejects_are_named_by_their_address_and_go_with_the_last_of_them(
    s3: S3Server, predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put("in/new.csv", b"review\nw2\na,b\n")
    assert predict(INPUT, OUTPUT) == 2
    told = capsys.readouterr()
    assert f"they are listed in {OUTPUT}.rejects.csv" in told.out
    assert f"(all are listed in {OUTPUT}.rejects.csv)" in told.err
    s3.put("in/new.csv", b"review\nw2\n")
    assert predict(INPUT, OUTPUT) == 0
    assert s3.keys() == {"in/new.csv", "out.csv"}


@pytest.mark.parametrize("output", [INPUT, "s3://bucket/in/new"])
def test_the_input_is_neither_the_output_nor_its_list_of_rejects(
    s3: S3Server, predict: Callable[..., int], capsys: pytest.CaptureFixture[str], output: str
) -> None:
    source = INPUT if output == INPUT else f"{output}.rejects.csv"
    s3.put(source.removeprefix("s3://bucket/"), b"review\nw2\n")
    assert predict(source, output) == 2
    assert f"{source} is the input itself" in capsys.readouterr().err
    assert len(s3.keys()) == 1


def test_images_are_not_read_from_a_store(
    s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_image_model(tmp_path / "images")
    s3.put("pictures/new.csv", b"path\na.png\n")
    for source, problem in [
        (
            "s3://bucket/pictures/new.csv",
            "images are read from this machine alone: copy them and their CSV here",
        ),
        ("s3://bucket/pictures/", "is a folder: name a file; of images, copy the folder here"),
        ("s3://bucket/pictures", "is a folder: name a CSV file"),
    ]:
        assert main(["predict", f"MODEL={tmp_path / 'images'}", f"INPUT={source}"]) == 2
        assert problem in capsys.readouterr().err


@pytest.mark.parametrize("how", ["500", "cut", "empty"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("is_remote", [True, False])
def test_a_server_that_fails_midway_is_one_line_and_leaves_nothing(
    s3: S3Server, predict: Callable[..., int], large: Path, rows: list[list[str]], tmp_path: Path,
    capsys: pytest.CaptureFixture[str], how: str, ending: str, is_remote: bool,
) -> None:  # fmt: skip
    source = large
    if ending == "parquet":
        source = tmp_path / "new.parquet"
        write(source, rows)
    s3.put(f"in/new.{ending}", source.read_bytes())
    s3.put(f"out.{ending}", b"old")
    (tmp_path / "out").mkdir()
    output = f"s3://bucket/out.{ending}" if is_remote else tmp_path / "out" / f"out.{ending}"
    reads = [0]

    def failure(method: str, path: str) -> str:
        reads[0] += method == "GET" and path.endswith(f"/in/new.{ending}")
        return how if reads[0] > (1 if ending == "csv" else 8) and "/in/new" in path else ""

    s3.failure = failure
    assert predict(f"s3://bucket/in/new.{ending}", output) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"convtext: s3://bucket/in/new.{ending} cannot be read") and told.count("\n") == 1
    s3.failure = lambda method, path: ""
    assert s3.keys() == {f"in/new.{ending}", f"out.{ending}"} and s3.get(f"out.{ending}") == b"old"
    assert list((tmp_path / "out").iterdir()) == []


# Interruptions


class Run:
    """The command in a process of its own, with a folder of its own for temporary files."""

    def __init__(self, folder: Path, *words: str, before: str = "") -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        code = f"import sys\n{before}\nfrom pipeline.__main__ import main, script\nscript()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, "predict", *words],
            cwd=ROOT, env=os.environ | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self, how: signal.Signals, s3: S3Server | None = None) -> tuple[int, str]:
        """Send a signal, let the server go on a moment later, and return the exit code and what was said."""
        self._process.send_signal(how)
        if s3:
            time.sleep(1)
            s3.may_go.set()
        _, told = self._process.communicate(timeout=60)
        assert "Traceback" not in told
        return self._process.returncode, told


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("step", ["reading", "reading Parquet", "putting", "putting in parts"])
def test_interrupted_it_changes_nothing(
    s3: S3Server,
    model: Path,
    large: Path,
    rows: list[list[str]],
    tmp_path: Path,
    how: signal.Signals,
    step: str,
) -> None:
    source = large
    if step == "reading Parquet":
        source = tmp_path / "new.parquet"
        write(source, rows)
    content = source.read_bytes()
    if step == "putting":  # at once, though it is still more than the buffers of the connection hold
        content = content[: content.rindex(b"\n", 0, filesystems.PART_BYTES) + 1]
    s3.put(f"in/{source.name}", content)
    s3.put("out.csv", b"old")
    reads = [0]

    def hold(method: str, path: str) -> str:
        if step.startswith("reading"):
            reads[0] += method == "GET" and "in/new" in path
            return "hold" if reads[0] == (2 if step == "reading" else 8) else ""
        part = "partNumber=2" if step == "putting in parts" else "/out.csv"
        return "hold" if method == "PUT" and part in path else ""

    s3.failure = hold
    run = Run(tmp_path, f"MODEL={model}", f"INPUT=s3://bucket/in/{source.name}", f"OUTPUT={OUTPUT}")
    assert s3.has_come.wait(60)
    code, told = run.end(how, s3 if step == "putting in parts" else None)
    s3.may_go.set()
    assert code == (-how if how == signal.SIGKILL else 130)
    if how != signal.SIGKILL:
        assert told.strip() == "convtext: predict was interrupted; nothing half-written is left"
        assert list(run.temporary.iterdir()) == []
        assert s3.uploads() == 0
    assert s3.keys() == {f"in/{source.name}", "out.csv"}
    assert s3.get("out.csv") == b"old"


OFTEN = (  # blocks so small, and notes so frequent, that a moment's work can be interrupted
    "import functools\nfrom pipeline.prediction import resumable\nfrom pipeline.tables import formats\n"
    "resumable.CHECKPOINT_SECONDS = 0.01\n"
    "formats.CsvBlocks = functools.partial(formats.CsvBlocks, block_size=4096)\n"
)


@pytest.mark.parametrize("is_changed", [False, True])
def test_a_local_output_goes_on_while_the_object_is_the_same(
    s3: S3Server, predict: Callable[..., int], model: Path, rows: list[list[str]], tmp_path: Path,
    capsys: pytest.CaptureFixture[str], is_changed: bool,
) -> None:  # fmt: skip
    write(tmp_path / "same.csv", rows[:3_000])
    s3.put("in/new.csv", (tmp_path / "same.csv").read_bytes())
    output = tmp_path / "out.csv"
    run = Run(tmp_path, f"MODEL={model}", f"INPUT={INPUT}", f"OUTPUT={output}", "EVIDENCE=1", before=OFTEN)
    note, deadline = Path(f"{output}.partial.json"), time.monotonic() + 60
    while not note.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    code, told = run.end(signal.SIGTERM)
    assert code == 130 and told.endswith("the same command goes on from there\n")
    if is_changed:
        write(tmp_path / "same.csv", rows[1:3_000])
        s3.put("in/new.csv", (tmp_path / "same.csv").read_bytes())
    assert predict(INPUT, output, "EVIDENCE=1") == 0
    assert ("going on after row" in capsys.readouterr().err) == (not is_changed)
    assert predict(tmp_path / "same.csv", tmp_path / "expected.csv", "EVIDENCE=1") == 0
    assert output.read_bytes() == (tmp_path / "expected.csv").read_bytes()

"""Files that are small, and would be large in memory: refused in one line, or read in bounded memory."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.project import Project

pytestmark = pytest.mark.slow

MEGABYTES = 1 << 20
LINES = ("a lovely film", "an awful film", "lovely lovely film", "awful awful film")

# A process's peak begins with the size of the one that starts it: that must be small.
LAUNCHER = """
import resource, subprocess, sys
memory, peak, *words = sys.argv[1:]
limits = (int(memory),) * 2 if int(memory) else resource.getrlimit(resource.RLIMIT_AS)
limit = lambda: resource.setrlimit(resource.RLIMIT_AS, limits)
done = subprocess.run([sys.executable, "-m", "pipeline", *words], preexec_fn=limit)
with open(peak, "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(done.returncode)
"""


@dataclass
class Done:
    """What became of a command: its exit code, its words, and the memory it took at most, in megabytes."""

    code: int
    output: str
    error: str
    peak: float

    def is_one_line(self, words: str) -> None:
        """Check that it was refused in one line with these words."""
        assert self.code == 2, self.error
        lines = self.error.splitlines()
        assert len(lines) == 1 and lines[0].startswith("convtext: ") and words in lines[0], self.error


class Product:
    """The command line, with a model of texts and one of images trained."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder = project, folder
        rows = "".join(f"{text} {number},{text.split()[1]}\n" for number in range(20) for text in LINES)
        self.corpus = folder / "corpus.csv"
        self.corpus.write_text(f"text,label\n{rows}")
        for words in (
            [f"CORPUS={self.corpus}", "TEXT=text", "LABEL=label", "MODEL=kim-rand", f"SET={project.tiny()}"],
            ["CORPUS=digits", "MODEL=image_cnn", "SET=train.epochs=1"],
        ):
            done = project.make(folder / "data", "train", *words)
            assert done.returncode == 0, done.stderr

    def run(self, *arguments: str | Path, cwd: Path | None = None, memory: int = 0) -> Done:
        """Run `python -m pipeline`, within so many megabytes of address space if any are given."""

        environment = self.project.environment(self.folder / "data")
        environment["PYTHONPATH"] = str(self.project.root)
        peak = self.folder / "peak"
        done = subprocess.run(
            [sys.executable, "-c", LAUNCHER, str(memory * MEGABYTES), str(peak), *map(str, arguments)],
            cwd=cwd or self.project.root, env=environment, text=True, errors="replace", timeout=300,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr, int(peak.read_text()) / 1024)

    def predict(self, source: Path, *words: str) -> Done:
        """Label the texts of a file."""
        output = self.folder / "labelled.csv"
        return self.run(
            "predict", f"INPUT={source}", f"OUTPUT={output}", f"CORPUS={self.corpus}", "MODEL=kim-rand",
            "THREADS=2", *words,
        )  # fmt: skip


@pytest.fixture(scope="module")
def product(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Product:
    return Product(project, tmp_path_factory.mktemp("bombs"))


@pytest.fixture(autouse=True)
def _nothing_is_left(product: Product) -> Iterator[None]:
    yield
    for path in product.folder.glob("labelled.csv*"):
        assert not path.name.endswith((".partial", ".json"))
        path.unlink()


# Parquet


def one_string_in_each_row(path: Path) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_500, np.int32)), pa.array(["film " * 60_000]))
    table = pa.table({"text": column})
    with pq.ParquetWriter(path, table.schema, store_schema=False, compression="zstd") as writer:
        writer.write_table(table)


def one_string_of_a_stored_dictionary(path: Path) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_500, np.int32)), pa.array(["film " * 60_000]))
    pq.write_table(pa.table({"text": column}), path, compression="zstd")


def strings_that_repeat_the_one_before(path: Path) -> None:
    table = pa.table({"text": ["film " * 60_000] * 1_500})
    encoding = {"text": "DELTA_BYTE_ARRAY"}
    pq.write_table(table, path, use_dictionary=False, column_encoding=encoding, compression="zstd")


def plain_strings(path: Path) -> None:
    pq.write_table(
        pa.table({"text": ["film " * 60_000] * 1_500}), path, use_dictionary=False, compression="zstd"
    )


def long_values_beside_the_texts(path: Path) -> None:
    values = [[b"x" * 300_000]] * 1_000
    pq.write_table(pa.table({"text": ["film"] * 1_000, "other": values}), path, compression="zstd")


@pytest.mark.parametrize(
    "write",
    [
        one_string_in_each_row,
        one_string_of_a_stored_dictionary,
        strings_that_repeat_the_one_before,
        plain_strings,
        long_values_beside_the_texts,
    ],
    ids=lambda write: write.__name__.replace("_", " "),
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_parquet_is_labelled_in_bounded_memory(
    product: Product, tmp_path: Path, write: Callable[[Path], None], ending: str
) -> None:
    write(tmp_path / "new.parquet")
    done = product.predict(tmp_path / "new.parquet", f"OUTPUT={tmp_path / f'labelled.{ending}'}")
    assert done.code == 0 and "rows labelled" in done.output, done.error
    assert done.peak < 1_200  # of 450 MB of text: a page of plain strings, 307 MB, unpacks at once


def test_a_parquet_list_of_a_hundred_million_values_is_refused(product: Product, tmp_path: Path) -> None:
    count = 300_000_000
    lists = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), pa.array(np.zeros(count, np.bool_)))
    pq.write_table(pa.table({"text": ["film"], "lists": lists}), tmp_path / "new.parquet", compression="zstd")
    done = product.predict(tmp_path / "new.parquet")
    done.is_one_line("as in a decompression bomb")
    assert done.peak < 500


# CSV


def endless_line(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"text\n")
        for _ in range(400):
            file.write(b"film " * 200_000)


def endless_field(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'text\n"')
        for _ in range(400):
            file.write(b"film\n" * 200_000)


def packed(path: Path) -> None:
    with gzip.open(path, "wb", 1) as file:
        file.write(b"text\n")
        for _ in range(1_000):
            file.write(bytes(1 << 20))


def of_nul(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"text\n")
        file.truncate(500 * MEGABYTES)


def wide_rows(path: Path) -> None:
    path.write_bytes(b"text\n" + (b"," * 1_000_000 + b"\n") * 30)


@pytest.mark.parametrize(
    "write", [endless_line, endless_field, packed, of_nul, wide_rows], ids=lambda write: write.__name__
)
def test_csv_is_read_in_bounded_memory(
    product: Product, tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / ("new.csv.gz" if write is packed else "new.csv")
    write(path)
    done = product.predict(path)
    assert "rows that could not be read" in done.output, done.error
    if write is endless_field:  # whose other lines are rows
        assert done.code == 0, done.error
    else:
        done.is_one_line("(100.00%) cannot be read where 1% are allowed")
    assert done.peak < 700


@pytest.mark.parametrize("columns", [1_000, 1_000_000])
def test_a_header_of_many_columns_is_no_matter(product: Product, tmp_path: Path, columns: int) -> None:
    path = tmp_path / "new.csv"
    path.write_text(",".join(["text", *(f"c{n}" for n in range(columns))]) + "\nfilm" + "," * columns + "\n")
    done = product.predict(path)
    assert done.code == 0 or done.is_one_line("line 1") is None, done.error
    assert done.peak < 1_200


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"\xff\xfe\0\0", b"\n" * 1_000_000],
    ids=["nothing", "a NUL", "a mark of UTF-32", "a million empty lines"],
)
def test_a_file_without_a_header_is_one_line(product: Product, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "new.csv").write_bytes(content)
    product.predict(tmp_path / "new.csv").is_one_line("new.csv")


# Pictures


def png(width: int, height: int, depth: int, kind: int) -> bytes:
    """Black pixels; `kind` is 0 for grey, 2 for colour, 4 and 6 for both with transparency."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = bytes(1 + width * {0: 1, 2: 3, 4: 2, 6: 4}[kind] * depth // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("depth", "kind"),
    [(16, 0), (8, 6), (8, 4), (16, 6), (16, 4), (8, 2)],
    ids=["16 bits", "transparent", "grey and transparent", "16 bits and transparent", "16 bits grey", "rgb"],
)
def test_a_picture_of_89_million_pixels_takes_bounded_memory(
    product: Product, tmp_path: Path, depth: int, kind: int
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.png").write_bytes(png(9_400, 9_400, depth, kind))
    done = product.run(
        "predict", f"INPUT={tmp_path / 'new'}", "CORPUS=digits", "MODEL=image_cnn", f"OUTPUT={tmp_path / 'o'}"
    )
    assert done.code == 0 and "1 rows labelled" in done.output, done.error
    assert done.peak < 1_500


@pytest.mark.parametrize("side", [10_000, 1_000_000])
def test_a_picture_of_more_pixels_is_a_row_that_is_refused(
    product: Product, tmp_path: Path, side: int
) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.png").write_bytes(png(side, 2, 8, 0).replace(b"\0\0\0\x02", side.to_bytes(4), 1))
    done = product.run(
        "predict", f"INPUT={tmp_path / 'new'}", "CORPUS=digits", "MODEL=image_cnn", f"OUTPUT={tmp_path / 'o'}"
    )
    assert "rows that could not be read: 1" in done.output, done.error
    done.is_one_line("1 of 1 rows (100.00%) cannot be read")


# An npz


def npz(path: Path, **arrays: tuple[str, tuple[int, ...], int]) -> None:
    """Write arrays of zeros, packed, of a type, a shape and so many bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, (kind, shape, size) in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                header = {"descr": kind, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                for _ in range(size // MEGABYTES):
                    file.write(bytes(MEGABYTES))
                file.write(bytes(size % MEGABYTES))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"labels": ("<U1000000", (400,), 1_600_000_000)}, "decompression bomb"),
        ({"labels": ("<U1000000", (200,), 800_000_000)}, "texts of 1,000,000 characters"),
        (
            {"labels": ("<i8", (200,), 1_600), "class_names": ("<U1000000", (200,), 800_000_000)},
            "class_names has texts of 1,000,000 characters",
        ),
        ({"labels": ("<i8", (150_000_000,), 1_200_000_000)}, "decompression bomb"),
    ],
    ids=["labels of gigabytes", "long labels", "long class names", "many labels"],
)
def test_an_npz_is_refused_in_bounded_memory(
    product: Product, tmp_path: Path, arrays: dict[str, tuple[str, tuple[int, ...], int]], words: str
) -> None:
    rows = 400 if "(400," in str(arrays) else 200
    npz(tmp_path / "some.npz", images=("|u1", (rows, 4, 4), rows * 16), **arrays)
    done = product.run("train", f"CORPUS={tmp_path / 'some.npz'}")
    done.is_one_line(words)
    assert done.peak < 700


# Options and our own files

ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ALIASES, "more than 100,000 values"),
        ("title: &a [*a]\n", "more than 100,000 values"),
        ("title: " + "[" * 100_000, "nested too deeply"),
        ("title: " + "{a: " * 100_000, "nested too deeply"),
        (f"seed: {'9' * 1_000_000}\n", "too long for a number"),
        ("title: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
    ],
    ids=[
        "aliases of aliases",
        "an alias of itself",
        "brackets",
        "braces",
        "a long number",
        "a tag of Python",
    ],
)
@pytest.mark.parametrize("kind", ["corpora", "models"])
def test_yaml_is_refused_in_bounded_memory(
    product: Product, tmp_path: Path, content: str, words: str, kind: str
) -> None:
    (tmp_path / "conf" / kind).mkdir(parents=True)
    (tmp_path / "conf" / kind / "bomb.yaml").write_text(content)
    word = {"corpora": "CORPUS", "models": "MODEL"}[kind]
    done = product.run("predict", "INPUT=new.csv", f"{word}=bomb", cwd=tmp_path)
    done.is_one_line(words)
    assert done.peak < 500


def test_json_that_is_nested_without_end_in_a_checkpoint_begins_anew(
    product: Product, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text("text\nfilm\n")
    output = tmp_path / "labelled.csv"
    Path(f"{output}.partial").write_text("half")
    Path(f"{output}.rejects.csv.partial").write_text("half")
    Path(f"{output}.partial.json").write_text("[" * 1_000_000)
    done = product.predict(tmp_path / "new.csv", f"OUTPUT={output}")
    assert done.code == 0 and len(output.read_text().splitlines()) == 2, done.error
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv", "labelled.csv"}


# Memory that is limited: what the C libraries abort at some limits is not among these.


@pytest.mark.parametrize("megabytes", [160, 400, 600])
def test_too_little_memory_to_begin_is_one_line(product: Product, tmp_path: Path, megabytes: int) -> None:
    (tmp_path / "new.csv").write_text("text\nfilm\n")
    words = [f"INPUT={tmp_path / 'new.csv'}", f"CORPUS={product.corpus}", "MODEL=kim-rand"]
    product.run("predict", *words, memory=megabytes).is_one_line("convtext: not enough memory")
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv"}


def test_too_little_memory_for_a_row_is_one_line_and_no_damage(product: Product, tmp_path: Path) -> None:
    table = pa.table({"text": ["film " * 100_000_000]})
    pq.write_table(table, tmp_path / "new.parquet", compression=None, use_dictionary=False)
    done = product.run(
        "predict", f"INPUT={tmp_path / 'new.parquet'}", f"CORPUS={product.corpus}", "MODEL=kim-rand",
        memory=2_000,
    )  # fmt: skip
    done.is_one_line("convtext: predict: not enough memory")
    assert {path.name for path in tmp_path.iterdir()} == {"new.parquet"}

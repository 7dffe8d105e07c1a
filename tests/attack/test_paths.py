"""Names of input and output that are links, streams, devices, files of the model, or hard to write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.slow

LINES = ("a lovely film", "an awful film", "lovely lovely film", "awful awful film")
NEW = "text\n" + "".join(f"{line}\n" for line in LINES)


class Product:
    """The command line with a model of texts."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.data = project, folder / "data"
        self.corpus = folder / "corpus.csv"
        rows = "".join(f"{text} {number},{text.split()[1]}\n" for number in range(20) for text in LINES)
        self.corpus.write_text(f"text,label\n{rows}")
        words = [f"CORPUS={self.corpus}", "TEXT=text", "LABEL=label"]
        done = project.make(self.data, "train", *words, "MODEL=kim-rand", f"SET={project.tiny()}")
        assert done.returncode == 0, done.stderr
        (self.model,) = self.data.glob("build/*/kim-rand/model")

    def predict(self, *words: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[bytes]:
        environment = self.project.environment(self.data) | {"PYTHONPATH": str(self.project.root)}
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "predict", f"CORPUS={self.corpus}", "MODEL=kim-rand", *words],
            cwd=cwd, env=environment, timeout=120,
            **({"stdin": subprocess.DEVNULL, "capture_output": True} | options),  # type: ignore[call-overload]
        )  # fmt: skip
        assert b"Traceback" not in (done.stderr or b""), done.stderr
        return done

    def is_refused(self, *words: str, cwd: Path, says: str = "") -> None:
        """Check that the command ends in one line."""
        done = self.predict(*words, cwd=cwd)
        assert done.returncode == 2, done.stderr
        lines = done.stderr.decode(errors="replace").splitlines()
        assert len(lines) == 1 and lines[0].startswith("convtext: ") and says in lines[0], lines


@pytest.fixture(scope="module")
def product(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Product:
    return Product(project, tmp_path_factory.mktemp("paths"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with rows to label and a file that must not change."""
    (tmp_path / "new.csv").write_text(NEW)
    (tmp_path / "victim.txt").write_text("precious")
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Links


@pytest.mark.parametrize("name", ["out.csv.partial", "out.csv.rejects.csv.partial"])
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symbolic link", "hard link"])
def test_a_link_where_the_output_grows_is_refused(
    product: Product, folder: Path, name: str, link: Callable[[Path, Path], None]
) -> None:
    link(folder / name, folder / "victim.txt")
    before = content(folder)
    product.is_refused("INPUT=new.csv", "OUTPUT=out.csv", cwd=folder, says="is a link to another file")
    assert content(folder) == before


@pytest.mark.parametrize("name", ["out.csv.partial.json", "out.csv.rejects.csv"])
def test_a_link_in_the_place_of_another_file_is_not_followed(
    product: Product, folder: Path, name: str
) -> None:
    (folder / name).symlink_to(folder / "victim.txt")
    (folder / "new.csv").write_text(f"{NEW * 50}two,fields\n".replace("\ntext\n", "\n"))
    assert product.predict("INPUT=new.csv", "OUTPUT=out.csv", cwd=folder).returncode == 0
    assert (folder / "victim.txt").read_text() == "precious"
    assert not (folder / "out.csv.rejects.csv").is_symlink()


def test_an_output_that_is_a_link_replaces_what_it_leads_to_and_stays(product: Product, folder: Path) -> None:
    (folder / "link.csv").symlink_to(folder / "out.csv")
    assert product.predict("INPUT=new.csv", "OUTPUT=link.csv", cwd=folder).returncode == 0
    assert (folder / "link.csv").is_symlink() and len((folder / "out.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize("words", [["INPUT=loop.csv"], ["INPUT=new.csv", "OUTPUT=loop.csv/out.csv"]])
def test_links_in_a_circle_are_refused(product: Product, folder: Path, words: list[str]) -> None:
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    product.is_refused(*words, cwd=folder)


# Streams and devices


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_standard_output_by_any_name_is_a_stream(
    product: Product, folder: Path, name: str, kind: str
) -> None:
    output = folder / "stdout.csv"
    with output.open("wb") as file:
        target = {"stdout": file if kind == "file" else subprocess.PIPE, "capture_output": False}
        inode = os.fstat(file.fileno()).st_ino
        done = product.predict(
            "INPUT=new.csv", f"OUTPUT={name}", cwd=folder, stderr=subprocess.PIPE, **target
        )
    assert done.returncode == 0, done.stderr
    written = output.read_bytes() if kind == "file" else done.stdout
    assert output.stat().st_ino == inode and len(written.splitlines()) == 5


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_standard_input_by_any_name_is_a_stream(product: Product, folder: Path, name: str) -> None:
    with (folder / "new.csv").open("rb") as file:
        done = product.predict(f"INPUT={name}", cwd=folder, stdin=file)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 5, done.stderr
    assert {path.name for path in folder.iterdir()} == {"new.csv", "victim.txt"}


@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2", "/dev/fd/9"])
def test_another_open_file_is_no_output(product: Product, folder: Path, name: str) -> None:
    product.is_refused("INPUT=new.csv", f"OUTPUT={name}", cwd=folder, says="is no file of its own")


@pytest.mark.parametrize("name", ["/dev/null", "/dev/full", "/dev/zero", "pipe", "folder", "/"])
def test_what_is_no_file_is_no_output(product: Product, folder: Path, name: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    product.is_refused("INPUT=new.csv", f"OUTPUT={name}", cwd=folder, says="is not a file")


@pytest.mark.parametrize(
    "name", ["out.csv.partial", "out.csv.partial.json", "out.csv.rejects.csv", "out.csv.rejects.csv.partial"]
)
def test_a_pipe_beside_the_output_is_refused_without_waiting(
    product: Product, folder: Path, name: str
) -> None:
    os.mkfifo(folder / name)
    product.is_refused("INPUT=new.csv", "OUTPUT=out.csv", cwd=folder, says="is not a file")


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/random", "/dev/null", "pipe", "none.csv", "new.csv/x"])
def test_what_is_no_file_is_no_input(product: Product, folder: Path, name: str) -> None:
    os.mkfifo(folder / "pipe")
    product.is_refused(f"INPUT={name}", "OUTPUT=out.csv", cwd=folder)


@pytest.mark.parametrize("name", ["pipe.parquet", "folder.parquet", "zero.parquet"])
def test_what_is_no_file_is_no_parquet_either(product: Product, folder: Path, name: str) -> None:
    os.mkfifo(folder / "pipe.parquet")
    (folder / "folder.parquet").mkdir()
    (folder / "zero.parquet").symlink_to("/dev/zero")
    product.is_refused(f"INPUT={name}", "OUTPUT=out.csv", cwd=folder)


# Files that must stay


@pytest.mark.parametrize("name", ["manifest.json", "text_encoder.json", "new.csv"])
def test_no_file_of_the_model_is_the_output(product: Product, folder: Path, name: str) -> None:
    before = content(product.model)
    link = folder / "model"
    link.symlink_to(product.model)
    for output in (product.model / name, link / name):
        product.is_refused("INPUT=new.csv", f"OUTPUT={output}", cwd=folder, says="in the model's folder")
    assert content(product.model) == before


@pytest.mark.parametrize("name", ["new.csv", "./new.csv", "link.csv", "folder/../new.csv"])
def test_the_input_is_no_output_by_any_name(product: Product, folder: Path, name: str) -> None:
    (folder / "folder").mkdir()
    (folder / "link.csv").symlink_to("new.csv")
    product.is_refused("INPUT=new.csv", f"OUTPUT={name}", cwd=folder, says="is the input itself")
    assert (folder / "new.csv").read_text() == NEW


def test_no_picture_of_the_input_is_the_output(product: Product, folder: Path) -> None:
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").write_bytes(b"picture")
    product.is_refused("INPUT=pictures", "OUTPUT=pictures/a.png", cwd=folder, says="is an image of the input")
    assert (folder / "pictures" / "a.png").read_bytes() == b"picture"


# Names


@pytest.mark.parametrize(
    "name",
    [
        "two words", " blanks ", "line\nend", "tab\t", '"quotes"', "it's", "-dash", "--help", "$HOME", "`id`",
        "a;b", "a=b", "*", "é你", "\x1b[31m", "%s%n", "x" * 200, os.fsdecode(b"caf\xe9"),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_file_of_any_name_is_read_and_written(product: Product, folder: Path, name: str) -> None:
    (folder / f"{name}.csv").write_text(NEW)
    done = product.predict(f"INPUT={name}.csv", f"OUTPUT={name}.out", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert len((folder / f"{name}.out").read_text().splitlines()) == 5
    assert b"\x1b[31m" not in done.stdout + done.stderr
    expected = {"new.csv", "victim.txt", f"{name}.csv", f"{name}.out"}
    assert {path.name for path in folder.iterdir()} == expected


def test_a_name_that_is_too_long_is_one_line(product: Product, folder: Path) -> None:
    product.is_refused("INPUT=new.csv", f"OUTPUT={'x' * 300}.csv", cwd=folder)
    product.is_refused(f"INPUT={'x' * 300}.csv", cwd=folder)

"""Model folders that were damaged, or made on purpose, with digests that fit: one line, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from PIL import Image

from pipeline.artifacts import RunFolder
from pipeline.config import loading
from tests.prediction import model_folders
from tests.prediction.model_folders import change_json, rewrite_manifest

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's variables, under NumPy 2.4.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
MANIFEST, DESCRIPTION, FOLDED = "manifest.json", "classifier.json", "folded.npz"
VALIDATION = "validation.npz"
TEXT_ENCODER, IMAGE_ENCODER, KERAS = "text_encoder.json", "image_encoder.json", "network.keras"
TABLE = "table-0.int16.npy"
MEGABYTES = 1000  # of memory, which a start takes a third of
KERAS_MEGABYTES = 2500
QUIET = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}  # what TensorFlow's C++ says is not ours
Damage = Callable[[Path], None]
Change = Callable[[Any], Any]


class Kind(NamedTuple):
    """A model, and what it labels."""

    corpus: str
    model: str
    source: str
    save: Callable[[Path], None]

    def folder(self, data: Path) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CONVTEXT_DATA", str(data))
            return RunFolder(loading.run_folder(self.corpus, self.model)).model

    @property
    def words(self) -> list[str]:
        return ["predict", f"CORPUS={self.corpus}", f"MODEL={self.model}"]


TEXT = Kind("mr", "kim-rand", "new.csv", model_folders.save_text_model)
IMAGE = Kind("digits", "image_cnn", "new", model_folders.save_image_model)


class Ended(NamedTuple):
    """How a command ended; memory in megabytes, at most."""

    code: int
    said: str
    megabytes: int


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CONVTEXT_DATA with both models, and rows for them."""
    folder = tmp_path_factory.mktemp("data")
    for kind in (TEXT, IMAGE):
        kind.save(kind.folder(folder))
    (folder / TEXT.source).write_text(
        "review\n" + "".join(f"{text}\n" for text in model_folders.TEXTS if text)
    )
    (folder / IMAGE.source).mkdir()
    for number in range(3):
        Image.fromarray(np.full((4, 4), number * 100, np.uint8)).save(folder / IMAGE.source / f"{number}.png")
    return folder


@pytest.fixture
def own(data: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(data, tmp_path / "data")


# A process is charged with the memory of the one that starts it: this one starts it, and is small.
MEASURED = (
    "import resource, subprocess, sys\n"
    "code = subprocess.call([sys.executable, '-m', 'pipeline', *sys.argv[1:]])\n"
    "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def run(data: Path, kind: Kind, *options: str) -> Ended:
    """Predict in a process of its own, as a user does."""
    arguments = [*kind.words, f"INPUT={data / kind.source}", f"OUTPUT={data / 'out.csv'}", *options]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, env=QUIET | {"CONVTEXT_DATA": str(data)},
    )  # fmt: skip
    code, memory = done.stdout.split()[-2:]
    return Ended(int(code), done.stderr, int(memory) >> (20 if sys.platform == "darwin" else 10))


def refuse(data: Path, kind: Kind, name: str, *options: str, megabytes: int = MEGABYTES) -> None:
    """Check that the model is refused in one line, which names the file, and that nothing is written."""
    before = {path for path in data.rglob("*") if ".code" not in path.parts}
    ended = run(data, kind, *options)
    assert ended.code == 2, ended
    assert ended.said.startswith("convtext: ") and ended.said.count("\n") == 1, ended.said
    assert name in ended.said and len(ended.said) < 1000, ended.said
    assert ended.megabytes < megabytes, ended
    assert {path for path in data.rglob("*") if ".code" not in path.parts} == before


# What is whole


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        pytest.param(TEXT, ["EVIDENCE=1"], id="texts"),
        pytest.param(TEXT, ["FORM=float32", "EVIDENCE=1"], id="texts in float32"),
        pytest.param(TEXT, ["FORM=keras"], id="texts by Keras"),
        pytest.param(IMAGE, [], id="images"),
    ],
)
def test_a_whole_model_predicts(own: Path, kind: Kind, options: list[str]) -> None:
    ended = run(own, kind, *options)
    assert ended.code == 0, ended
    assert len((own / "out.csv").read_text().splitlines()) > 3


# Arrays

LOOP = """
import os, sys
from pipeline.__main__ import main
for line in sys.stdin:
    data, *arguments = line.split()
    os.environ["CONVTEXT_DATA"] = data
    print(f"begun {data}", file=sys.stderr)
    print(f"ended {data} {main(arguments)}", file=sys.stderr)
"""


def run_all(folders: list[Path], kind: Kind, rows: Path, *options: str) -> dict[Path, tuple[int, list[str]]]:
    """Predict by each model, one after the other in one process; the exit code and the lines of each.

    If its memory is damaged, the process dies sooner or later.
    """
    lines = [
        " ".join([str(data), *kind.words, f"INPUT={rows}", f"OUTPUT={data / 'out.csv'}", *options])
        for data in folders
    ]
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", LOOP], cwd=ROOT, input="\n".join(lines),
        capture_output=True, text=True, env=QUIET,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[Path, tuple[int, list[str]]] = {}
    said: list[str] = []
    for line in done.stderr.splitlines():
        if line.startswith("begun "):
            said = []
        elif line.startswith("ended "):
            _, data, code = line.split()
            found[Path(data)] = int(code), said
        else:
            said.append(line)
    return found


def copied_model(data: Path, kind: Kind, target: Path) -> Path:
    """Copy the model alone; return its folder in `target`."""
    return shutil.copytree(kind.folder(data), kind.folder(target))


@pytest.mark.parametrize("form", ["int16", "float32"])
@pytest.mark.parametrize("damage", model_folders.DAMAGES)
def test_an_array_is(data: Path, tmp_path: Path, damage: str, form: str) -> None:
    folders = []
    for name in model_folders.ARRAYS:
        if form in model_folders.forms(name):
            folder = copied_model(data, TEXT, tmp_path / name)
            model_folders.change_array(folder, name, model_folders.DAMAGES[damage])
            folders.append(tmp_path / name)
    found = run_all(folders, TEXT, data / TEXT.source, f"FORM={form}", "EVIDENCE=1")
    for folder in folders:
        code, said = found[folder]
        file = model_folders.archive_of(folder.name)
        assert code == 2 and len(said) == 1, (folder.name, code, said)
        assert said[0].startswith("convtext: ") and file in said[0], said
        assert not (folder / "out.csv").exists()


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        pytest.param(np.nan, {0, 2}, id="NaN"),
        pytest.param(np.inf, {0, 2}, id="infinite"),
        pytest.param(3e38, {0, 2}, id="too large to be added"),
        pytest.param(-3e38, {0, 2}, id="too small to be added"),
        pytest.param(0, {0, 2}, id="zero"),
    ],
)
def test_all_numbers_of_an_array_are(data: Path, tmp_path: Path, value: float, codes: set[int]) -> None:
    folders = []
    for name in model_folders.ARRAYS:
        if name not in (TABLE, "tokens.keys", "characters.keys", "validation.predicted"):
            folder = copied_model(data, TEXT, tmp_path / name)
            model_folders.change_array(folder, name, lambda array: np.full_like(array, value))
            folders.append(tmp_path / name)
    for code, said in run_all(folders, TEXT, data / TEXT.source, "FORM=float32").values():
        assert code in codes and len(said) <= 1, said
        assert code == 0 or any(word in said[0] for word in ("finite", "negative", "from 0 to 1")), said


def _packed(folder: Path) -> None:
    arrays = dict(np.load(folder / FOLDED))
    np.savez_compressed(folder / FOLDED, **arrays)


def _bomb(folder: Path) -> None:
    np.savez_compressed(folder / FOLDED, **{"0.bias": np.zeros(200 << 20, np.float32)})


def _header(folder: Path, name: str, shape: tuple[int, ...], dtype: str = "<f4") -> None:
    """Write an array without its numbers, of a shape that only its header claims."""
    with (folder / name).open("wb") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)


def _claims(shape: tuple[int, ...], dtype: str = "<f4") -> Damage:
    """Claim that the array in the archive, or the table, is of a shape that it is not."""

    def damage(folder: Path) -> None:
        _header(folder, "0.bias.npy", shape, dtype)
        with zipfile.ZipFile(folder / FOLDED, "w") as archive:
            archive.write(folder / "0.bias.npy", "0.bias.npy")
        (folder / "0.bias.npy").unlink()

    return damage


def _entries_upon_each_other(folder: Path) -> None:
    """Many names for the same bytes, as in a bomb that is not packed."""
    with zipfile.ZipFile(folder / FOLDED, "w") as archive:
        archive.writestr("0.bias.npy", bytes(1 << 20))
        for number in range(2000):
            entry = zipfile.ZipInfo(f"{number}.npy")
            entry.file_size = entry.compress_size = 1 << 20
            entry.CRC = archive.filelist[0].CRC
            entry.header_offset = 0
            archive.filelist.append(entry)
            archive.NameToInfo[entry.filename] = entry
        archive._didModify = True


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        pytest.param(FOLDED, _packed, id="packed"),
        pytest.param(
            VALIDATION,
            lambda folder: shutil.copy(folder / FOLDED, folder / VALIDATION),
            id="another's arrays",
        ),
        pytest.param(
            VALIDATION,
            lambda folder: shutil.copy(folder / TABLE, folder / VALIDATION),
            id="a table of outcomes",
        ),
        pytest.param(FOLDED, _bomb, id="a bomb of 800 MB"),
        pytest.param(FOLDED, _entries_upon_each_other, id="a bomb of entries upon each other"),
        pytest.param(FOLDED, _claims((1 << 40,)), id="said to be of a terabyte and more"),
        pytest.param(FOLDED, _claims((1 << 62, 1 << 62)), id="said to be of more than there are numbers for"),
        pytest.param(FOLDED, _claims((-1,)), id="said to be of less than nothing"),
        pytest.param(FOLDED, _claims((1 << 62,), "|V0"), id="of numbers without a byte"),
        pytest.param(
            TABLE, lambda folder: _header(folder, TABLE, (1 << 40, 48)), id="a table of a header alone"
        ),
        pytest.param(
            TABLE, lambda folder: _header(folder, TABLE, (1 << 62, 1 << 62), "<i2"), id="a table without end"
        ),
        pytest.param(TABLE, lambda folder: _header(folder, TABLE, (0, 48), "<i2"), id="a table of no words"),
        pytest.param(
            TABLE, lambda folder: shutil.copy(folder / FOLDED, folder / TABLE), id="an archive as table"
        ),
        pytest.param(
            FOLDED, lambda folder: shutil.copy(folder / TABLE, folder / FOLDED), id="a table as archive"
        ),
    ],
)
def test_a_file_of_arrays_is(own: Path, name: str, damage: Damage) -> None:
    damage(TEXT.folder(own))
    rewrite_manifest(TEXT.folder(own))
    refuse(own, TEXT, name)


# Descriptions


def _set(*keys: str | int, value: Any) -> Change:
    def change(saved: Any) -> None:
        for key in keys[:-1]:
            saved = saved[key]
        saved[keys[-1]] = value

    return change


def _bank(**values: Any) -> Change:
    return lambda saved: saved["folded"][0].update(values)


def _words(words: Callable[[list[Any]], list[Any]]) -> Change:
    return lambda saved: saved | {"words": words(saved["words"])}


@pytest.mark.parametrize(
    ("change", "file"),
    [
        pytest.param(_set("labels", value=["a", "b"]), DESCRIPTION, id="too few labels"),
        pytest.param(_set("labels", value=["a"] * 3), DESCRIPTION, id="equal labels"),
        pytest.param(_set("labels", value=[]), DESCRIPTION, id="no labels"),
        pytest.param(_set("labels", value=[1, 2, 3]), DESCRIPTION, id="labels that are numbers"),
        pytest.param(
            _set("labels", value=["a", "b", "\ud800"]), DESCRIPTION, id="half a surrogate as a label"
        ),
        pytest.param(
            lambda saved: saved | {"labels": [*"abcd"], "reference": None}, FOLDED, id="too many labels"
        ),
        pytest.param(_set("column", value=None), DESCRIPTION, id="no column"),
        pytest.param(_set("temperature", value=0), DESCRIPTION, id="a temperature of zero"),
        pytest.param(_set("temperature", value=-1), DESCRIPTION, id="a temperature below zero"),
        pytest.param(
            _set("temperature", value=float("nan")), DESCRIPTION, id="a temperature that is no number"
        ),
        pytest.param(_set("temperature", value=float("inf")), DESCRIPTION, id="an infinite temperature"),
        pytest.param(_set("reference", "classes", value=[]), DESCRIPTION, id="a reference without classes"),
        pytest.param(_set("reference", "classes", 0, value=-1), DESCRIPTION, id="a reference below zero"),
        pytest.param(
            _set("reference", "outside", value=1e300), DESCRIPTION, id="a share of unknown words above 1"
        ),
        pytest.param(
            _set("reference", "classes", value=[0.3] * 10**5), DESCRIPTION, id="a reference without end"
        ),
        pytest.param(_bank(windows=[3, 4, 0]), DESCRIPTION, id="a window of zero"),
        pytest.param(_bank(windows=[3, 4, -5]), DESCRIPTION, id="a window below zero"),
        pytest.param(_bank(windows=[3, 4, 10**12]), TABLE, id="an absurd window"),
        pytest.param(
            _bank(windows=[3, 4, 10**30]), DESCRIPTION, id="a window of more than there are numbers for"
        ),
        pytest.param(_bank(windows=[2**62, 2**62, 4]), TABLE, id="windows whose sum is negative in 64 bits"),
        pytest.param(_bank(filters=[4, 4, 10**12]), TABLE, id="absurd filters"),
        pytest.param(_bank(filters=[4, 4, 0]), DESCRIPTION, id="no filters"),
        pytest.param(_bank(filters=[4, 4, -4]), DESCRIPTION, id="filters below zero"),
        pytest.param(_bank(filters=[4, 4]), DESCRIPTION, id="fewer filters than windows"),
        pytest.param(_bank(activation="exp"), DESCRIPTION, id="an unknown activation"),
        pytest.param(
            lambda saved: saved["folded"].append(saved["folded"][0]),
            "table-2.int16.npy",
            id="a network too many",
        ),
        pytest.param(lambda saved: saved | {"more": 1}, DESCRIPTION, id="an unknown key"),
        pytest.param(lambda saved: saved | {"x" * 10**6: 1}, DESCRIPTION, id="a key of a megabyte"),
        pytest.param(lambda saved: [], DESCRIPTION, id="a list"),
    ],
)
def test_the_description_has(own: Path, change: Change, file: str) -> None:
    change_json(TEXT.folder(own), DESCRIPTION, change)
    refuse(own, TEXT, file)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_words(lambda words: [*words, "w10"]), id="a word too many"),
        pytest.param(_words(lambda words: words[:-1]), id="a word too few"),
        pytest.param(_words(lambda words: [*words[:-1], "w2"]), id="a word twice"),
        pytest.param(_words(lambda words: [*words[:-1], 9]), id="a number as a word"),
        pytest.param(_words(lambda words: []), id="no words"),
        pytest.param(_words(lambda words: [1] * 10**6), id="a million numbers as words"),
        pytest.param(_words(lambda words: ["w" * 10**6] * 8), id="words of a megabyte"),
        pytest.param(_set("tokenize", "maximum_length", value=0), id="no length"),
        pytest.param(_set("tokenize", "maximum_length", value=-1), id="a length below zero"),
        pytest.param(_set("tokenize", "maximum_length", value=10**30), id="a length without end"),
        pytest.param(_set("tokenize", "maximum_length", value=1.5), id="a length that is no whole number"),
        pytest.param(_set("tokenize", "unit", value="auto"), id="no unit"),
        pytest.param(_set("tokenize", "unseen", value="guess"), id="an unknown way with unseen words"),
        pytest.param(lambda saved: saved | {f"{n}": 1 for n in range(10**5)}, id="a hundred thousand keys"),
        pytest.param(lambda saved: None if saved.clear() else [], id="nothing"),
    ],
)
def test_the_text_encoder_has(own: Path, change: Change) -> None:
    change_json(TEXT.folder(own), TEXT_ENCODER, change)
    ended = run(own, TEXT)
    assert ended.code == 2 and ended.said.count("\n") == 1, ended
    assert TEXT_ENCODER in ended.said or TABLE in ended.said, ended.said
    assert len(ended.said) < 1000 and ended.megabytes < MEGABYTES, ended


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_set("height", value=0), id="no height"),
        pytest.param(_set("width", value=-4), id="a width below zero"),
        pytest.param(_set("height", value=10**6), id="an absurd height"),
        pytest.param(_set("height", value=10**30), id="a height of more than there are numbers for"),
        pytest.param(_set("channels", value=2), id="two channels"),
        pytest.param(_set("channels", value=10**9), id="a billion channels"),
        pytest.param(_set("height", value="4"), id="a height in letters"),
        pytest.param(_set("height", value=True), id="a height that is true"),
        pytest.param(lambda saved: [], id="a list"),
        pytest.param(_set("height", value=5), id="a height that the network does not take"),
        pytest.param(_set("channels", value=3), id="colours that the network does not take"),
    ],
)
def test_the_image_encoder_has(own: Path, change: Change) -> None:
    change_json(IMAGE.folder(own), IMAGE_ENCODER, change)
    ended = run(own, IMAGE)
    assert ended.code == 2 and ended.said.startswith("convtext: ") and ended.said.count("\n") == 1, ended
    assert IMAGE_ENCODER in ended.said or KERAS in ended.said, ended.said
    assert ended.megabytes < KERAS_MEGABYTES, ended


def _text(text: str) -> Damage:
    return lambda path: (path.write_text(text), None)[1]


def _of_size(size: int) -> Damage:
    return lambda path: os.truncate(path, size)


JSON_DAMAGES = [
    pytest.param(_text(""), id="empty"),
    pytest.param(_text("{"), id="cut"),
    pytest.param(_text("[" * 100_000), id="nested without end"),
    pytest.param(_text("9" * 100_000), id="a number without end"),
    pytest.param(_text("null"), id="null"),
    pytest.param(_text("[" + "[]," * 10**6 + "[]]"), id="a million lists"),
    pytest.param(lambda path: (path.write_bytes(b"\xff\xfe\x00"), None)[1], id="of bytes that are no text"),
    pytest.param(_of_size(256 << 20), id="as large as 256 MiB"),
    pytest.param(_of_size(1 << 40), id="as large as a terabyte, of holes"),
]


@pytest.mark.parametrize("damage", JSON_DAMAGES)
def test_the_manifest_is(own: Path, damage: Damage) -> None:
    damage(TEXT.folder(own) / MANIFEST)
    refuse(own, TEXT, MANIFEST)


@pytest.mark.parametrize("name", [DESCRIPTION, TEXT_ENCODER])
@pytest.mark.parametrize("damage", JSON_DAMAGES[:-1])
def test_a_description_is(own: Path, name: str, damage: Damage) -> None:
    damage(TEXT.folder(own) / name)
    rewrite_manifest(TEXT.folder(own))
    refuse(own, TEXT, name)


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param({"format": 5, "sha256": {}}, id="of a later format"),
        pytest.param({"format": "4", "sha256": {}}, id="of a format in letters"),
        pytest.param({"format": 4, "sha256": {}}, id="without digests"),
        pytest.param({"format": 4, "sha256": {DESCRIPTION: 0}}, id="of digests that are numbers"),
        pytest.param({"format": 4, "sha256": {"../../../../etc/passwd": "00"}}, id="of a path outside"),
        pytest.param({"format": 4}, id="without a key"),
    ],
)
def test_a_manifest(own: Path, manifest: dict[str, Any]) -> None:
    (TEXT.folder(own) / MANIFEST).write_text(json.dumps(manifest))
    refuse(own, TEXT, str(TEXT.folder(own)))


# Files that are none


def _link(target: str) -> Damage:
    return lambda path: path.symlink_to(target)


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(os.mkfifo, id="a pipe"),
        pytest.param(os.mkdir, id="a folder"),
        pytest.param(lambda path: None, id="nothing"),
        pytest.param(_link("/dev/zero"), id="a link to a device without end"),
        pytest.param(_link("/dev/stdin"), id="a link to standard input"),
        pytest.param(_link("missing"), id="a link to nothing"),
        pytest.param(lambda path: path.symlink_to(path), id="a link to itself"),
        pytest.param(_link(str(ROOT / "README.md")), id="a link to another file"),
    ],
)
@pytest.mark.parametrize("name", [MANIFEST, DESCRIPTION, TEXT_ENCODER, TABLE, FOLDED, KERAS])
def test_in_place_of_a_file_there_is(own: Path, name: str, put: Damage) -> None:
    path = TEXT.folder(own) / name
    path.unlink()
    put(path)
    refuse(own, TEXT, name, *(["FORM=keras"] if name == KERAS else []))


def test_a_whole_folder_of_links_predicts(own: Path, tmp_path: Path) -> None:
    elsewhere = TEXT.folder(own).rename(tmp_path / "elsewhere")
    TEXT.folder(own).mkdir()
    for path in elsewhere.iterdir():
        (TEXT.folder(own) / path.name).symlink_to(path)
    assert run(own, TEXT).code == 0


# Keras networks


def _saved(build: Callable[[], keras.Model]) -> Damage:
    return lambda path: build().save(path)


def _embedding(rows: int, outputs: int = 3) -> keras.Model:
    ids = keras.Input((None,), dtype="int32")
    return keras.Model(ids, keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(rows, outputs)(ids)))


def _lambda(path: Path) -> None:
    ids = keras.Input((None,), dtype="int32")
    code = keras.layers.Lambda(lambda ids: keras.ops.cast(ids[:, :3], "float32"), output_shape=(3,))
    keras.Model(ids, code(ids)).save(path)


def _config(change: Callable[[str], str]) -> Damage:
    def damage(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members["config.json"] = change(members["config.json"].decode()).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return damage


def _keras_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", b" " * (400 << 20))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_text(""), id="empty"),
        pytest.param(_text("PK\x03\x04"), id="no archive"),
        pytest.param(lambda path: os.truncate(path, path.stat().st_size // 2), id="cut"),
        pytest.param(_config(lambda config: "{}"), id="without layers"),
        pytest.param(
            _config(lambda config: config.replace("TokenConvolution", "Nothing")), id="of unknown layers"
        ),
        pytest.param(
            _config(lambda config: config.replace('"filters"', '"filterz"')), id="of unknown options"
        ),
        pytest.param(
            _config(lambda config: config.replace('"vocabulary": 10', '"vocabulary": 9')), id="of other sizes"
        ),
        pytest.param(_lambda, id="with a function in it"),
        pytest.param(_keras_bomb, id="a bomb of 400 MB"),
        pytest.param(_saved(lambda: _embedding(9)), id="of fewer words"),
        pytest.param(_saved(lambda: _embedding(10, 2)), id="of fewer classes"),
        pytest.param(lambda path: shutil.copy(path.parent / FOLDED, path), id="an archive of something else"),
    ],
)
def test_a_keras_network_is(own: Path, damage: Damage) -> None:
    damage(TEXT.folder(own) / KERAS)
    rewrite_manifest(TEXT.folder(own))
    refuse(own, TEXT, KERAS, "FORM=keras", megabytes=KERAS_MEGABYTES)


def test_an_image_model_has_the_network_of_a_text_model(own: Path) -> None:
    shutil.copy(TEXT.folder(own) / KERAS, IMAGE.folder(own) / KERAS)
    rewrite_manifest(IMAGE.folder(own))
    refuse(own, IMAGE, KERAS, megabytes=KERAS_MEGABYTES)


def test_an_image_model_has_the_folded_networks_of_a_text_model(own: Path) -> None:
    """They are not taken: images are labelled by the Keras network."""
    texts, images = TEXT.folder(own), IMAGE.folder(own)
    for path in [*texts.glob("table-*"), texts / FOLDED]:
        shutil.copy(path, images)
    banks = json.loads((texts / DESCRIPTION).read_text())["folded"]
    change_json(images, DESCRIPTION, _set("folded", value=banks))
    assert run(own, IMAGE).code == 0


# Any byte


@pytest.mark.parametrize("form", ["int16", "float32"])
@pytest.mark.parametrize("name", [DESCRIPTION, TEXT_ENCODER, FOLDED, "table-1"])
def test_any_byte_of_a_file_is_changed(data: Path, tmp_path: Path, name: str, form: str) -> None:
    draw = np.random.default_rng(len(name))
    folders = []
    for number in range(150):
        path = copied_model(data, TEXT, tmp_path / f"{number}") / (
            f"{name}.{form}.npy" if name == "table-1" else name
        )
        content = bytearray(path.read_bytes())
        # The beginnings and ends of files hold what says how to read the rest.
        reach = len(content) if number % 2 else min(len(content), 300)
        for place in draw.integers(reach, size=draw.integers(1, 4)):
            content[place if number % 4 else -1 - place] = draw.integers(256)
        path.write_bytes(content)
        rewrite_manifest(path.parent)
        folders.append(tmp_path / f"{number}")
    found = run_all(folders, TEXT, data / TEXT.source, f"FORM={form}", "EVIDENCE=1")
    for code, said in found.values():
        assert code in (0, 2) and not any("Traceback" in line for line in said), said
        assert code == 0 or (said[-1].startswith("convtext: ") and len(said) == 1), said
    assert {code for code, _ in found.values()} == {0, 2}


@pytest.mark.parametrize("kind", [pytest.param(TEXT, id="texts"), pytest.param(IMAGE, id="images")])
def test_any_byte_of_a_keras_network_is_changed(data: Path, tmp_path: Path, kind: Kind) -> None:
    draw = np.random.default_rng(3)
    folders = []
    for number in range(40):
        path = copied_model(data, kind, tmp_path / f"{number}") / KERAS
        content = bytearray(path.read_bytes())
        for place in draw.integers(len(content), size=3):
            content[place] = draw.integers(256)
        path.write_bytes(content)
        rewrite_manifest(path.parent)
        folders.append(tmp_path / f"{number}")
    found = run_all(folders, kind, data / kind.source, "FORM=keras")
    for code, said in found.values():
        assert code in (0, 2) and not any("Traceback" in line for line in said), said


# A folder that is replaced

REPLACING = """
import shutil, sys, time
from pathlib import Path
from pipeline.files import atomic_folder
folders, target = [Path(path) for path in sys.argv[1:3]], Path(sys.argv[3])
while True:
    for folder in folders:
        with atomic_folder(target) as partial:
            shutil.copytree(folder, partial, dirs_exist_ok=True)
        time.sleep(0.1)  # a training takes longer
"""
LOADING = """
import sys
from pathlib import Path
from pipeline.prediction.classifier import Classifier
found = []
while len(found) < 60:
    loaded = Classifier.load(Path(sys.argv[1]))
    kind = loaded.labels[0], loaded.encoder.words[0], float(loaded.predictor.networks.members[0].bias[0]) == 0
    if kind not in found[-1:]:
        found.append(kind)
print(len(set(found)))
"""


def test_a_folder_that_training_replaces_is_always_read_whole(data: Path, tmp_path: Path) -> None:
    """Of two models that differ in every file, until each has taken the other's place 30 times."""
    one, other, target = TEXT.folder(data), tmp_path / "other", tmp_path / "target" / "model"
    shutil.copytree(one, other)
    change_json(other, DESCRIPTION, _set("labels", value=["x", "y", "z"]))
    change_json(other, TEXT_ENCODER, _set("words", 0, value="v2"))
    for name in ("0.bias", TABLE, "table-1.int16.npy"):
        model_folders.change_array(other, name, np.zeros_like)
    shutil.copytree(one, target)
    arguments = [sys.executable, "-c", REPLACING, str(one), str(other), str(target)]
    with subprocess.Popen(arguments, cwd=ROOT) as replacing:
        try:
            done = subprocess.run(
                [sys.executable, "-c", LOADING, str(target)], cwd=ROOT, capture_output=True, text=True
            )
        finally:
            replacing.terminate()
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "2\n")

"""The images of a corpus: their order, labels and sizes, and what is set aside."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import InputError
from pipeline.images.sources import MAX_DEFAULT_SIDE, labels_of, parts, read_images, shape_of
from pipeline.labels.classes import Classes
from pipeline.options import Source

ROOT = Path(__file__).resolve().parents[2]


def source(**options) -> Source:
    return Source.model_validate(options)


ENDINGS = ".png, .jpg, .jpeg, .webp, .gif, .bmp, .tif or .tiff"


def read(source: Source):
    """The pixels that were written, and part -> examples, and part -> what was set aside.

    A class of one image is learned, as most of these corpora have no other.
    """
    found, written = parts(source), bytearray()
    shape = shape_of(found, source)
    classes = Classes.of_labels(labels_of(found, source), source.model_copy(update={"rare": "keep"}))
    examples, rejected = read_images(found, source, classes, written.extend)
    return np.frombuffer(bytes(written), np.uint8).reshape(-1, *shape), examples, rejected


def folder_of(path: Path, images: dict[str, Image.Image]) -> Source:
    for name, image in images.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(path / name)
    return source(format="folder", train=str(path))


def grey(value: int, size: tuple[int, int] = (4, 4)) -> Image.Image:
    return Image.new("L", size, value)


def test_the_digits_of_scikit_learn_are_stretched_to_256_shades() -> None:
    pixels, examples, rejected = read(source(format="digits"))
    assert pixels.shape == (1797, 8, 8, 1)
    assert pixels[0, 0, :, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]  # 0 0 5 13 9 1 0 0 of 16
    assert [example.label for example in examples["train"][:12]] == [*"0123456789", "0", "1"]
    assert rejected == {"train": []}


def test_a_subfolder_is_a_class_and_folders_in_it_are_read(tmp_path: Path) -> None:
    images = {"b/2.png": grey(2), "a/deep/1.jpg": grey(1), "a/0.PNG": grey(0), "b/3.jpeg": grey(3)}
    pixels, examples, rejected = read(folder_of(tmp_path, images))
    assert [one.label for one in examples["train"]] == ["a", "a", "b", "b"]
    assert [one.file for one in examples["train"]] == [
        str(tmp_path / name) for name in ("a/0.PNG", "a/deep/1.jpg", "b/2.png", "b/3.jpeg")
    ]
    assert pixels[:, 0, 0, 0].tolist() == [0, 1, 2, 3] and pixels.shape == (4, 4, 4, 1)
    assert rejected == {"train": []}


def test_one_coloured_file_makes_all_coloured(tmp_path: Path) -> None:
    images = {"a/0.png": grey(7), "b/1.png": Image.new("RGB", (4, 4), (1, 2, 3))}
    pixels = read(folder_of(tmp_path, images))[0]
    assert pixels[:, 0, 0].tolist() == [[7, 7, 7], [1, 2, 3]]


def test_the_size_is_the_median_of_the_shorter_sides_up_to_a_bound_or_the_user_s(tmp_path: Path) -> None:
    images = {f"a/{n}.png": grey(n, size) for n, size in enumerate([(10, 12), (20, 9), (30, 40)])}
    found = folder_of(tmp_path, images)
    pixels, examples, _ = read(found)
    assert pixels.shape == (3, 10, 10, 1)
    assert [(one.width, one.height) for one in examples["train"]] == [(10, 12), (20, 9), (30, 40)]
    assert read(found.model_copy(update={"size": 6}))[0].shape == (3, 6, 6, 1)
    images = {f"a/{n}.png": grey(n, (500, 300)) for n in range(3)}
    assert read(folder_of(tmp_path, images))[0].shape == (3, MAX_DEFAULT_SIDE, MAX_DEFAULT_SIDE, 1)


def test_what_cannot_be_read_is_set_aside_with_the_reason_and_hidden_files_are_left_alone(
    tmp_path: Path,
) -> None:
    found = folder_of(tmp_path, {"a/0.png": grey(0), "b/1.png": grey(1), "top.png": grey(2)})
    noise = np.random.default_rng(1).integers(0, 256, (40, 40)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "a" / "cut.png")
    (tmp_path / "a" / "cut.png").write_bytes((tmp_path / "a" / "cut.png").read_bytes()[:900])
    (tmp_path / "b" / "notes.txt").write_text("x")
    (tmp_path / "b" / "other.webp").write_text("x")
    (tmp_path / "b" / ".DS_Store").write_text("x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "0.png").write_text("x")
    pixels, examples, rejected = read(found)
    assert len(pixels) == len(examples["train"]) == 2
    said = {Path(one.file).name: one.reason for one in rejected["train"]}
    assert said.pop("cut.png").startswith("damaged or cut")
    assert said == {
        "top.png": "it lies in no subfolder, which would name its class",
        "notes.txt": f"its name does not end in {ENDINGS}",
        "other.webp": "no png, jpg, webp, gif, bmp or tiff image",
    }


def test_a_part_without_an_image_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.png").write_text("x")
    with pytest.raises(InputError, match="train part has no image that can be read; .*0.png: no png, jpg"):
        read(source(format="folder", train=str(tmp_path)))
    with pytest.raises(InputError, match="none: expected a folder with one subfolder of images"):
        read(source(format="folder", train=str(tmp_path / "none")))


def test_folders_without_an_image_are_named_and_lone_classes_have_no_pixels(tmp_path: Path) -> None:
    images = {f"{name}/{n}.png": grey(n) for n, name in enumerate(["a", "a", "b", "b", "c"])}
    of = folder_of(tmp_path, images)
    for name in ("none", ".hidden", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")
    found = parts(of)
    assert found["train"].empty_folders == ["none", "notes"]
    classes, written = Classes.of_labels(labels_of(found, of), of), bytearray()
    examples, rejected = read_images(found, of, classes, written.extend)
    assert [one.label for one in examples["train"]] == ["a", "a", "b", "b"] and len(written) == 4 * 16
    assert {Path(one.file).name: one.reason for one in rejected["train"]} == {
        "a.txt": f"its name does not end in {ENDINGS}",
        "4.png": "the only row of class 'c'",
    }


def test_an_image_without_a_label_that_can_be_seen_is_set_aside(tmp_path: Path) -> None:
    images = {f"{name}/{n}.png": grey(n) for n, name in enumerate(["a", "a", "b", "b", "\u200b"])}
    of = folder_of(tmp_path, images)
    found = parts(of)
    assert labels_of(found, of) == {"train": ["a", "a", "b", "b"]}
    classes = Classes.of_labels(labels_of(found, of), of)
    examples, rejected = read_images(found, of, classes, bytearray().extend)
    assert [one.label for one in examples["train"]] == ["a", "a", "b", "b"]
    assert [one.reason for one in rejected["train"]] == ["no label"]


def test_equal_pixels_have_equal_content_whatever_their_file(tmp_path: Path) -> None:
    images = {"a/0.png": grey(5), "b/1.png": Image.new("RGB", (4, 4), (5, 5, 5)), "b/2.png": grey(6)}
    _, examples, _ = read(folder_of(tmp_path, images))
    first, second, third = (one.content for one in examples["train"])
    assert first == second != third


def npz(path: Path, shape: tuple[int, ...], labels: list[int], **more) -> str:
    images = np.random.default_rng(len(labels)).integers(0, 256, (len(labels), *shape)).astype(np.uint8)
    np.savez(path, images=images, labels=np.array(labels), **more)
    return str(path)


def test_an_npz_keeps_its_size_and_a_second_one_is_the_test_part(tmp_path: Path) -> None:
    names = np.array(["x", "y"])
    train = npz(tmp_path / "train.npz", (4, 6, 3), [0, 1, 0], class_names=names)
    test = npz(tmp_path / "test.npz", (4, 6, 3), [1, 0], class_names=names)
    given = source(format="npz", train=train, test=test)
    pixels, examples, _ = read(given)
    np.testing.assert_array_equal(pixels[:3], np.load(train)["images"])
    np.testing.assert_array_equal(pixels[3:], np.load(test)["images"])
    assert [(one.line, one.label) for one in examples["test"]] == [(1, "y"), (2, "x")]
    assert given.official == {"test"}
    assert read(given.model_copy(update={"size": 5}))[0].shape == (5, 5, 5, 3)
    other = npz(tmp_path / "other.npz", (4, 5, 3), [1, 0], class_names=names)
    with pytest.raises(InputError, match="other.npz: images of 4 x 5 x 3, where .* of 4 x 6 x 3: .*size"):
        read(source(format="npz", train=train, test=other))


def test_labels_are_shown_as_the_corpus_names_them(tmp_path: Path) -> None:
    train = npz(tmp_path / "train.npz", (2, 2), [0, 1, 1])
    shown = read(source(format="npz", train=train, labels={"0": "cat", "1": "dog"}))[1]["train"]
    assert [one.label for one in shown] == ["cat", "dog", "dog"]
    with pytest.raises(InputError, match="train.npz, image 2: unknown label '1' where one of '0' was"):
        read(source(format="npz", train=train, labels={"0": "cat"}))


def write_fashion_mnist(folder: Path) -> None:
    """Three training and two test images, in the files and the format of the publisher (IDX)."""
    folder.mkdir(parents=True)
    for part, labels in (("train", [9, 0, 3]), ("t10k", [1, 9])):
        images = np.repeat(np.array(labels, np.uint8), 28 * 28)
        for kind, values, header in (("labels-idx1", labels, 8), ("images-idx3", images, 16)):
            with gzip.open(folder / f"{part}-{kind}-ubyte.gz", "wb") as file:
                file.write(bytes(header) + bytes(values))


@pytest.mark.slow
def test_keras_reads_its_cache_and_a_download_that_fails_is_one_line(tmp_path: Path) -> None:
    write_fashion_mnist(tmp_path / "datasets" / "fashion-mnist")
    code = """
from pipeline.labels.classes import Classes
from pipeline.errors import InputError
from pipeline.images.sources import labels_of, parts, read_images
from pipeline.options import Source
source = Source(format="keras", dataset="fashion_mnist")
written = bytearray()
found = parts(source)
classes = Classes.of_labels(labels_of(found, source), source.model_copy(update={"rare": "keep"}))
examples, _ = read_images(found, source, classes, written.extend)
print(source.official, {part: [one.label for one in found] for part, found in examples.items()})
print(len(written) == 5 * 28 * 28, list(written[:: 28 * 28]))
try:
    parts(Source(format="keras", dataset="mnist"))
except InputError as error:
    print(error)
"""
    nowhere = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **nowhere, "KERAS_HOME": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    labels, pixels, refusal = done.stdout.splitlines()
    assert labels == "{'test'} {'train': ['9', '0', '3'], 'test': ['1', '9']}"
    assert pixels == "True [9, 0, 3, 1, 9]"
    assert refusal.startswith("mnist could not be had (URL fetch failure on https://")
    assert refusal.endswith(f"put Keras's files for it into {tmp_path}/datasets, or connect to the internet")
    assert done.stderr == ""


def test_options_of_images_are_refused_elsewhere() -> None:
    for wrong, message in [
        ({"format": "csv", "train": "a.csv", "size": 8}, "source.size is for images"),
        ({"format": "keras"}, "source.dataset goes with"),
        ({"format": "digits", "dataset": "mnist"}, "source.dataset goes with"),
        ({"format": "folder"}, "source.train is missing"),
    ]:
        with pytest.raises(ValueError, match=message):
            source(**wrong)
    assert source(format="digits").text == "path" and source(train="a.csv").text == "text"

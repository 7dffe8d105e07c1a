"""What an npz of images must hold, and what is said of one that does not."""

from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline import reading
from pipeline.errors import InputError
from pipeline.images import npz
from pipeline.images.npz import NpzImages

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
COLOURED = np.arange(3 * 4 * 5 * 3, dtype=np.uint8).reshape(3, 4, 5, 3)


def saved(folder: Path, save=np.savez, **arrays) -> Path:
    save(folder / "some.npz", **arrays)
    return folder / "some.npz"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_images_and_labels_come_back_in_order(tmp_path: Path, save) -> None:
    names = np.array(["cat", "dog"])
    found = NpzImages(saved(tmp_path, save, images=IMAGES, labels=np.array([1, 0, 1]), class_names=names))
    assert (found.shape, found.labels) == ((4, 5, 1), ["dog", "cat", "dog"])
    np.testing.assert_array_equal(list(found), IMAGES[..., None])
    np.testing.assert_array_equal(list(found), IMAGES[..., None])  # and once more
    found = NpzImages(saved(tmp_path, save, images=COLOURED, labels=np.array([[1], [0], [1]])))
    assert (found.shape, found.labels) == ((4, 5, 3), ["1", "0", "1"])
    np.testing.assert_array_equal(list(found), COLOURED)
    assert NpzImages(saved(tmp_path, images=IMAGES, labels=np.array(["a", " b", "c"]))).labels == [
        "a",
        "b",
        "c",
    ]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": IMAGES}, "no array 'labels' among images: expected images and labels"),
        ({"pictures": IMAGES, "labels": [1, 0, 1]}, "no array 'images' among pictures, labels"),
        ({"images": IMAGES.astype(float), "labels": [1, 0, 1]}, "images is float64 .3, 4, 5., where uint8"),
        ({"images": IMAGES[0], "labels": [1, 0, 1]}, "images is uint8 .4, 5., where uint8 .rows, height"),
        ({"images": COLOURED.transpose(0, 3, 1, 2).copy(), "labels": [1, 0, 1]}, "uint8 .3, 3, 4, 5., where"),
        ({"images": IMAGES[:, :0], "labels": [1, 0, 1]}, "images is uint8 .3, 0, 5."),
        ({"images": IMAGES, "labels": [1, 0]}, "2 labels and 3 images: one for each"),
        ({"images": IMAGES, "labels": [1.0, 0.0, 1.0]}, "labels is float64 .3., where whole numbers"),
        ({"images": IMAGES, "labels": np.eye(3, dtype=int)}, "labels is int64 .3, 3., where"),
        ({"images": IMAGES, "labels": [1, 0, 2], "class_names": ["a", "b"]}, "image 3: label 2 is outside"),
        ({"images": IMAGES, "labels": [1, 0, -1], "class_names": ["a", "b"]}, "image 3: label -1 is outside"),
        ({"images": IMAGES, "labels": [1, 0, 1], "class_names": [3, 4]}, "class_names is int64"),
        ({"images": IMAGES, "labels": ["a", "b", "a"], "class_names": ["a", "b"]}, "beside labels of type"),
        ({"images": np.array([1, "x", None], object), "labels": [1, 0, 1]}, "images holds Python objects"),
        ({"images": IMAGES, "labels": np.array([1, 0, None], object)}, "labels holds Python objects"),
        ({"images": IMAGES, "labels": np.array(["a", "b", "c" * 10_001])}, "labels has texts of 10,001 char"),
        (
            {"images": IMAGES, "labels": np.frombuffer(b"\xff\xff\xff\x7f" * 3, "<U1")},
            "labels holds what is no text .code point not in range",
        ),
        (
            {"images": IMAGES, "labels": np.frombuffer(b"\x00\xd8\x00\x00" * 3, "<U1")},
            "labels holds what is no text .code point in surrogate",
        ),
        (
            {"images": IMAGES, "labels": [1, 0, 1], "class_names": ["a", "b" * 10_001]},
            "class_names has texts of 10,001 characters, where 1 to 10,000 were expected",
        ),
        ({"images": np.zeros((1, 10_000, 10_000), np.uint8), "labels": [1]}, "images of 10,000 x 10,000 pix"),
        ({"images": np.asfortranarray(IMAGES), "labels": [1, 0, 1]}, "save numpy.ascontiguousarray.images."),
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(tmp_path: Path, arrays, message: str) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(InputError, match=f"some.npz.*{message}") as caught:
        NpzImages(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_is_refused_whatever_the_damage(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (50, 9, 9)).astype(np.uint8)
    path = saved(tmp_path, np.savez_compressed, images=noise, labels=np.arange(50))
    whole = path.read_bytes()
    middle = whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:]
    for damaged in (b"", b"garbage", whole[: len(whole) // 2], middle):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged, or no npz .*: write it anew by numpy.savez"):
            list(NpzImages(path))
    with pytest.raises(InputError, match="none.npz: cannot be read .No such file"):
        NpzImages(tmp_path / "none.npz")


def test_a_header_that_promises_more_than_there_is_allocates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, shape in (("images", (10**12, 9, 9)), ("labels", (10**12,))):
            with archive.open(f"{name}.npy", "w") as file:
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(InputError, match="images is cut, or longer than its header says"):
        NpzImages(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"garbage")
        archive.writestr("labels.npy", b"garbage")
    with pytest.raises(InputError, match="images is no array of NumPy's"):
        NpzImages(path)


def test_texts_of_either_byte_order_are_read_whatever_their_width(tmp_path: Path) -> None:
    for kind in ("<U3", ">U3", ">U9999"):
        labels = np.array(["é😀", " b", "\0c"], kind)
        assert NpzImages(saved(tmp_path, images=IMAGES, labels=labels)).labels == ["é😀", "b", "\0c"]


def test_equal_labels_take_the_memory_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "PIECE_BYTES", 100_000)
    labels, images = np.full(500, "x" * 9_999), np.zeros((500, 1, 1), np.uint8)
    path = saved(tmp_path, np.savez_compressed, images=images, labels=labels)
    tracemalloc.start()
    try:
        found = NpzImages(path).labels
        assert found == labels.tolist()
        found = NpzImages(path).labels
        assert tracemalloc.get_traced_memory()[0] < 3_000_000 < labels.nbytes // 4
        assert len({id(label) for label in found}) == 1
    finally:
        tracemalloc.stop()


def test_an_array_that_unpacks_as_a_bomb_does_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "UNPACKED_BYTES", 1 << 20)
    images = np.zeros((5_000_000, 1, 1), np.uint8)
    path = saved(tmp_path, np.savez_compressed, images=images, labels=np.zeros(5_000_000, np.uint8))
    with pytest.raises(InputError, match="images unpacks from .* to 5,000,128 bytes, as in a decompression"):
        NpzImages(path)

"""What an npz of images must hold, and what is said of one that does not."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError
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

"""Images and labels in NumPy's npz, read without pickle.

`images` uint8 [rows, height, width] or [rows, height, width, channels], `labels` [rows], numbers or names,
and optionally, for numbers from 0, `class_names` [classes].
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


class NpzImages:
    """An npz whose images are read one after the other, however many there are.

    `shape` is an image's height, width and channels; `labels` are names, one for each image. Iterating gives
    the images, uint8 [*shape]. Raises InputError, also while iterating, for any other content.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _archive(path) as archive:
            with self._array(archive, "images") as (_, shape, kind):
                channels = shape[3:] or (1,)
                if kind != np.uint8 or len(shape) not in (3, 4) or channels not in ((1,), (3,)) or 0 in shape:
                    raise InputError(
                        f"{path}: images is {kind} {list(shape)}, where uint8 [rows, height, width], or the "
                        "same with 1 or 3 channels as the last axis, was expected"
                    )
            self.shape = (shape[1], shape[2], channels[0])
            self.labels = self._names(archive)
        if len(self.labels) != shape[0]:
            raise InputError(
                f"{path}: {len(self.labels):,} labels and {shape[0]:,} images: one for each was expected"
            )

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        size = prod(self.shape)
        with _archive(self.path) as archive, self._array(archive, "images") as (stream, _, _):
            for _ in self.labels:
                pixels = stream.read(size)
                if len(pixels) < size:
                    raise EOFError("its images end early")
                yield np.frombuffer(pixels, np.uint8).reshape(self.shape)

    def _names(self, archive: zipfile.ZipFile) -> list[str]:
        labels = self._whole(archive, "labels")
        if labels.ndim == 2 and labels.shape[1] == 1:  # as CIFAR's are often kept
            labels = labels[:, 0]
        if labels.ndim != 1 or labels.dtype.kind not in "iuU":
            raise InputError(
                f"{self.path}: labels is {labels.dtype} {list(labels.shape)}, where whole numbers or texts "
                "[rows] were expected"
            )
        if "class_names.npy" not in archive.namelist():
            return [str(label).strip() for label in labels.tolist()]
        names = self._whole(archive, "class_names")
        if names.ndim != 1 or names.dtype.kind != "U" or labels.dtype.kind == "U":
            raise InputError(
                f"{self.path}: class_names is {names.dtype} {list(names.shape)} beside labels of type "
                f"{labels.dtype}, where texts [classes] beside whole numbers were expected"
            )
        outside = np.flatnonzero((labels < 0) | (labels >= len(names)))
        if len(outside):
            raise InputError(
                f"{self.path}, image {outside[0] + 1}: label {labels[outside[0]]} is outside of the "
                f"{len(names)} class_names, which are counted from 0"
            )
        return [str(name).strip() for name in names[labels].tolist()]

    def _whole(self, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
        with self._array(archive, name) as (stream, shape, kind):
            return np.frombuffer(stream.read(), kind).reshape(shape)

    @contextmanager
    def _array(
        self, archive: zipfile.ZipFile, name: str
    ) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype[Any]]]:
        """Give the values of an array as a stream, its shape and its type."""
        member = f"{name}.npy"
        if member not in archive.namelist():
            known = ", ".join(member.removesuffix(".npy") for member in archive.namelist()[:10])
            raise InputError(f"{self.path}: no array '{name}' among {known}: expected images and labels")
        with archive.open(member) as stream:
            try:
                formats = np.lib.format
                version = formats.read_magic(stream)
                read = formats.read_array_header_1_0 if version == (1, 0) else formats.read_array_header_2_0
                shape, columns_first, kind = read(stream)
            except ValueError as error:
                raise InputError(f"{self.path}: {name} is no array of NumPy's: {error}") from error
            if kind.hasobject:
                raise InputError(
                    f"{self.path}: {name} holds Python objects, which are not read, as reading runs code: "
                    f"save {name} as an array of {'uint8' if name == 'images' else 'whole numbers or texts'}"
                )
            if columns_first and len(shape) > 1:
                raise InputError(
                    f"{self.path}: {name} is saved column by column: save numpy.ascontiguousarray({name})"
                )
            if archive.getinfo(member).file_size - stream.tell() != prod(shape) * kind.itemsize:
                raise InputError(f"{self.path}: {name} is cut, or longer than its header says: write it anew")
            yield stream, shape, kind


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: damaged, or no npz ({error}): write it anew by numpy.savez") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error

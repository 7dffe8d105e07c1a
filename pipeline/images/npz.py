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
from ..reading import is_decompression_bomb
from .file import MAX_PIXELS

LABEL_CHARACTERS = 10_000  # NumPy stores every label of an array as long as the longest
PIECE_BYTES = 1 << 20  # of labels, read at once


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
            if shape[1] * shape[2] > MAX_PIXELS:
                raise InputError(f"{path}: images of {shape[1]:,} x {shape[2]:,} pixels: scale them down")
            self.shape = (shape[1], shape[2], channels[0])
            self.labels = self._names(archive, shape[0])

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        size = prod(self.shape)
        with _archive(self.path) as archive, self._array(archive, "images") as (stream, _, _):
            for _ in self.labels:
                pixels = stream.read(size)
                if len(pixels) < size:
                    raise EOFError("its images end early")
                yield np.frombuffer(pixels, np.uint8).reshape(self.shape)

    def _names(self, archive: zipfile.ZipFile, rows: int) -> list[str]:
        with self._array(archive, "labels") as (stream, shape, kind):
            # Of two axes, the second of length 1, as CIFAR's are often kept.
            if not shape or shape[1:] not in ((), (1,)) or kind.kind not in "iuU":
                raise InputError(
                    f"{self.path}: labels is {kind} {list(shape)}, where whole numbers or texts [rows] were "
                    "expected"
                )
            if shape[0] != rows:
                raise InputError(
                    f"{self.path}: {shape[0]:,} labels and {rows:,} images: one for each was expected"
                )
            is_named = kind.kind == "U"
            texts = self._texts("labels", stream, kind) if is_named else []
            numbers = np.frombuffer(stream.read(), np.int64 if is_named else kind)  # of texts none are left
        if "class_names.npy" not in archive.namelist():
            return texts if is_named else [str(number) for number in numbers.tolist()]
        with self._array(archive, "class_names") as (stream, shape, names_kind):
            if len(shape) != 1 or names_kind.kind != "U" or is_named:
                raise InputError(
                    f"{self.path}: class_names is {names_kind} {list(shape)} beside labels of type {kind}, "
                    "where texts [classes] beside whole numbers were expected"
                )
            names = self._texts("class_names", stream, names_kind)
        outside = np.flatnonzero((numbers < 0) | (numbers >= len(names)))
        if len(outside):
            raise InputError(
                f"{self.path}, image {outside[0] + 1}: label {numbers[outside[0]]} is outside of the "
                f"{len(names)} class_names, which are counted from 0"
            )
        return [names[number] for number in numbers.tolist()]

    def _texts(self, name: str, stream: IO[bytes], kind: np.dtype[Any]) -> list[str]:
        """Return the texts of an array without the blanks around them, equal ones once in memory."""
        if not 0 < kind.itemsize <= 4 * LABEL_CHARACTERS:
            raise InputError(
                f"{self.path}: {name} has texts of {kind.itemsize // 4:,} characters, where 1 to "
                f"{LABEL_CHARACTERS:,} were expected"
            )
        width, codec = kind.itemsize // 4, "utf-32-be" if kind.str[0] == ">" else "utf-32-le"
        texts, known = list[str](), dict[str, str]()
        while piece := stream.read(max(1, PIECE_BYTES // kind.itemsize) * kind.itemsize):
            try:
                characters = piece.decode(codec)
            except UnicodeDecodeError as error:
                raise InputError(f"{self.path}: {name} holds what is no text ({error.reason})") from error
            for start in range(0, len(characters), width):
                text = characters[start : start + width].rstrip("\0").strip()
                texts.append(known.setdefault(text, text))
        return texts

    @contextmanager
    def _array(
        self, archive: zipfile.ZipFile, name: str
    ) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype[Any]]]:
        """Give the values of an array as a stream, its shape and its type."""
        member = f"{name}.npy"
        if member not in archive.namelist():
            known = ", ".join(member.removesuffix(".npy") for member in archive.namelist()[:10])
            raise InputError(f"{self.path}: no array '{name}' among {known}: expected images and labels")
        info = archive.getinfo(member)
        if is_decompression_bomb(info.compress_size, info.file_size):
            raise InputError(
                f"{self.path}: {name} unpacks from {info.compress_size:,} to {info.file_size:,} bytes, as in "
                "a decompression bomb"
            )
        with archive.open(member) as stream:
            try:
                # Of this version is every array without named fields; the header of others may be endless.
                if np.lib.format.read_magic(stream) != (1, 0):
                    raise ValueError("a format other than 1.0")
                shape, columns_first, kind = np.lib.format.read_array_header_1_0(stream)
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
            if info.file_size - stream.tell() != prod(shape) * kind.itemsize:
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

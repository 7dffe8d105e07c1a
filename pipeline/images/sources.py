"""The images of a corpus, one after the other: from a folder, from an npz, or from scikit-learn or Keras.

Images of arrays keep their size. Those of files are brought to squares: `source.size` is their side, by
default the median of the files' shorter sides, but at most MAX_DEFAULT_SIDE. They are grey if every file is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..corpus.sources import Rejected, displayed_label
from ..errors import InputError
from ..labels.classes import Classes
from ..labels.spelling import clean_label
from ..options import Source
from ..progress import Bar
from ..terminal import visible
from . import npz
from .file import Unreadable, fitted, from_pixels, is_grey, opened
from .folder import file_problem, files_below

MAX_DEFAULT_SIDE = 64  # pixels, which two cores train on in reasonable time

Shape = tuple[int, int, int]  # height, width, channels


class ImageExample(NamedTuple):
    """A labelled image without its pixels.

    `line` is the number, from 1, of the image in its file, `content` a digest of the pixels as the network
    sees them; `width` and `height` are those in the file.
    """

    file: str
    line: int
    content: str
    width: int
    height: int
    label: str


class LabelledImage(NamedTuple):
    """An image, uint8 [*shape], that has `width` x `height` pixels in its file."""

    file: str
    line: int
    label: str
    width: int
    height: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Part:
    """The images of one part of a corpus.

    `labels` are those of all images that may be read, as their files have them, and `empty_folders` the names
    of the folders that would have been a class if an image were in them.
    """

    labels: Sequence[str]
    shape: Shape
    # The images that can be read, and the others with the reason, for a shape that may be another part's.
    images: Callable[[Shape], Iterator[LabelledImage | Rejected]]
    empty_folders: Sequence[str] = ()


def parts(source: Source) -> dict[str, Part]:
    """Return part -> its images. Raises InputError for a file, a folder or a download that gives none."""
    if source.format == "digits":
        return {"train": _digits()}
    if source.format == "keras":
        return _keras_parts(str(source.dataset))
    read = _folder if source.format == "folder" else _npz
    return {part: read(Path(file.path), source) for part, file in source.files.items()}


def shape_of(parts: dict[str, Part], source: Source) -> Shape:
    """Return the shape of all images of the corpus: the training part's, unless `source.size` is given."""
    height, width, channels = parts["train"].shape
    return source.size or height, source.size or width, channels


def labels_of(parts: dict[str, Part], source: Source) -> dict[str, list[str]]:
    """Return part -> the labels of the images that may be read, as `source.labels` names them."""
    named = source.labels or {}
    cleaned = {name: map(clean_label, part.labels) for name, part in parts.items()}
    return {name: [named.get(label, label) for label in labels if label] for name, labels in cleaned.items()}


def read_images(
    parts: dict[str, Part], source: Source, classes: Classes, write: Callable[[bytes], Any]
) -> tuple[dict[str, list[ImageExample]], dict[str, list[Rejected]]]:
    """Hand the pixels of each image to `write`, part after part.

    Returns part -> its examples, in that order, and part -> its rejected files, of which some are by
    `classes`. Raises InputError for a part without an image.
    """
    shape = shape_of(parts, source)
    examples: dict[str, list[ImageExample]] = {}
    rejected: dict[str, list[Rejected]] = {}
    for name, part in parts.items():
        examples[name], rejected[name] = [], []
        for image in Bar("images", len(part.labels), part.images(shape), unit="image"):
            if isinstance(image, Rejected):
                rejected[name].append(image)
                continue
            place = f"{image.file}, image {image.line}"
            label = classes.name(displayed_label(clean_label(image.label), source, place))
            if problem := classes.problem(label, name) if label else "no label":
                rejected[name].append(Rejected(image.file, image.line, image.line, problem))
                continue
            pixels = image.pixels.tobytes()
            write(pixels)
            content = blake2b(pixels, digest_size=16).hexdigest()
            examples[name].append(
                ImageExample(image.file, image.line, content, image.width, image.height, label)
            )
        if not examples[name]:
            first = f"; {rejected[name][0].file}: {rejected[name][0].reason}" if rejected[name] else ""
            raise InputError(f"the {name} part has no image that can be read{first}")
    return examples, rejected


def _array_part(file: str, images: NDArray[np.uint8], labels: Sequence[str]) -> Part:
    """`images` uint8 [rows, height, width, channels]."""
    height, width, channels = images.shape[1:]

    def read(shape: Shape) -> Iterator[LabelledImage]:
        for row, (pixels, label) in enumerate(zip(images, labels, strict=True), 1):
            yield LabelledImage(file, row, label, width, height, _sized(pixels, shape))

    return Part(labels, (height, width, channels), read)


def _sized(pixels: NDArray[np.uint8], shape: Shape) -> NDArray[np.uint8]:
    return pixels if pixels.shape == shape else fitted(from_pixels(pixels), *shape)


# Data sets of scikit-learn and Keras


def _digits() -> Part:
    """Return scikit-learn's digits, whose 17 shades of grey are stretched to 256."""
    from sklearn.datasets import load_digits  # here, as it is needed for one corpus

    bunch = load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    return _array_part("digits of scikit-learn", images[..., None], [*map(str, bunch.target.tolist())])


def _keras_parts(name: str) -> dict[str, Part]:
    """Return a data set of keras.datasets, from Keras's cache or its address."""
    from ..networks.backend import keras  # here, without the seconds that it takes for all other corpora

    try:
        with (
            open(os.devnull, "w") as null,
            redirect_stdout(sys.stderr if sys.stderr.isatty() else null),
        ):
            loaded = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises plain Exception where an address cannot be reached
        cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
        raise InputError(
            f"{name} could not be had ({str(error)[:200] or type(error).__name__}): put Keras's files for it "
            f"into {cache}, or connect to the internet"
        ) from error
    parts = {}
    for part, (images, labels) in zip(("train", "test"), loaded, strict=True):
        pixels = images if images.ndim == 4 else images[..., None]
        parts[part] = _array_part(f"{name} of Keras, {part}", pixels, [*map(str, labels.ravel().tolist())])
    return parts


# A folder with a subfolder for each class


class _Survey(NamedTuple):
    """The files below a folder that are images by their headers, their shorter sides, and the others."""

    images: list[Path]
    sides: list[int]
    has_colour: bool
    rejected: list[Rejected]


def _folder(path: Path, source: Source) -> Part:
    if not path.is_dir():
        raise InputError(f"{path}: expected a folder with one subfolder of images for each class")
    found = _survey(path)
    middle = sorted(found.sides)[len(found.sides) // 2] if found.sides else MAX_DEFAULT_SIDE
    side = min(MAX_DEFAULT_SIDE, middle)

    def label_of(file: Path) -> str:
        return file.relative_to(path).parts[0]

    def read(shape: Shape) -> Iterator[LabelledImage | Rejected]:
        yield from found.rejected
        for file in found.images:
            try:
                with opened(file) as image:
                    width, height = image.size
                    pixels = fitted(image, *shape)
                    labelled = LabelledImage(str(file), 1, label_of(file), width, height, pixels)
            except Unreadable as error:
                yield Rejected(str(file), 1, 1, str(error))
            else:
                yield labelled

    labels = [label_of(file) for file in found.images]
    folders = {entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")}
    return Part(labels, (side, side, 3 if found.has_colour else 1), read, sorted(folders - {*labels}))


def _survey(path: Path) -> _Survey:
    images: list[Path] = []
    sides: list[int] = []
    rejected: list[Rejected] = []
    has_colour = False
    files = list(files_below(path))
    for file in Bar("sizes", len(files), files, unit="image"):
        try:
            if reason := file_problem(file):
                raise Unreadable(reason)
            if file.parent == path:
                raise Unreadable("it lies in no subfolder, which would name its class")
            with opened(file) as image:
                sides.append(min(image.size))
                has_colour = has_colour or not is_grey(image)
            images.append(file)
        except Unreadable as error:
            rejected.append(Rejected(visible(str(file)), 1, 1, str(error)))
    return _Survey(images, sides, has_colour, rejected)


# An npz


def _npz(path: Path, source: Source) -> Part:
    file = npz.NpzImages(path)

    def read(shape: Shape) -> Iterator[LabelledImage]:
        if file.shape != shape and source.size is None:
            size, expected = (" x ".join(map(str, sides)) for sides in (file.shape, shape))
            raise InputError(
                f"{path}: images of {size}, where the training part's are of {expected}: give them the same "
                "channels, and one size",
                option="source.size",
            )
        height, width, _ = file.shape
        for row, pixels in enumerate(file, 1):
            yield LabelledImage(str(path), row, file.labels[row - 1], width, height, _sized(pixels, shape))

    return Part(file.labels, file.shape, read)

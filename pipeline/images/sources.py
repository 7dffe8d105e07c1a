"""The images of a corpus, one after the other: from a folder, from an npz, or from scikit-learn or Keras.

Their size is that of the corpus's arrays. Files differ in theirs: `source.size` is the side of the square
that they are brought to, by default the median of their shorter sides, and at most LARGEST. They are grey
where every file is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..corpus.sources import Rejected
from ..errors import InputError
from ..options import Source
from . import npz
from .file import Unreadable, fitted, is_grey, of_pixels, opened
from .folder import files_below, shown, unfit_name

LARGEST = 64  # pixels a side, where the user names no size: what two cores train on in reasonable time

Shape = tuple[int, int, int]  # height, width, channels


class ImageExample(NamedTuple):
    """A labelled image without its pixels; `content` is a digest of them as the network sees them.

    `line` is the number, from 1, of the image in its file; `width` and `height` are as they were there.
    """

    file: str
    line: int
    content: str
    width: int
    height: int
    label: str


class Found(NamedTuple):
    """An image, uint8 [*shape], of `width` x `height` in its file."""

    file: str
    line: int
    label: str
    width: int
    height: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Part:
    """The images of one part: how many at most, their shape, and an iterator over those that can be read
    and the reasons for those that cannot."""

    count: int
    shape: Shape
    images: Callable[[Shape], Iterator[Found | Rejected]]  # brought to a shape, which may be another part's


def parts(source: Source) -> dict[str, Part]:
    """Part -> its images. Raises InputError for a file, a folder or a download that gives none."""
    if source.format == "digits":
        return {"train": _digits()}
    if source.format == "keras":
        return _of_keras(str(source.dataset))
    read = _folder if source.format == "folder" else _npz
    return {part: read(Path(file.path), source) for part, file in source.files.items()}


def shape_of(parts: dict[str, Part], source: Source) -> Shape:
    """That all images of the corpus are brought to: the training part's, but for `source.size`."""
    height, width, channels = parts["train"].shape
    return source.size or height, source.size or width, channels


def read_images(
    parts: dict[str, Part], source: Source, write: Callable[[bytes], Any]
) -> tuple[dict[str, list[ImageExample]], dict[str, list[Rejected]]]:
    """Hand the pixels of each image to `write`, part after part, and give part -> its examples in that
    order, and part -> what was set aside. Raises InputError for a part without an image."""
    shape = shape_of(parts, source)
    examples: dict[str, list[ImageExample]] = {}
    rejected: dict[str, list[Rejected]] = {}
    for name, part in parts.items():
        examples[name], rejected[name] = [], []
        for one in tqdm(part.images(shape), "images", part.count, unit="image", leave=False, disable=None):
            if isinstance(one, Rejected):
                rejected[name].append(one)
                continue
            pixels = one.pixels.tobytes()
            write(pixels)
            content = blake2b(pixels, digest_size=16).hexdigest()
            label = _shown(one, source)
            examples[name].append(ImageExample(one.file, one.line, content, one.width, one.height, label))
        if not examples[name]:
            first = f"; {rejected[name][0].file}: {rejected[name][0].reason}" if rejected[name] else ""
            raise InputError(f"the {name} part has no image that can be read{first}")
    return examples, rejected


def _shown(one: Found, source: Source) -> str:
    if source.labels is None:
        return one.label
    if one.label not in source.labels:
        known = ", ".join(f"'{known}'" for known in source.labels)
        raise InputError(
            f"{one.file}, image {one.line}: unknown label '{one.label[:80]}' where one of {known} was "
            "expected: mend it, or add the label to source.labels"
        )
    return source.labels[one.label]


def _of_arrays(file: str, images: NDArray[np.uint8], labels: Iterable[str]) -> Part:
    """`images` uint8 [rows, height, width, channels]."""
    height, width, channels = images.shape[1:]

    def read(shape: Shape) -> Iterator[Found]:
        for row, (pixels, label) in enumerate(zip(images, labels, strict=True), 1):
            yield Found(file, row, label, width, height, _sized(pixels, shape))

    return Part(len(images), (height, width, channels), read)


def _sized(pixels: NDArray[np.uint8], shape: Shape) -> NDArray[np.uint8]:
    return pixels if pixels.shape == shape else fitted(of_pixels(pixels), *shape)


# Those that bring their data themselves


def _digits() -> Part:
    """scikit-learn's, whose 17 shades of grey are stretched to 256."""
    from sklearn.datasets import load_digits  # here, as it is needed for one corpus

    bunch = load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    return _of_arrays("digits of scikit-learn", images[..., None], map(str, bunch.target.tolist()))


def _of_keras(name: str) -> dict[str, Part]:
    """A data set of keras.datasets, from Keras's cache or its address."""
    from ..networks.backend import keras  # here, without the seconds that it takes for all other corpora

    try:
        with (
            open(os.devnull, "w") as nowhere,
            redirect_stdout(sys.stderr if sys.stderr.isatty() else nowhere),
        ):
            loaded = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises plain Exception where an address cannot be reached
        cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
        raise InputError(
            f"{name} could not be had ({str(error)[:200] or type(error).__name__}): put Keras's files for it "
            f"into {cache}, or connect to the internet"
        ) from error
    found = {}
    for part, (images, labels) in zip(("train", "test"), loaded, strict=True):
        pixels = images if images.ndim == 4 else images[..., None]
        found[part] = _of_arrays(f"{name} of Keras, {part}", pixels, map(str, labels.ravel().tolist()))
    return found


# A folder with a subfolder for each class


def _folder(path: Path, source: Source) -> Part:
    if not path.is_dir():
        raise InputError(f"{path}: expected a folder with one subfolder of images for each class")
    files = list(files_below(path))
    images: list[Path] = []
    rejected: list[Rejected] = []
    sides: list[int] = []
    coloured = False
    for file in tqdm(files, "sizes", unit="image", leave=False, disable=None):
        try:
            if reason := unfit_name(file):
                raise Unreadable(reason)
            if file.parent == path:
                raise Unreadable("it lies in no subfolder, which would name its class")
            with opened(file) as image:
                sides.append(min(image.size))
                coloured = coloured or not is_grey(image)
            images.append(file)
        except Unreadable as error:
            rejected.append(Rejected(shown(file), 1, 1, str(error)))
    side = min(LARGEST, sorted(sides)[len(sides) // 2]) if sides else LARGEST

    def read(shape: Shape) -> Iterator[Found | Rejected]:
        yield from rejected
        for file in images:
            label = file.relative_to(path).parts[0]
            try:
                with opened(file) as image:
                    width, height = image.size
                    found = Found(str(file), 1, label, width, height, fitted(image, *shape))
            except Unreadable as error:
                yield Rejected(str(file), 1, 1, str(error))
            else:
                yield found

    return Part(len(files), (side, side, 3 if coloured else 1), read)


# An npz


def _npz(path: Path, source: Source) -> Part:
    file = npz.NpzImages(path)

    def read(shape: Shape) -> Iterator[Found]:
        if file.shape != shape and source.size is None:
            sizes, others = (" x ".join(map(str, one)) for one in (file.shape, shape))
            raise InputError(
                f"{path}: images of {sizes}, where the training part's are of {others}: bring both to one "
                'size by SET="source.size=…", and give them the same channels'
            )
        height, width, _ = file.shape
        for row, pixels in enumerate(file, 1):
            yield Found(str(path), row, file.labels[row - 1], width, height, _sized(pixels, shape))

    return Part(len(file.labels), file.shape, read)

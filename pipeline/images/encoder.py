"""The encoder of an image classifier: image files become images of one size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ..encoder import EncodedRows, ServedColumn, TokenCounts
from ..errors import InputError
from ..inputs import Images, Sequences

if TYPE_CHECKING:
    import pandas as pd

BATCH_BYTES = 64 << 20  # of pixels
CHANNELS = (1, 3)  # grey; red, green, blue


@dataclass(frozen=True)
class ImageEncoder:
    """The size and the channels that all images are brought to, as in training: see `file.fitted`."""

    height: int
    width: int
    channels: int

    kind: ClassVar[Literal["image"]] = "image"
    vocabulary: ClassVar[int] = 0
    words: ClassVar[list[str]] = []
    by_character: ClassVar[bool] = False
    packages: ClassVar[tuple[str, ...]] = ("pillow",)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    def encode(self, paths: Iterable[str | Path]) -> Images:
        """Return the images in these files. Raises InputError for a file that cannot be read."""
        files: list[Path | BytesIO] = [Path(path) for path in paths]
        images, problems = self._read(files)
        for path, problem in zip(files, problems, strict=True):
            if problem:
                raise InputError(f"{path}: {problem}")
        return images

    def encode_bytes(
        self, data: NDArray[np.uint8], bounds: NDArray[np.int64], folder: Path | None
    ) -> Iterator[EncodedRows]:
        """Yield batches of at most BATCH_BYTES of pixels.

        Row i is `data[bounds[i, 0]:bounds[i, 1]]`: a path relative to `folder`; if that is None, the bytes of
        an image file.
        """
        raw = data.tobytes()
        size = max(1, BATCH_BYTES // (self.height * self.width * self.channels))
        for first in range(0, len(bounds), size):
            rows = [raw[start:end] for start, end in bounds[first : first + size].tolist()]
            files: list[Path | BytesIO] = [
                BytesIO(row) if folder is None else folder / row.decode() for row in rows
            ]
            images, problems = self._read(files)
            known = np.ones(len(images), np.int64)
            yield EncodedRows(images, TokenCounts(known, known, np.zeros_like(known)), problems)

    def _read(self, files: Iterable[Path | BytesIO]) -> tuple[Images, list[str]]:
        """Return the images that can be read, and for each file the reason why it cannot, or ""."""
        from .file import Unreadable, fitted, opened  # here, as texts need no Pillow

        images, problems = [], []
        for file in files:
            try:
                with opened(file) as image:
                    images.append(fitted(image, *self.shape))
                problems.append("")
            except Unreadable as error:
                problems.append(str(error))
        return Images.from_pixels(np.array(images, np.uint8).reshape(len(images), *self.shape)), problems

    def last_input(self) -> Images:
        """Return a white image."""
        return Images.from_pixels(np.full((1, *self.shape), 255, np.uint8))

    def encode_table(self, table: pd.DataFrame, inputs: Sequences | Images) -> Sequences | Images:
        """Return the images themselves: all encoders of one shape give the same."""
        return inputs

    def count_tokens(self, table: pd.DataFrame) -> None:
        """Return None: images have no tokens."""

    def pieces(self, text: str) -> list[str]:
        """Raise TypeError: images have no tokens."""
        raise TypeError("expected a text, not an image")

    def served_column(self, column: str) -> ServedColumn:
        """Describe a column of image files as bytes, with a white image as its example."""
        from .file import from_pixels

        file = BytesIO()
        from_pixels(np.full(self.shape, 255, np.uint8)).save(file, "PNG")
        return ServedColumn("image", "binary", [file.getvalue()])

    def to_bytes(self, value: object) -> bytes:
        """Return the bytes of an image file. Raises InputError for anything else."""
        if not isinstance(value, bytes):
            raise InputError(f"a {type(value).__name__}: expected the bytes of an image file")
        return value

    def to_json(self) -> dict[str, int]:
        """Return the sizes, from which `from_json` makes an equal encoder."""
        return {"height": self.height, "width": self.width, "channels": self.channels}

    @classmethod
    def from_json(cls, value: Any, name: str = "image encoder") -> ImageEncoder:
        """Make an encoder of what `to_json` gave.

        Raises InputError that begins with `name` for anything else.
        """
        from .file import MAX_PIXELS

        keys = ("height", "width", "channels")
        sizes: list[Any] = [value.get(key) for key in keys] if isinstance(value, dict) else []
        whole = len(sizes) == 3 and all(type(size) is int and size >= 1 for size in sizes)
        if not whole or sizes[0] * sizes[1] > MAX_PIXELS or sizes[2] not in CHANNELS:
            raise InputError(
                f"{name}: no sizes of an image, expected a height and a width, of at most {MAX_PIXELS:,} "
                "pixels, and 1 or 3 channels: train again"
            )
        return cls(*sizes)

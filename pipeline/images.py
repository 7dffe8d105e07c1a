"""Images of one size, as networks take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SUFFIXES = (".png", ".jpg", ".jpeg")  # of image files, in lower case
PIXELS_A_TOKEN = 32  # in `lengths`: a batch of 16,384 tokens is 512 images of 32 x 32


@dataclass(frozen=True)
class Images:
    """Rows of `pixels`, uint8 [all images, height, width, channels], which may be mapped from a file.

    Selecting copies no pixels; `padded` reads those of its rows.
    """

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> Images:
        """All of them."""
        return cls(pixels, np.arange(len(pixels)))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        height, width, channels = self.pixels.shape[1:]
        return height, width, channels

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64 [rows]: what each costs a network, in tokens; all the same."""
        height, width, _ = self.shape
        return np.full(len(self), -(-height * width // PIXELS_A_TOKEN), np.int64)

    def select(self, rows: NDArray[np.integer]) -> Images:
        """The given rows, in the given order."""
        return Images(self.pixels, self.rows[rows])

    def padded(self) -> NDArray[np.uint8]:
        """uint8 [rows, height, width, channels]; of one size as they are, they need no padding."""
        pixels = self.pixels
        if isinstance(pixels, np.memmap):
            # A map of its own, given back with the batch: of one that stays, so does every page once read.
            pixels = np.memmap(str(pixels.filename), pixels.dtype, "r", pixels.offset, pixels.shape)
        return np.asarray(pixels[self.rows])

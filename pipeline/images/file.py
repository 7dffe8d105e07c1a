"""One image file: opened safely, and brought to the size and the channels of the others.

The only module that imports Pillow.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import is_lack_of_memory
from .folder import FORMATS

MAX_PIXELS = 89_478_485  # Pillow's own bound: a third of a gigabyte in colour, for which it takes four bytes
PILLOW_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
STRIP_PIXELS = 1 << 20  # converted at once: the conversions of 16 bits take 30 bytes for each
GREY = ("1", "L", "LA", "La", "I", "F")  # Pillow's modes without colour; those of 16 bits begin with "I;16"
BACKGROUND = 255  # what shows through where an image is transparent: white, as on a page


class Unreadable(Exception):
    """A file that is not an image, or is damaged; the message is the reason, for the list of rejects."""


@contextmanager
def opened(file: Path | BytesIO) -> Iterator[Image.Image]:
    """Open an image file, or its bytes, without reading the pixels yet; of several images, the first counts.

    Raises Unreadable, also for what goes wrong inside the block.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")  # of damaged metadata, which is not used
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file, formats=PILLOW_FORMATS) as image:
                yield image
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise Unreadable(f"more than {MAX_PIXELS:,} pixels, as in a decompression bomb") from error
        except UnidentifiedImageError as error:
            raise Unreadable(f"no {FORMATS} image") from error
        except Exception as error:  # Pillow lets through whatever its decoders and zlib make of damage
            if is_lack_of_memory(error):  # no fault of the file
                raise
            if isinstance(error, OSError) and error.strerror:  # the system's, such as that there is no file
                raise Unreadable(error.strerror.lower()) from error
            raise Unreadable(f"damaged or cut: {str(error) or type(error).__name__}") from error


def is_grey(image: Image.Image) -> bool:
    """Return True if the image's mode has no colour."""
    return image.mode in GREY or image.mode.startswith("I;16")


def fitted(image: Image.Image, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Return uint8 [height, width, channels], with 1 channel (grey) or 3 (red, green, blue).

    The image is turned upright by its EXIF orientation, scaled with its aspect ratio until it covers the
    size, and cropped to the middle (Krizhevsky et al. 2012, section 2); transparency becomes white.
    """
    if image.format == "JPEG":
        image.draft(None, (2 * width, 2 * height))  # decodes at a half to an eighth, if that is enough
    ImageOps.exif_transpose(image, in_place=True)
    image = _opaque(image, "L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(height, width, channels)


def from_pixels(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return an image of uint8 [height, width, 1 or 3]."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _opaque(image: Image.Image, mode: str) -> Image.Image:
    """Return the image in mode L or RGB, with white for transparency; strip by strip, as each step copies."""
    if image.mode == mode and not image.has_transparency_data:
        return image
    page = Image.new(mode, image.size)
    height = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, height):
        strip = _eight_bits(image.crop((0, top, image.width, min(top + height, image.height))))
        if strip.has_transparency_data:
            white = Image.new("RGBA", strip.size, (BACKGROUND,) * 4)
            strip = Image.alpha_composite(white, strip.convert("RGBA"))
        page.paste(strip.convert(mode), (0, top))
    return page


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return the upper eight of 16 bits: Pillow's own conversion takes all above 255 for white."""
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.int64)
    return Image.fromarray((np.clip(values, 0, 65_535) // 256).astype(np.uint8))

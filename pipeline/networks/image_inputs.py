"""The first layers of all image networks: pixels rescaled, and augmented in training if asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ..errors import InputError
from ..options import Real, Section, Share

if TYPE_CHECKING:
    from .backend import keras

Padding = Literal["same", "valid"]
Shape = tuple[int, int, int]  # height, width, channels


class Augmentation(Section):
    """The range in which training images are moved at random; in prediction they stay as they are."""

    shift: Share = 0.0
    """Moved by up to this share of height and of width, either way."""
    flip: bool = False
    """Whether every other time left and right are exchanged."""
    rotation: Annotated[Real, Field(ge=0, le=180)] = 0.0
    """Turned by up to so many degrees, either way."""


def image_inputs(shape: Shape, augmentation: Augmentation) -> tuple[keras.KerasTensor, Any]:
    """Return the input, uint8 [batch, *shape], and its pixels from -1 to 1, augmented in training.

    Pixels that are moved in from outside the image repeat its edge.
    """
    from .backend import keras

    inputs = keras.Input(shape, dtype="uint8", name="images")
    pixels = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(inputs)
    if augmentation.flip:
        pixels = keras.layers.RandomFlip("horizontal", name="flip")(pixels)
    if augmentation.rotation:
        turn = augmentation.rotation / 360
        pixels = keras.layers.RandomRotation(turn, fill_mode="nearest", name="rotation")(pixels)
    if augmentation.shift:
        far = augmentation.shift
        pixels = keras.layers.RandomTranslation(far, far, fill_mode="nearest", name="shift")(pixels)
    return inputs, pixels


def output_size(size: int, kernel: int, stride: int, padding: Padding) -> int:
    """Return the output size of a convolution or a pooling along one axis.

    With p cells of padding on either side that is floor((size + 2p - kernel) / stride) + 1. `valid` has
    p = 0; `same` pads just so much, unevenly if need be, that it is ceil(size / stride).
    """
    return (size - kernel) // stride + 1 if padding == "valid" else -(-size // stride)


def check_fits(shape: Shape, steps: list[tuple[int, int, Padding]], network: str) -> None:
    """Raise InputError if a network's layers leave nothing of an image of this shape.

    `steps` are its convolutions and poolings, each a kernel, stride and padding.
    """
    height, width, _ = shape
    for kernel, stride, padding in steps:
        height, width = (output_size(size, kernel, stride, padding) for size in (height, width))
        if min(height, width) < 1:
            raise InputError(
                f"images of {shape[0]} x {shape[1]} are too small for {network}, whose convolutions and "
                "poolings leave nothing of them: enlarge them, or name fewer layers",
                option="source.size",
            )

"""AlexNet: five convolutions, overlapping pooling, and two wide dense layers under dropout.

Krizhevsky, Sutskever & Hinton 2012, ImageNet Classification with Deep Convolutional Neural Networks.
Ungrouped: every filter sees all channels below it, where the paper's second, fourth and fifth convolutions
saw those of their own GPU. Weights start by He et al. (2015), not at a standard deviation of 0.01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ..networks.image_inputs import Augmentation, Padding, Shape, check_fits, image_inputs
from ..networks.search_space import Choice, Range, Space, augmentation_space
from ..options import Positive, Section, Share

if TYPE_CHECKING:
    from ..networks.backend import keras

INPUT = "images"
POOLED = (0, 1, 4)  # convolutions that are followed by a pooling of 3 x 3 at stride 2
NORMALIZED = (0, 1)


class Options(Section):
    """The defaults are scaled for 32 x 32: half of the paper's filters, as on one of its two GPUs.

    The paper's, for 227 x 227, are in conf/models/alexnet-227.yaml.
    """

    filters: list[Positive] = Field([48, 128, 192, 192, 128], min_length=5, max_length=5)
    """The filters of each convolution."""
    kernels: list[Positive] = Field([5, 5, 3, 3, 3], min_length=5, max_length=5)
    """The sides of the filters of each convolution, in pixels."""
    stride: Positive = 1
    """The stride of the first convolution."""
    response_normalization: bool = False
    """Whether the first two convolutions are followed by a local response normalization."""
    dense: list[Positive] = Field([512, 512])
    """The units of each dense layer."""
    dropout: Share = 0.5
    """The share of values that is left out before each dense layer."""
    augmentation: Augmentation = Augmentation()
    """The range in which training images are moved at random."""


def search_space(options: Options, random_vectors: bool) -> Space:
    """Return how to regularise it; its layers are the paper's."""
    return {
        "response_normalization": Choice((False, True)),
        "dropout": Range(0.0, 0.7),
        **augmentation_space(),
    }


def build(options: Options, shape: Shape, classes: int) -> keras.Model:
    """Return a network from uint8 images [batch, *shape] to float32 logits [batch, classes].

    Raises InputError for images too small for the first kernel and three poolings.
    """
    # Imported late: options are checked without the seconds that TensorFlow takes to start.
    from ..networks.backend import keras
    from ..networks.layers import LocalResponseNormalization

    steps: list[tuple[int, int, Padding]] = []
    for number, kernel in enumerate(options.kernels):
        steps.append((kernel, options.stride, "valid") if number == 0 else (kernel, 1, "same"))
        steps += [(3, 2, "valid")] if number in POOLED else []
    check_fits(shape, steps, "alexnet")
    inputs, features = image_inputs(shape, options.augmentation)
    for number, (filters, kernel) in enumerate(zip(options.filters, options.kernels, strict=True)):
        features = keras.layers.Conv2D(
            filters,
            kernel,
            strides=options.stride if number == 0 else 1,
            padding="valid" if number == 0 else "same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"filters{number + 1}",
        )(features)
        if options.response_normalization and number in NORMALIZED:
            features = LocalResponseNormalization(name=f"normalization{number + 1}")(features)
        if number in POOLED:
            features = keras.layers.MaxPooling2D(3, strides=2, name=f"pooling{number + 1}")(features)
    features = keras.layers.Flatten()(features)
    for units in options.dense:
        features = keras.layers.Dropout(options.dropout)(features)
        features = keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal")(features)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(features)
    return keras.Model(inputs, logits, name="alexnet")

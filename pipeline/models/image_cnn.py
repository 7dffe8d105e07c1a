"""A convolutional network for images: blocks of convolutions and a pooling, then dense layers.

LeNet's plan (LeCun et al. 1998) with rectified units (Nair & Hinton 2010), batch normalization (Ioffe &
Szegedy 2015, arXiv 1502.03167) and dropout. Its convolution is cross-correlation, as everywhere in deep
learning: no kernel is turned round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from ..images import edge_kernels
from ..networks.image_inputs import Augmentation, Padding, Shape, check_fits, image_inputs
from ..networks.search_space import Choice, Range, Space, augmentation_space
from ..options import InconsistentOptions, Positive, Section, Share

if TYPE_CHECKING:
    from ..networks.backend import keras

INPUT = "images"


class Options(Section):
    """A block for each number of filters."""

    filters: list[Positive] = Field([32, 64, 128], min_length=1)
    """The filters of each block's convolutions."""
    convolutions: Positive = 1
    """The convolutions of each block."""
    kernel: Positive = 3
    """The side of a filter in pixels."""
    stride: Positive = 1
    """The stride of a block's first convolution."""
    padding: Padding = "same"
    """Whether images are padded, to keep their size, or only whole windows count."""
    batch_normalization: bool = True
    """Whether each convolution is followed by a batch normalization."""
    pooling: Positive = 2
    """The side of the square whose maximum is taken; 1 is none."""
    dense: list[Positive] = Field([128])
    """The units of each dense layer."""
    dropout: Share = 0.5
    """The share of values that is left out before each dense layer and the logits."""
    augmentation: Augmentation = Augmentation()
    """The range in which training images are moved at random."""
    start: Literal["random", "filter_bank"] = "random"
    """The start of the first convolution: with filter_bank edge detectors for its first 12 filters."""
    start_trainable: bool = True
    """Whether the first convolution is trained."""

    @model_validator(mode="after")
    def _has_room_for_edges(self) -> Options:
        if self.start == "filter_bank" and self.kernel < edge_kernels.KERNEL_SIDE:
            raise InconsistentOptions(
                f"network.start: filter_bank needs a network.kernel of {edge_kernels.KERNEL_SIDE} or more",
                "network.start",
                "network.kernel",
            )
        return self


def search_space(options: Options, random_vectors: bool) -> Space:
    """Return the depths of a block, and how to regularise the network."""
    return {"convolutions": Choice((1, 2)), "dropout": Range(0.0, 0.7), **augmentation_space()}


def build(options: Options, shape: Shape, classes: int) -> keras.Model:
    """Return a network from uint8 images [batch, *shape] to float32 logits [batch, classes].

    The first convolution is named `filters1`. Raises InputError for images too small for so many poolings.
    """
    # Imported late: options are checked without the seconds that TensorFlow takes to start.
    from ..networks.backend import keras

    later = [(options.kernel, 1, options.padding)] * (options.convolutions - 1)
    block = [(options.kernel, options.stride, options.padding), *later, (options.pooling,) * 2 + ("valid",)]
    check_fits(shape, block * len(options.filters), "image_cnn")
    inputs, features = image_inputs(shape, options.augmentation)
    number = 0
    for filters in options.filters:
        for position in range(options.convolutions):
            number += 1
            features = keras.layers.Conv2D(
                filters,
                options.kernel,
                strides=1 if position else options.stride,
                padding=options.padding,
                use_bias=not options.batch_normalization,  # which has a bias of its own
                kernel_initializer="he_normal",
                trainable=number > 1 or options.start_trainable,
                name=f"filters{number}",
            )(features)
            if options.pooling > 1 and position == options.convolutions - 1:
                # Before the rectifier, with which a maximum commutes: what follows has a quarter to do.
                features = keras.layers.MaxPooling2D(options.pooling)(features)
            if options.batch_normalization:
                # Few steps make an epoch of a small corpus: means over the last ten or so, not a hundred.
                features = keras.layers.BatchNormalization(momentum=0.9)(features)
            features = keras.layers.ReLU()(features)
    features = keras.layers.Flatten()(features)
    for units in options.dense:
        features = keras.layers.Dropout(options.dropout)(features)
        features = keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal")(features)
    features = keras.layers.Dropout(options.dropout)(features)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(features)
    network = keras.Model(inputs, logits, name="image_cnn")
    if options.start == "filter_bank":
        first = network.get_layer("filters1").kernel
        first.assign(edge_kernels.start_with_edges(first.numpy()))
    return network

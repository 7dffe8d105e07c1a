"""A network without a convolution, for comparison: every unit sees every pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ..networks.image_inputs import Augmentation, Shape, image_inputs
from ..networks.search_space import Choice, Range, Space, augmentation_space
from ..options import Positive, Section, Share

if TYPE_CHECKING:
    from ..networks.backend import keras

INPUT = "images"


class Options(Section):
    hidden: list[Positive] = Field([512, 512])
    """The units of each hidden layer."""
    dropout: Share = 0.2
    """The share of values that is left out after each."""
    augmentation: Augmentation = Augmentation()
    """The range in which training images are moved at random."""


def search_space(options: Options, random_vectors: bool) -> Space:
    """Return its sizes, and how to regularise it."""
    return {
        "hidden": Choice(([256], [512], [1024], [512, 512], [1024, 1024])),
        "dropout": Range(0.0, 0.7),
        **augmentation_space(),
    }


def build(options: Options, shape: Shape, classes: int) -> keras.Model:
    """Return a network from uint8 images [batch, *shape] to float32 logits [batch, classes]."""
    # Imported late: options are checked without the seconds that TensorFlow takes to start.
    from ..networks.backend import keras

    inputs, features = image_inputs(shape, options.augmentation)
    features = keras.layers.Flatten()(features)
    for units in options.hidden:
        features = keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal")(features)
        features = keras.layers.Dropout(options.dropout)(features)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(features)
    return keras.Model(inputs, logits, name="dense")

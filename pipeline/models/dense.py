"""A network without a convolution: every unit sees every pixel. What convolutions are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ..networks.image_inputs import Augmentation, Shape, image_inputs
from ..networks.search_space import Choice, Range, Space, of_augmentation
from ..options import Positive, Section, Share

if TYPE_CHECKING:
    from ..networks.backend import keras

INPUT = "images"


class Options(Section):
    hidden: list[Positive] = Field([512, 512])  # units of each hidden layer
    dropout: Share = 0.2  # after each
    augmentation: Augmentation = Augmentation()


def search_space(options: Options, random_vectors: bool) -> Space:
    """How large it is, and how it is regularised."""
    return {
        "hidden": Choice(([256], [512], [1024], [512, 512], [1024, 1024])),
        "dropout": Range(0.0, 0.7),
        **of_augmentation(),
    }


def build(options: Options, shape: Shape, classes: int) -> keras.Model:
    """uint8 images [batch, *shape] -> float32 logits [batch, classes]."""
    # Here, so that options are checked without the seconds that TensorFlow takes.
    from ..networks.backend import keras

    inputs, features = image_inputs(shape, options.augmentation)
    features = keras.layers.Flatten()(features)
    for units in options.hidden:
        features = keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal")(features)
        features = keras.layers.Dropout(options.dropout)(features)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(features)
    return keras.Model(inputs, logits, name="dense")

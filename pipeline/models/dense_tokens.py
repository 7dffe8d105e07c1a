"""A network over tokens without a convolution, to compare Kim's network with.

Every unit sees every position by weights of its own: the words' vectors stand side by side, whereas a
convolution and its maximum over time ignore the position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..options import Positive, Section, Share

if TYPE_CHECKING:
    from ..networks.backend import keras

INPUT = "tokens"


class Options(Section):
    length: Positive = 50
    """The tokens that are read; those beyond are ignored."""
    hidden: list[Positive] = Field([100])
    """The units of each hidden layer."""
    dropout: Share = 0.5
    """The share of values that is left out after each."""


def build(options: Options, vectors: NDArray[np.float32], classes: int) -> keras.Model:
    """Return a network from int32 ids [batch, length] to float32 logits [batch, classes].

    The table of vectors starts at `vectors`, float32 [vocabulary, dimensions], and is tuned.
    """
    # Imported late: options are checked without the seconds that TensorFlow takes to start.
    from ..networks.backend import keras

    ids = keras.Input((None,), dtype="int32", name="ids")
    padded = keras.ops.pad(ids, ((0, 0), (0, options.length)))[:, : options.length]
    table = keras.layers.Embedding(*vectors.shape, name="vectors")
    features = keras.layers.Reshape((options.length * vectors.shape[1],))(table(padded))
    table.set_weights([vectors])
    for units in options.hidden:
        features = keras.layers.Dense(units, activation="relu")(features)
        features = keras.layers.Dropout(options.dropout)(features)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(features)
    return keras.Model(ids, logits, name="dense_tokens")

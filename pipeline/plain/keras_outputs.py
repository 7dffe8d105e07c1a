"""The outputs of every Keras model that is exported."""

from __future__ import annotations

from typing import Any

from ..networks.backend import keras


def with_outputs(inputs: Any, logits: Any, temperature: float) -> keras.Model:
    """Return a model with the outputs `logits` [rows, classes], and `probabilities` after the temperature."""
    cooled = keras.layers.Rescaling(1 / temperature, name="temperature")(logits)
    return keras.Model(
        inputs,
        {
            "logits": keras.layers.Identity(name="logits")(logits),
            "probabilities": keras.layers.Softmax(name="probabilities")(cooled),
        },
    )

"""The outputs of every Keras model that is exported, and its calls as graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..networks.backend import keras, tf


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


def graph_function(call: Callable[[Any], Any], spec: tf.TensorSpec) -> Any:
    """Return a call of one tensor as a graph.

    Without autograph, which none needs: its copies of the code stay in the system's folder of temporary files
    when a process leaves without tear-down.
    """
    return tf.function(call, [spec], autograph=False)

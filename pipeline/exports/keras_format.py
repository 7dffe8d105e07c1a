"""A classifier in Keras's own format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..networks.backend import keras, tf
from ..plain.keras_outputs import graph_function


def save_keras(model: keras.Model, path: Path) -> None:
    """Write a model of built-in layers."""
    model.save(path)


def run_keras(path: Path) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return a function from a batch of inputs to its logits."""
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    (given,) = model.inputs
    spec = tf.TensorSpec(given.shape, given.dtype)
    run = graph_function(lambda batch: model(batch, training=False)["logits"], spec)

    def logits(batch: NDArray[Any]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = run(batch).numpy()
        return result

    return logits

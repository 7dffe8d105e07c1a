"""A classifier for TensorFlow Lite, LiteRT by its new name: the only module that imports its runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..networks.backend import held_back_stderr, keras, tf
from .saved_model import save_model


def save_tflite(model: keras.Model, path: Path) -> None:
    """Write a Keras model in the operations that every runtime has.

    Raises InputError for one that needs others, or is larger than the format holds.
    """
    with TemporaryDirectory() as folder:
        save_model(model, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        try:
            with held_back_stderr():
                path.write_bytes(converter.convert())
        except Exception as error:  # the converter's own are no narrower
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"FORMAT=tflite cannot hold the model: {reason[:200]}") from error


def run_tflite(path: Path) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return a function from a batch of inputs to its logits. Raises InputError without the runtime."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise InputError(
            "FORMAT=tflite is checked with the library ai-edge-litert: pip install '.[export]'"
        ) from error
    with held_back_stderr():
        interpreter = Interpreter(str(path))
        interpreter.allocate_tensors()
        run = interpreter.get_signature_runner()
    (name,) = run.get_input_details()

    def logits(batch: NDArray[Any]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = run(**{name: batch})["logits"]
        return result

    return logits

"""A Keras network as a classifier uses it: rows in, logits out."""

from __future__ import annotations

import warnings
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs import Inputs
from .backend import keras, tf
from .batches import SortedBatches


class KerasNetwork:
    """Logits of token sequences or images, a batch at a time."""

    def __init__(self, model: keras.Model) -> None:
        """`model` takes what `Inputs.padded` gives, [batch, ...], and gives logits [batch, classes]."""
        self.model = model

    @classmethod
    def load(cls, path: Path) -> KerasNetwork:
        """Read a network.keras; raises whatever Keras does for one that is damaged."""
        from . import layers, token_convolution  # noqa: F401  (Keras must know the layers that it reads)

        with warnings.catch_warnings():
            # Of weights that it does not find Keras only warns, and takes random ones.
            missing = "(?s).*could not be loaded|Skipping nested container"
            warnings.filterwarnings("error", missing, UserWarning, module="keras")
            return cls(keras.saving.load_model(path, compile=False, safe_mode=True))

    @cached_property
    def _compiled(self) -> Any:
        """The network as one compiled function: `Model.predict` would leave memory behind at every call."""
        (inputs,) = self.model.inputs
        return tf.function(
            lambda batch: self.model(batch, training=False),
            input_signature=[tf.TensorSpec(inputs.shape, inputs.dtype)],
        )

    def logits(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return float32 [rows, classes]; a row's logits depend on itself alone, up to rounding."""
        batches = SortedBatches(inputs)
        if not len(batches):
            return np.empty((0, self.model.output_shape[-1]), np.float32)
        logits = [self._compiled(batch).numpy() for batch, *_ in batches]
        restored: NDArray[np.float32] = batches.restore(np.concatenate(logits))
        return restored

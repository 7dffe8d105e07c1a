"""Small layers that Keras lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Floats, Ints, Sizes
from ..baselines.tfidf import TfidfModel
from ..baselines.tfidf_kernels import hash_table, tfidf_logits
from ..inputs import PADDING
from .backend import call_kernel, keras, tf


@keras.saving.register_keras_serializable(package="convtext")
class NgramLogits(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """Token ids int32 [batch, length], padded with 0 on the right -> logits float32 [batch, classes].

    A linear model on TF-IDF of tokens and pairs that was fitted elsewhere, see `TfidfModel`; nothing of it is
    trained. Parameters: features * (classes + 2) + classes.
    """

    def __init__(self, features: int, classes: int, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", "trainable": False} | kwargs)
        self.features = features
        self.classes = classes
        self.supports_jit = False  # XLA cannot call numba
        self._hashed: tuple[Sizes, Sizes] | None = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shapes = {
            "keys": (self.features,),
            "idf": (self.features,),
            "weights": (self.features, self.classes),
            "bias": (self.classes,),
        }
        self.model = {
            name: self.add_weight(
                name=name,
                shape=shape,
                dtype="int64" if name == "keys" else "float32",
                initializer="zeros",
                trainable=False,
            )
            for name, shape in shapes.items()
        }

    def set_model(self, model: TfidfModel) -> None:
        """Take over the arrays of a model of as many features and classes."""
        for name, array in model.arrays().items():
            self.model[name].assign(array)

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        arrays = [self.model[name].value for name in ("keys", "idf", "weights", "bias")]
        logits = call_kernel(self._logits, [*arrays, ids], tf.float32)
        logits.set_shape((ids.shape[0], self.classes))
        return logits

    def _logits(self, keys: Sizes, idf: Floats, weights: Floats, bias: Floats, ids: Ints) -> Floats:
        """Convert the padded batch to ragged rows, and run the kernel of `TfidfModel`."""
        if self._hashed is None or not np.array_equal(self._hashed[0], keys):
            self._hashed = keys.copy(), hash_table(keys)
        tokens = ids != PADDING
        offsets = np.concatenate([[0], np.cumsum(tokens.sum(axis=1))])
        logits: Floats = tfidf_logits(ids[tokens], offsets, self._hashed[1], idf, weights, bias)
        return logits

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "features": self.features, "classes": self.classes}


@keras.saving.register_keras_serializable(package="convtext")
class LocalResponseNormalization(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """Local response normalization over channels (Krizhevsky et al. 2012, section 3.3).

    With a_i [batch, height, width] the activation of channel i,

        b_i = a_i / (2 + 1e-4 * sum of a_j^2 over the channels j from i - 2 to i + 2) ^ 0.75

    float32 in and out, whatever the precision: TensorFlow has no kernel for bfloat16.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, activations: tf.Tensor) -> tf.Tensor:
        return tf.nn.local_response_normalization(
            activations, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75
        )

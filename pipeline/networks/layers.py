"""A small layer that Keras lacks."""

from __future__ import annotations

from .backend import keras, tf

RADIUS, BIAS, ALPHA, BETA = 2, 2.0, 1e-4, 0.75  # of `LocalResponseNormalization`


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
        return tf.nn.local_response_normalization(activations, RADIUS, BIAS, ALPHA, BETA)

"""The filters of the first convolution over pixels, and their outputs for one image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..images.edge_kernels import KERNELS
from ..networks.backend import keras, tf
from ..networks.ensemble import first_layer, first_member


def first_filters(network: keras.Model) -> NDArray[np.float32] | None:
    """Return the filters of the first convolution over pixels, or None if there is none.

    float32 [height, width, channels, filters].
    """
    layer = first_layer(first_member(network), keras.layers.Conv2D)
    return None if layer is None else layer.kernel.numpy()


def feature_maps(network: keras.Model, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the output of the first convolution for one image [height, width, channels].

    float32 [height, width, filters], before any normalization or activation that is a layer of its own.
    """
    member = first_member(network)
    output = next(layer.output for layer in member.layers if isinstance(layer, keras.layers.Conv2D))
    maps: NDArray[np.float32] = keras.Model(member.input, output)(image[None]).numpy()[0]
    return maps.astype(np.float32)


def edge_maps(image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the output of each edge kernel for one image [height, width, channels], by the kernel's name.

    float32 [height - 2, width - 2]; the kernels are applied to the mean of the channels in 0..1.
    """
    brightness = image.astype(np.float32).mean(axis=-1)[None, :, :, None] / 255
    stacked = np.stack(list(KERNELS.values()), axis=-1)[:, :, None]
    maps = tf.nn.conv2d(brightness, stacked, strides=1, padding="VALID").numpy()[0]
    return {name: maps[..., number] for number, name in enumerate(KERNELS)}

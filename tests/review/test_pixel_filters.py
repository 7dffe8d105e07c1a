"""The filters over pixels of a network whose weights are set by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pipeline.review.pixel_filters import edge_maps, feature_maps, first_filters

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")


def picture_network(channels: int) -> keras.Model:
    pixels = keras.Input((6, 6, channels), dtype="uint8")
    scaled = keras.layers.Rescaling(1 / 255)(pixels)
    maps = keras.layers.Conv2D(2, 3, activation="relu", name="filters1")(scaled)
    return keras.Model(pixels, keras.layers.Dense(2)(keras.layers.Flatten()(maps)))


def test_the_first_filters_and_what_they_make_of_a_picture() -> None:
    made = picture_network(1)
    kernel = np.zeros((3, 3, 1, 2), np.float32)
    kernel[:, 0, 0, 0], kernel[:, 2, 0, 0] = 1, -1  # a vertical edge, bright on the left
    kernel[..., 1] = -kernel[..., 0]
    made.get_layer("filters1").kernel.assign(kernel)
    np.testing.assert_array_equal(first_filters(made), kernel)
    picture = np.repeat([[255, 255, 255, 0, 0, 0]], 6, axis=0).astype(np.uint8)[..., None]
    maps = feature_maps(made, picture)
    np.testing.assert_allclose(maps[..., 0], [[0, 3, 3, 0]] * 4, atol=1e-5)
    assert not maps[..., 1].any()
    found = edge_maps(np.repeat(picture, 3, axis=-1))
    np.testing.assert_allclose(found["sobel"], [[0, 4, 4, 0]] * 4, atol=1e-5)
    assert not found["horizontal"].any()


def test_a_network_without_a_convolution_has_no_filters() -> None:
    pixels = keras.Input((6, 6, 1))
    made = keras.Model(pixels, keras.layers.Dense(2)(keras.layers.Flatten()(pixels)))
    assert first_filters(made) is None

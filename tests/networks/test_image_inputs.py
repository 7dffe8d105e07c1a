"""The sizes of outputs by the formula and by Keras, and what augmentation does."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.networks.image_inputs import Augmentation, check_fits, image_inputs, output_size

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
IMAGES = np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [
        (6, 3, 1, "valid", 4),  # the textbook's 6 x 6 by 3 x 3
        (6, 3, 1, "same", 6),
        (7, 3, 2, "valid", 3),
        (7, 3, 2, "same", 4),
        (227, 11, 4, "valid", 55),  # AlexNet's first convolution
        (55, 3, 2, "valid", 27),  # and its overlapping pooling
        (5, 6, 1, "valid", 0),
    ],
)
def test_an_output_has_the_size_of_the_formula(size, kernel, stride, padding, expected) -> None:
    assert output_size(size, kernel, stride, padding) == expected


@given(st.integers(5, 30), st.integers(1, 5), st.integers(1, 4), st.sampled_from(["same", "valid"]))
def test_the_formula_is_what_keras_computes(size, kernel, stride, padding) -> None:
    layer = keras.layers.Conv2D(1, kernel, strides=stride, padding=padding)
    expected = output_size(size, kernel, stride, padding)
    assert layer.compute_output_shape((None, size, size, 1)) == (None, expected, expected, 1)


def test_layers_that_leave_nothing_of_an_image_are_refused() -> None:
    check_fits((4, 4, 1), [(2, 2, "valid"), (2, 2, "valid")], "two poolings")
    with pytest.raises(InputError, match="4 x 3"):
        check_fits((4, 3, 1), [(2, 2, "valid"), (2, 2, "valid")], "two poolings")


def pixels(augmentation: Augmentation, training: bool) -> np.ndarray:
    keras.utils.set_random_seed(1)
    inputs, outputs = image_inputs(IMAGES.shape[1:], augmentation)
    return np.array(keras.Model(inputs, outputs)(IMAGES, training=training))


@pytest.mark.parametrize("option", [{"shift": 0.25}, {"flip": True}, {"rotation": 20.0}])
def test_augmentation_moves_training_images_alone(option) -> None:
    plain = pixels(Augmentation(), training=True)
    np.testing.assert_allclose(plain, IMAGES / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(pixels(Augmentation(**option), training=False), plain)
    assert not np.array_equal(pixels(Augmentation(**option), training=True), plain)


def test_a_flip_turns_an_image_left_to_right_or_leaves_it() -> None:
    plain, flipped = pixels(Augmentation(), True), pixels(Augmentation(flip=True), True)
    turned = [np.array_equal(one, other[:, ::-1]) for one, other in zip(flipped, plain, strict=True)]
    left = [np.array_equal(one, other) for one, other in zip(flipped, plain, strict=True)]
    assert all(one != other for one, other in zip(turned, left, strict=True))
    assert 0 < sum(turned) < len(turned)


def test_the_same_seed_augments_to_the_same_pixels() -> None:
    option = Augmentation(shift=0.2, flip=True, rotation=10.0)
    np.testing.assert_array_equal(pixels(option, True), pixels(option, True))

"""Sizes and parameters of the image networks, by hand and by the formulas, and what augmentation does."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.config import loading
from pipeline.errors import InputError
from pipeline.models import alexnet, dense, image_cnn
from pipeline.networks.image_inputs import Augmentation, check_fits, image_inputs, output_size
from pipeline.networks.layers import LocalResponseNormalization

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
IMAGES = np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)


def sizes(network: keras.Model, kinds: tuple[type, ...]) -> list[tuple[int, ...]]:
    return [layer.output.shape[1:] for layer in network.layers if isinstance(layer, kinds)]


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


@settings(deadline=None)  # TensorFlow starts in the first example
@given(st.integers(5, 30), st.integers(1, 5), st.integers(1, 4), st.sampled_from(["same", "valid"]))
def test_the_formula_is_what_keras_computes(size, kernel, stride, padding) -> None:
    layer = keras.layers.Conv2D(1, kernel, strides=stride, padding=padding)
    expected = output_size(size, kernel, stride, padding)
    assert layer.compute_output_shape((None, size, size, 1)) == (None, expected, expected, 1)


def alexnet_of_the_paper() -> keras.Model:
    options = yaml.safe_load(loading.model_file("alexnet-227").read_text("utf-8"))["network"]
    return alexnet.build(alexnet.Options(**options), (227, 227, 3), 1000)


def test_alexnet_has_the_parameters_that_the_paper_s_sizes_give_without_its_groups() -> None:
    network = alexnet_of_the_paper()
    counted = [layer.count_params() for layer in network.layers if layer.count_params()]
    assert counted == [
        11 * 11 * 3 * 96 + 96,
        5 * 5 * 96 * 256 + 256,
        3 * 3 * 256 * 384 + 384,
        3 * 3 * 384 * 384 + 384,
        3 * 3 * 384 * 256 + 256,
        6 * 6 * 256 * 4096 + 4096,
        4096 * 4096 + 4096,
        4096 * 1000 + 1000,
    ]
    assert network.count_params() == 62_378_344


def test_alexnet_s_layers_have_the_sizes_of_the_paper() -> None:
    network = alexnet_of_the_paper()
    assert sizes(network, (keras.layers.Conv2D, keras.layers.MaxPooling2D)) == [
        (55, 55, 96), (27, 27, 96), (27, 27, 256), (13, 13, 256),
        (13, 13, 384), (13, 13, 384), (13, 13, 256), (6, 6, 256),
    ]  # fmt: skip
    assert len([layer for layer in network.layers if isinstance(layer, LocalResponseNormalization)]) == 2


def test_a_response_normalized_alexnet_saves_and_loads_to_equal_logits(tmp_path) -> None:
    options = alexnet.Options(filters=[4] * 5, dense=[8], response_normalization=True)
    network = alexnet.build(options, (32, 32, 1), 2)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", compile=False)
    images = IMAGES[:, :, :, :1].repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(np.array(loaded(images)), np.array(network(images)))


def test_image_cnn_has_the_parameters_of_its_formula() -> None:
    options = image_cnn.Options(filters=[4, 6], dense=[10], batch_normalization=False)
    network = image_cnn.build(options, (8, 8, 3), 5)
    by_hand = (3 * 3 * 3 * 4 + 4) + (3 * 3 * 4 * 6 + 6) + (2 * 2 * 6 * 10 + 10) + (10 * 5 + 5)
    assert network.count_params() == by_hand
    # Of each filter a scale, a shift, and the mean and variance of the batches take the bias's place.
    normalized = image_cnn.build(image_cnn.Options(filters=[4, 6], dense=[10]), (8, 8, 3), 5)
    assert normalized.count_params() == by_hand + 3 * (4 + 6)
    assert network.get_layer("filters1").kernel.shape == (3, 3, 3, 4)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"filters": [2], "kernel": 3, "padding": "valid", "pooling": 1}, [(14, 14, 2)]),
        ({"filters": [2], "kernel": 5, "padding": "same", "stride": 2, "pooling": 1}, [(8, 8, 2)]),
        (
            {"filters": [2, 3], "convolutions": 2, "stride": 2, "padding": "valid"},
            [(7, 7, 2), (5, 5, 2), (2, 2, 2)],
        ),
    ],
)
def test_kernel_stride_padding_and_pooling_give_the_sizes_of_the_formulas(options, expected) -> None:
    if len(options["filters"]) == 2:
        with pytest.raises(InputError, match="16 x 16 are too small for image_cnn"):
            image_cnn.build(image_cnn.Options(**options), (16, 16, 3), 2)
        options = options | {"filters": [2]}
    network = image_cnn.build(image_cnn.Options(**options), (16, 16, 3), 2)
    assert sizes(network, (keras.layers.Conv2D, keras.layers.MaxPooling2D)) == expected


def test_images_too_small_for_a_network_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match="images of 8 x 8 are too small for alexnet, .*: enlarge") as raised:
        alexnet.build(alexnet.Options(), (8, 8, 1), 10)
    assert raised.value.option == "source.size"
    check_fits((4, 4, 1), [(2, 2, "valid"), (2, 2, "valid")], "two poolings")
    with pytest.raises(InputError, match="4 x 3"):
        check_fits((4, 3, 1), [(2, 2, "valid"), (2, 2, "valid")], "two poolings")


def test_a_dense_network_has_the_parameters_of_its_formula_and_no_convolution() -> None:
    network = dense.build(dense.Options(hidden=[20, 10]), (8, 8, 3), 5)
    assert network.count_params() == (8 * 8 * 3 * 20 + 20) + (20 * 10 + 10) + (10 * 5 + 5)
    assert sizes(network, (keras.layers.Conv2D,)) == []


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


def test_options_out_of_range_are_refused() -> None:
    for options, wrong in [
        (image_cnn.Options, {"filters": []}),
        (image_cnn.Options, {"padding": "full"}),
        (image_cnn.Options, {"stride": 0}),
        (image_cnn.Options, {"augmentation": {"shift": 1.0}}),
        (image_cnn.Options, {"augmentation": {"rotation": 181}}),
        (alexnet.Options, {"filters": [1, 2, 3]}),
        (dense.Options, {"hidden": [0]}),
        (dense.Options, {"depth": 3}),
    ]:
        with pytest.raises(ValidationError):
            options.model_validate(wrong)

"""Sizes and parameters of image_cnn, and the filter bank as its first layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.errors import InputError
from pipeline.images.edge_kernels import SOBEL
from pipeline.inputs import Images
from pipeline.models import image_cnn
from pipeline.networks.batches import Batches, SortedBatches
from pipeline.networks.trainer import make_repeatable, train
from pipeline.options import Train
from tests.models.layer_sizes import layer_sizes

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
IMAGES = Images.from_pixels(np.random.default_rng(1).integers(0, 256, (8, 8, 8, 3)).astype(np.uint8))
LABELS = np.arange(8) % 2


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
    assert layer_sizes(network, (keras.layers.Conv2D, keras.layers.MaxPooling2D)) == expected


@pytest.mark.parametrize(
    "options",
    [
        {"filters": []},
        {"padding": "full"},
        {"stride": 0},
        {"augmentation": {"shift": 1.0}},
        {"augmentation": {"rotation": 181}},
    ],
)
def test_options_out_of_range_are_refused(options) -> None:
    with pytest.raises(ValidationError):
        image_cnn.Options.model_validate(options)


def filters_before_and_after(**options) -> tuple[np.ndarray, np.ndarray]:
    make_repeatable(1, "float32")
    network = image_cnn.build(
        image_cnn.Options(filters=[14], dense=[], start="filter_bank", **options), IMAGES.shape, 2
    )
    before = np.array(network.get_layer("filters1").kernel)
    step = Train(batch_size=4, epochs=2, patience=2, optimizer="adam", learning_rate=1e-2)
    training, validation = Batches(IMAGES, LABELS, 4, seed=1), SortedBatches(IMAGES, LABELS)
    train(network, training, validation, step, lambda record: None)
    return before, np.array(network.get_layer("filters1").kernel)


def test_a_frozen_filter_bank_stays_as_it_starts() -> None:
    before, after = filters_before_and_after(start_trainable=False)
    np.testing.assert_array_equal(before, after)
    sobel = before[:, :, 2, 1]
    np.testing.assert_allclose(sobel, SOBEL * sobel[0, 0], rtol=1e-6)


def test_a_filter_bank_is_a_start_that_training_moves() -> None:
    before, after = filters_before_and_after()
    assert (before != after).all()


def test_the_filters_after_the_edges_are_those_of_a_random_start() -> None:
    kernels = []
    for start in ("filter_bank", "random"):
        keras.utils.set_random_seed(1)
        network = image_cnn.build(image_cnn.Options(filters=[14], start=start), IMAGES.shape, 2)
        kernels.append(np.array(network.get_layer("filters1").kernel))
    np.testing.assert_array_equal(kernels[0][..., 12:], kernels[1][..., 12:])
    assert (kernels[0][..., :12] != kernels[1][..., :12]).any()


def test_kernels_too_small_for_an_edge_are_refused() -> None:
    with pytest.raises(ValidationError, match="filter_bank needs a network.kernel of 3 or more"):
        image_cnn.Options(kernel=2, start="filter_bank")

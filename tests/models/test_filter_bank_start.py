"""image_cnn with the filter bank as its first layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.images.edge_kernels import SOBEL
from pipeline.inputs import Images
from pipeline.models.image_cnn import Options, build
from pipeline.networks.batches import Batches, SortedBatches
from pipeline.networks.trainer import make_repeatable, train
from pipeline.options import Train

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
IMAGES = Images.from_pixels(np.random.default_rng(1).integers(0, 256, (8, 8, 8, 3)).astype(np.uint8))
LABELS = np.arange(8) % 2


def filters_before_and_after(**options) -> tuple[np.ndarray, np.ndarray]:
    make_repeatable(1, "float32")
    network = build(Options(filters=[14], dense=[], start="filter_bank", **options), IMAGES.shape, 2)
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
        network = build(Options(filters=[14], start=start), IMAGES.shape, 2)
        kernels.append(np.array(network.get_layer("filters1").kernel))
    np.testing.assert_array_equal(kernels[0][..., 12:], kernels[1][..., 12:])
    assert (kernels[0][..., :12] != kernels[1][..., :12]).any()


def test_kernels_too_small_for_an_edge_are_refused() -> None:
    with pytest.raises(ValidationError, match="filter_bank needs a network.kernel of 3 or more"):
        Options(kernel=2, start="filter_bank")

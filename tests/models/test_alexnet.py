"""Sizes and parameters of AlexNet, by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from pipeline.config import loading
from pipeline.errors import InputError
from pipeline.models import alexnet
from pipeline.networks.layers import LocalResponseNormalization
from tests.models.layer_sizes import layer_sizes

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
IMAGES = np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)


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
    assert layer_sizes(network, (keras.layers.Conv2D, keras.layers.MaxPooling2D)) == [
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


def test_images_too_small_for_alexnet_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match="images of 8 x 8 are too small for alexnet, .*: enlarge") as raised:
        alexnet.build(alexnet.Options(), (8, 8, 1), 10)
    assert raised.value.option == "source.size"


@pytest.mark.parametrize("options", [{"filters": [1, 2, 3]}])
def test_options_out_of_range_are_refused(options) -> None:
    with pytest.raises(ValidationError):
        alexnet.Options.model_validate(options)

"""What of an image network is exported, and which cannot be."""

from __future__ import annotations

import keras
import pytest

from pipeline.errors import InputError
from pipeline.plain.image_layers import PlainImages
from tests.plain.image_cases import NETWORKS


def test_layers_of_training_are_left_out() -> None:
    network = NETWORKS["image_cnn"]()
    assert {"Dropout", "RandomFlip"} <= {type(layer).__name__ for layer in network.layers}
    (layers,) = PlainImages.of(network, 1.0).members
    block = ["Conv2D", "MaxPooling2D", "BatchNormalization", "ReLU"]
    names = [type(layer).__name__ for layer in layers]
    assert names == ["Rescaling", *block, *block, "Flatten", "Dense", "Dense"]


def test_a_layer_that_no_architecture_has_is_refused_by_its_name() -> None:
    images = keras.Input((4, 4, 1), dtype="uint8")
    network = keras.Model(images, keras.layers.GlobalAveragePooling2D()(images))
    with pytest.raises(InputError, match="GlobalAveragePooling2D"):
        PlainImages.of(network, 1.0)

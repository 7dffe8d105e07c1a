"""The Keras graph of an image classifier gives the network's logits."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.plain.image_layers import PlainImages
from pipeline.plain.keras_images import build_images
from tests.plain.image_cases import NETWORKS, images_for

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_the_networks(name: str) -> None:
    network = NETWORKS[name]()
    images = images_for(network)
    outputs = build_images(PlainImages.of(network, 2.0))(images)
    expected = network(images, training=False).numpy()
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(outputs["logits"].numpy(), expected, atol=1e-5)
    raised = np.exp(expected / 2)
    probabilities = raised / raised.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs["probabilities"].numpy(), probabilities, atol=1e-5)

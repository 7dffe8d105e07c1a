"""The ONNX graph of an image classifier gives the network's logits in ONNX's own runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.plain.image_layers import PlainImages
from tests.plain.image_cases import NETWORKS, images_for

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
from pipeline.plain.onnx_graph import run_onnx
from pipeline.plain.onnx_images import save_images

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_the_networks(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]()
    images = images_for(network)
    save_images(PlainImages.of(network, 2.0), tmp_path / "model.onnx")
    expected = network(images, training=False).numpy()
    np.testing.assert_allclose(run_onnx(tmp_path / "model.onnx")(images), expected, atol=1e-4)

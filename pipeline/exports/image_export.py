"""The export of an image classifier."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..inputs import Images
from ..networks.backend import keras
from ..plain.image_layers import PlainImages
from ..plain.keras_images import build_images
from ..plain.onnx_images import save_images
from ..prediction.classifier import Classifier
from .check import Agreement, logits_of_inputs, require_equal
from .example import image_example
from .exported import Exported
from .formats import RUNNERS, SAVERS
from .vocabulary import image_inputs


def export_images(
    form: str, path: Path, classifier: Classifier, network: keras.Model, rows: Images
) -> Exported:
    """Write the model of an image classifier, and check it on `rows`."""
    plain = PlainImages.of(network, classifier.temperature)
    if form in ("onnx", "tflite") and not plain.is_float32:
        raise InputError(
            f"FORMAT={form} cannot hold a network that was trained with train.precision=mixed_bfloat16: name "
            "FORMAT=keras or FORMAT=saved_model, or train with float32"
        )
    if form == "onnx":
        save_images(plain, path)
    else:
        SAVERS[form](build_images(plain), path)
    agreement = Agreement.between(classifier.logits(rows), logits_of_inputs(RUNNERS[form](path), rows))
    require_equal(agreement)
    return Exported(image_inputs(plain.shape), image_example(form), agreement)

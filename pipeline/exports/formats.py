"""The formats: what a model's file is called in an export, and how it is written and run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..arrays import Floats
from ..networks.backend import keras
from ..plain.onnx_graph import run_onnx
from .keras_format import run_keras, save_keras
from .saved_model import run_saved_model, save_model
from .tflite import run_tflite, save_tflite

FILES = {"keras": "model.keras", "saved_model": "model", "onnx": "model.onnx", "tflite": "model.tflite"}
# Of a Keras model; for ONNX see `plain.onnx_text` and `plain.onnx_images`.
SAVERS: dict[str, Callable[[keras.Model, Path], None]] = {
    "keras": save_keras,
    "saved_model": save_model,
    "tflite": save_tflite,
}
RUNNERS: dict[str, Callable[[Path], Callable[[Any], Floats]]] = {
    "keras": run_keras,
    "saved_model": run_saved_model,
    "onnx": run_onnx,
    "tflite": run_tflite,
}

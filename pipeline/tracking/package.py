"""A trained classifier as an MLflow model: code and data, no pickle, all that its prediction needs inside."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from ..compilation import native_kernels
from ..encoder import ServedColumn
from ..prediction.classifier import Classifier
from ..prediction.output_columns import OutputColumns
from . import mlflow_model
from .provenance import installed_version

IMPORT_NAME = "convtext"  # of the package, whatever it is called where it packs itself
# What `served_model` imports, at the versions that trained; of a text model TensorFlow is not among it.
# `mlflow-skinny` is MLflow without its pages: with its server of models, and a part of `mlflow`.
NEEDED = ("mlflow-skinny", "numpy", "pandas", "pydantic", "regex")
# Where the compiled kernels that a model brings along do not run, or there are none.
NEEDED_BY_KERNELS = ("numba", "scipy")
NEEDED_BY_KERAS = ("keras", "tensorflow", "tensorflow-cpu")
# As the choices of `make predict`.
PARAMETERS = ParamSchema([
    ParamSpec("top", DataType.long, 1),
    ParamSpec("probabilities", DataType.boolean, True),
    ParamSpec("abstain", DataType.double, 0.0),
    ParamSpec("precision", DataType.double, 0.0),
    ParamSpec("precision_by_class", DataType.double, 0.0),
])  # fmt: skip


def save(place: Path, model: Path, row_keys: Path | None = None, card: Path | None = None) -> None:
    """Write the classifier in the folder `model` to `place` as an MLflow model.

    `row_keys` are by what rows `register` compares it, and `card` is its model card, if they are wanted.
    """
    with _arguments(model) as arguments:
        if row_keys:
            arguments["artifacts"]["row_keys"] = str(row_keys)
        mlflow.pyfunc.save_model(place, **arguments)
    if card:
        shutil.copy(card, place)


def log(model: Path) -> None:
    """Log the classifier in the folder `model` to the active run of MLflow."""
    with _arguments(model) as arguments:
        mlflow.pyfunc.log_model(name="model", **arguments)


@contextmanager
def _arguments(model: Path) -> Iterator[dict[str, Any]]:
    """Give what MLflow takes of a classifier, whatever it does with it."""
    classifier = Classifier.load(model)
    examples = {column.name: column.examples for column in _served_columns(classifier)}
    with TemporaryDirectory() as temporary:
        code = Path(temporary, IMPORT_NAME)  # MLflow copies it by its name, without compiled files
        code.symlink_to(Path(__file__).parents[1])
        yield {
            "python_model": mlflow_model.__file__,
            "artifacts": {"model": str(model)},
            "code_paths": [str(code)],
            "signature": signature(classifier),
            "input_example": pd.DataFrame(examples),
            "pip_requirements": requirements(classifier),
        }


def signature(classifier: Classifier) -> ModelSignature:
    """The required columns in; a label, its probability and that of each class out."""
    inputs = Schema([ColSpec(column.type, column.name) for column in _served_columns(classifier)])
    names = OutputColumns(probabilities=True).names(classifier.labels)
    outputs = [ColSpec("string" if name == "predicted_label" else "float", name) for name in names]
    return ModelSignature(inputs=inputs, outputs=Schema(outputs), params=PARAMETERS)


def _served_columns(classifier: Classifier) -> list[ServedColumn]:
    return [classifier.encoder.served_column(name) for name in classifier.columns]


def requirements(classifier: Classifier) -> list[str]:
    """`name==version` of what a prediction imports."""
    names = [*NEEDED, *classifier.encoder.packages]
    if not classifier.is_folded:
        names += NEEDED_BY_KERAS
    return [*_pinned(names), *(f"{pin}{_elsewhere()}" for pin in _pinned(NEEDED_BY_KERNELS))]


def _pinned(names: Iterable[str]) -> list[str]:
    return [f"{name}=={found}" for name in names if (found := installed_version(name))]


def _elsewhere() -> str:
    """Return the marker of machines on which the compiled kernels do not run; "" where there are none."""
    if not native_kernels.is_usable():
        return ""
    return f"; platform_system != '{platform.system()}' or platform_machine != '{platform.machine()}'"

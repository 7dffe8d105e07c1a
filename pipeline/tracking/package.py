"""A trained classifier as an MLflow model: code and data, no pickle, all that its prediction needs inside."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from ..artifacts import RunFolder
from ..encoder import ServedColumn
from ..prediction.classifier import Classifier
from ..prediction.output_columns import OutputColumns
from . import mlflow_model
from .provenance import installed_version

IMPORT_NAME = "convtext"  # of the package, whatever it is called where it packs itself
# What `served_model` imports, at the versions that trained; of a text model TensorFlow is not among it.
# `mlflow-skinny` is MLflow without its pages: with its server of models, and a part of `mlflow`.
NEEDED = ("mlflow-skinny", "numba", "numpy", "pandas", "pydantic", "regex", "scipy", "tqdm")
NEEDED_BY_KERAS = ("keras", "tensorflow", "tensorflow-cpu")
# As the choices of `make predict`.
PARAMETERS = ParamSchema([
    ParamSpec("top", DataType.long, 1),
    ParamSpec("probabilities", DataType.boolean, True),
    ParamSpec("abstain", DataType.double, 0.0),
    ParamSpec("precision", DataType.double, 0.0),
    ParamSpec("precision_by_class", DataType.double, 0.0),
])  # fmt: skip


def save(place: Path, folder: RunFolder) -> None:
    """Write the classifier to `place` as an MLflow model."""
    classifier = Classifier.load(folder.model)
    examples = {column.name: column.examples for column in _served_columns(classifier)}
    with TemporaryDirectory() as temporary:
        code = Path(temporary, IMPORT_NAME)  # MLflow copies it by its name, without compiled files
        code.symlink_to(Path(__file__).parents[1])
        mlflow.pyfunc.save_model(
            place,
            python_model=mlflow_model.__file__,
            artifacts={"model": str(folder.model), "row_keys": str(folder.row_keys)},
            code_paths=[str(code)],
            signature=signature(classifier),
            input_example=pd.DataFrame(examples),
            pip_requirements=requirements(classifier),
        )
    shutil.copy(folder.model_card, place)


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
    return [f"{name}=={found}" for name in names if (found := installed_version(name))]

"""A trained classifier as an MLflow model: code and data, no pickle, all that its prediction needs inside."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from pipeline import served_model, tracking
from pipeline.artifacts import RunFolder
from pipeline.classifier import Classifier
from pipeline.labelling import Wanted
from pipeline.address import store
from pipeline.text import TextEncoder

NAME = "model"
# What `served_model` imports, at the versions that trained; of a text model TensorFlow is not among it.
NEEDED = ("mlflow", "numba", "numpy", "pandas", "pyarrow", "pydantic", "regex")
NEEDED_BY_KERAS = ("keras", "tensorflow", "tensorflow-cpu", "scipy")
NEEDED_BY_IMAGES = ("pillow",)
# As the choices of `make predict`.
PARAMETERS = ParamSchema([
    ParamSpec("top", DataType.long, 1),
    ParamSpec("probabilities", DataType.boolean, True),
    ParamSpec("abstain", DataType.double, 0.0),
])  # fmt: skip


def log(run_id: str, folder: RunFolder) -> None:
    """Add the classifier to the run as its model; a store that fails costs the record alone.

    Not by `mlflow.pyfunc.log_model`, which loads what it wrote to try the example on it: seconds, in which
    its copy of the loops is compiled.
    """
    api, experiment = tracking.client()
    try:
        parameters = api.get_run(run_id).data.params
        model = api.create_logged_model(experiment, NAME, run_id, params=parameters)
        with TemporaryDirectory() as scratch:
            place = Path(scratch) / NAME
            save(place, folder, Model(run_id=run_id, model_uuid=model.model_id, model_id=model.model_id))
            api.log_model_artifacts(model.model_id, str(place))
        api.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
        api.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    except MlflowException as error:
        print(f"convtext: the model is not in {store()}: {str(error).splitlines()[0]}", file=sys.stderr)


def save(place: Path, folder: RunFolder, model: Model) -> None:
    """Write the classifier to `place` as an MLflow model."""
    classifier = Classifier.load(folder.model)
    code = Path(__file__).parent
    mlflow.pyfunc.save_model(
        place,
        mlflow_model=model,
        python_model=served_model.__file__,
        artifacts={"model": str(folder.model), "row_keys": str(folder.row_keys)},
        code_paths=[str(code)],
        signature=signature(classifier),
        input_example=_example(classifier),
        pip_requirements=requirements(classifier),
    )


def signature(classifier: Classifier) -> ModelSignature:
    """One required column in; a label, its probability and that of each class out."""
    of_texts = isinstance(classifier.encoder, TextEncoder)
    column = ColSpec("string", classifier.column) if of_texts else ColSpec("binary", "image")
    names = Wanted(probabilities=True).names(classifier.labels)
    outputs = [ColSpec("string" if name == "predicted_label" else "float", name) for name in names]
    return ModelSignature(inputs=Schema([column]), outputs=Schema(outputs), params=PARAMETERS)


def requirements(classifier: Classifier) -> list[str]:
    """`name==version` of what a prediction imports."""
    names = [*NEEDED]
    if not isinstance(classifier.encoder, TextEncoder):
        names += NEEDED_BY_IMAGES
    if not classifier.is_folded:
        names += NEEDED_BY_KERAS
    return [f"{name}=={found}" for name in names if (found := _version(name))]


def _example(classifier: Classifier) -> pd.DataFrame:
    encoder = classifier.encoder
    if isinstance(encoder, TextEncoder):
        return pd.DataFrame({classifier.column: ["a text to be labelled", "and another"]})
    from pipeline.image_file import of_pixels  # here, as texts need no Pillow

    file = BytesIO()
    of_pixels(np.full(encoder.shape, 255, np.uint8)).save(file, "PNG")
    return pd.DataFrame({"image": [file.getvalue()]})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # of TensorFlow's two builds one is installed
        return ""

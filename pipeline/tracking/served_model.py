"""A classifier behind MLflow's interface, as an MLflow server loads and asks it.

Takes a table with the column of the texts, or of images their files' bytes (base64 in JSON), and gives the
columns that `predict` writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from ..errors import InputError
from ..prediction.classifier import Classifier
from ..prediction.labeller import Labelled, Labeller, Wanted
from ..tables import columns
from ..text.encoder import TextEncoder


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow has no types
    """A classifier's folder, the artifact `model`, behind MLflow's interface."""

    def load_context(self, context: Any) -> None:
        """Also compiles the loops, so that the first request does not wait for it."""
        self._classifier = Classifier.load(Path(context.artifacts["model"]))
        self._of_texts = isinstance(self._classifier.encoder, TextEncoder)
        self._labeller = lru_cache(maxsize=8)(lambda wanted: Labeller(self._classifier, wanted, Path()))
        if self._of_texts:
            self._label([b"one text"], Wanted(probabilities=True))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """A row for each of `model_input`, a table of which the first column counts, or a list.

        Raises MlflowException, which a server answers with status 400, for what is no text or no image.
        """
        values = model_input.iloc[:, 0] if isinstance(model_input, pd.DataFrame) else model_input
        try:
            wanted = _wanted(params or {}, len(self._classifier.labels))
            read = _text if self._of_texts else _image
            rows = [read(row, value) for row, value in enumerate(values)]
            labelled = self._label(rows, wanted) if self._of_texts else self._label_images(rows, wanted)
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return pd.DataFrame({column.name: column.arrow().to_numpy(False) for column in labelled.columns})

    def _label_images(self, images: Sequence[bytes], wanted: Wanted) -> Labelled:
        with TemporaryDirectory() as folder:
            paths = [Path(folder, str(row)) for row in range(len(images))]
            for path, image in zip(paths, images, strict=True):
                path.write_bytes(image)
            labelled = self._label([str(path).encode() for path in paths], wanted)
        for row, reason in enumerate(labelled.refused):
            if reason:
                raise InputError(f"row {row}: {reason}")
        return labelled

    def _label(self, texts: Sequence[bytes], wanted: Wanted) -> Labelled:
        return self._labeller(wanted).label(*columns.laid_out(texts))


def _wanted(params: dict[str, Any], classes: int) -> Wanted:
    wanted = Wanted(
        top=int(params.get("top", 1)),
        probabilities=bool(params.get("probabilities", True)),
        abstain=float(params.get("abstain", 0)),
    )
    if not 1 <= wanted.top <= classes:
        raise InputError(f"top is {wanted.top}: expected a number of labels from 1 to {classes}")
    if not 0 <= wanted.abstain <= 1:
        raise InputError(f"abstain is {wanted.abstain}: expected a probability from 0 to 1")
    return wanted


def _text(row: int, value: object) -> bytes:
    """What is missing is a text without words, as `predict` has it."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return b""
    if not isinstance(value, str):
        raise InputError(f"row {row} is a {type(value).__name__}: expected a text")
    return value.encode("utf-8", "surrogatepass")


def _image(row: int, value: object) -> bytes:
    if not isinstance(value, bytes):
        raise InputError(f"row {row} is a {type(value).__name__}: expected a png or jpg file's bytes")
    return value

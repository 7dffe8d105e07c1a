"""A classifier behind MLflow's interface, as an MLflow server loads and asks it.

Takes a table with the column or columns of the texts, or of images their files' bytes (base64 in JSON), and
gives the columns that `predict` writes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel
from pydantic import ValidationError

from ..errors import InputError
from ..inputs import BOUNDARY
from ..prediction.classifier import Classifier
from ..prediction.labeller import LabelledRows, Labeller
from ..prediction.output_columns import OutputColumns
from ..tables import columns


class ServedModel(PythonModel):  # type: ignore[misc]  # MLflow has no types
    """A classifier's folder, the artifact `model`, behind MLflow's interface."""

    def load_context(self, context: Any) -> None:
        """Load the classifier, and compile its loops, so that the first request does not wait for it."""
        logging.getLogger("uvicorn.error").addFilter(_is_no_hang_up)
        self._classifier = Classifier.load(Path(context.artifacts["model"]))
        self._labeller = lru_cache(maxsize=8)(lambda chosen: Labeller(self._classifier, chosen, None))
        encoder = self._classifier.encoder
        self._label([encoder.served_column("").examples], OutputColumns(probabilities=True))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return a row of predictions for each entry of `model_input`, a list or a table.

        Of a table the first columns are read, as many as the classifier was trained on.

        Raises MlflowException, which a server answers with status 400, for what is no text or no image.
        """
        values: list[Iterable[Any]] = [model_input]
        if isinstance(model_input, pd.DataFrame):
            values = [model_input.iloc[:, place] for place in range(len(self._classifier.columns))]
        try:
            labelled = self._label(values, _output_columns(params or {}))
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return pd.DataFrame({column.name: column.array() for column in labelled.columns})

    def _label(self, values: Sequence[Iterable[Any]], chosen: OutputColumns) -> LabelledRows:
        rows = [
            BOUNDARY.encode().join([self._bytes(number, value) for value in row])
            for number, row in enumerate(zip(*values, strict=True))
        ]
        labelled = self._labeller(chosen).label(*columns.concatenate(rows))
        for number, problem in enumerate(labelled.problems):
            if problem:
                raise InputError(f"row {number}: {problem}")
        return labelled

    def _bytes(self, number: int, value: object) -> bytes:
        try:
            return self._classifier.encoder.to_bytes(None if value is pd.NA else value)
        except InputError as error:
            raise InputError(f"row {number} is {error}") from error


def _output_columns(params: dict[str, Any]) -> OutputColumns:
    """Return the columns that a request asks for. Raises InputError for a value of another type."""
    try:
        return OutputColumns.model_validate({"probabilities": True} | params)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise InputError(f"params: {name} is {first['input']!r}: {first['msg'].lower()}") from error


def _is_no_hang_up(record: logging.LogRecord) -> bool:
    """Return False for the traceback of a client that hung up before its request was read.

    Writing its hundred lines takes the server longer than a prediction, while all other clients wait.
    """
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__name__ != "ClientDisconnect"  # Starlette's, whose import a model does not need

"""The record of a fit in MLflow, if one is wanted: a run, below the caller's own if that is active."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow

from ..tracking import package


def log_fit(parameters: Mapping[str, Any], history: Sequence[Mapping[str, float]], model: Path) -> None:
    """Log parameters, each epoch, and the classifier in the folder `model` as an MLflow model."""
    with mlflow.start_run(nested=mlflow.active_run() is not None):
        mlflow.log_params(dict(parameters))
        for step, record in enumerate(history, 1):
            mlflow.log_metrics({name: value for name, value in record.items() if name != "epoch"}, step)
        package.log(model)

"""The record of a fit in MLflow, where the caller wants one: in the caller's active run, or in a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import mlflow

from ..tracking import package


def log_fit(parameters: Mapping[str, Any], history: Sequence[Mapping[str, float]], model: Path) -> None:
    """Log parameters, each epoch, and the classifier in the folder `model` as an MLflow model."""
    with nullcontext() if mlflow.active_run() else mlflow.start_run():
        mlflow.log_params(dict(parameters))
        for step, record in enumerate(history, 1):
            mlflow.log_metrics({name: value for name, value in record.items() if name != "epoch"}, step)
        package.log(model)

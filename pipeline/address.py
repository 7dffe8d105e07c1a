"""Where runs are tracked, for those, too, who do without MLflow's import."""

from __future__ import annotations

import os

from pipeline.artifacts import data_folder


def store() -> str:
    """The tracking URI: MLFLOW_TRACKING_URI if that is set, else a SQLite file in data/tracking/."""
    return (
        os.environ.get("MLFLOW_TRACKING_URI")
        or f"sqlite:///{(data_folder() / 'tracking').resolve() / 'mlflow.db'}"
    )

"""Where the store of the runs is: MLFLOW_TRACKING_URI if that is set, else a SQLite file in data/tracking/,
which outlives `make clean`. For those, too, who do without MLflow's import.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pipeline.artifacts import data_folder


def folder() -> Path:
    """Where everything about runs lies on this machine."""
    return (data_folder() / "tracking").resolve()


def store() -> str:
    """The tracking URI."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder() / 'mlflow.db'}"


def shown() -> str:
    """The tracking URI without the password that may be in it."""
    return re.sub(r"//[^/@]*@", "//", store())


def is_remote() -> bool:
    return store().startswith(("http://", "https://"))

"""Where the store of the runs is: MLFLOW_TRACKING_URI if that is set, else a SQLite file in data/tracking/,
which outlives `make clean`. For those, too, who do without MLflow's import.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from ..artifacts import data_folder


def folder() -> Path:
    """Where everything about runs lies on this machine."""
    return (data_folder() / "tracking").resolve()


def running() -> Path:
    """Where `running` has its locks."""
    return folder() / "running"


def store() -> str:
    """The tracking URI."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder() / 'mlflow.db'}"


def shown() -> str:
    """The tracking URI without the password that may be in it."""
    return without_password(store())


def fingerprint() -> str:
    """What tells the store from others, and nothing of its password."""
    return hashlib.sha256(store().encode()).hexdigest()[:16]


def without_password(text: str) -> str:
    """The text with the addresses in it bare of who asks. A password may hold a slash and an @."""
    return re.sub(r"(?<=://)\S*@", "", text)


def is_remote() -> bool:
    return store().startswith(("http://", "https://"))

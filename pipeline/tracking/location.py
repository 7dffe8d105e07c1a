"""The address of the tracking store, and MLflow's settings, both without MLflow's import.

The store is MLFLOW_TRACKING_URI if that is set, else a SQLite file in data/tracking/, which survives
`make clean`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import unquote

from ..artifacts import checked_id, data_folder, local_store_file
from ..errors import InputError
from ..terminal import without_password

TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
MLFLOW_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # of a few megabytes
    # A dead server costs seconds: by MLflow's own limits it would be minutes, for every call.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    TIMEOUT: "20",
}


def set_mlflow_defaults() -> None:
    """Set MLflow's environment variables, which it reads as it is imported; the user's values win."""
    for name, value in MLFLOW_DEFAULTS.items():
        os.environ.setdefault(name, value)


def request_seconds() -> float:
    """Return how long MLflow waits for each piece of a server's answer."""
    text = os.environ.get(TIMEOUT) or MLFLOW_DEFAULTS[TIMEOUT]
    if not text.isdecimal():
        raise InputError(f"{TIMEOUT}={text}: expected whole seconds")
    return float(text)


def tracking_folder() -> Path:
    """Return the folder of everything about runs on this machine."""
    return (data_folder() / "tracking").resolve()


def locks_folder() -> Path:
    """Return the folder with a lock for each run that a process of this machine is recording."""
    return tracking_folder() / "running"


def lock_file(run_id: str) -> Path:
    """Return the lock of a run. Raises InputError for what is no id."""
    return locks_folder() / checked_id(run_id)


def is_default() -> bool:
    """Return True for the store in data/tracking/, which this program alone writes."""
    return not os.environ.get("MLFLOW_TRACKING_URI")


def store_uri() -> str:
    """Return the tracking URI."""
    return os.environ.get("MLFLOW_TRACKING_URI") or sqlite_uri(local_store_file())


def sqlite_uri(file: Path) -> str:
    """Return the address of an SQLite file as SQLAlchemy reads it: but for `%` and `?` a path is its own."""
    path = str(file).replace("%", "%25").replace("?", "%3F")
    # By the name of the dialect alone, MLflow would create the folder that is so spelled.
    return f"sqlite:///{path}" if path == str(file) else f"sqlite+pysqlite:///{path}"


def is_remote() -> bool:
    """Return True if the store is a tracking server."""
    return store_uri().startswith(("http://", "https://"))


def sqlite_file() -> Path | None:
    """Return the store's SQLite file, or None for a store of another kind."""
    if is_default():
        return local_store_file()
    scheme, _, path = store_uri().partition(":///")
    path = path.partition("?")[0]
    return Path(unquote(path)) if scheme == "sqlite" and path not in ("", ":memory:") else None


def redacted_uri() -> str:
    """Return the tracking URI without the user and password that may be in it."""
    return without_password(store_uri())


def store_fingerprint() -> str:
    """Return a digest that identifies the store and reveals nothing of its password.

    The store in data/tracking/ has the same wherever the folder is moved: what names it lies there, too.
    """
    uri = "" if is_default() else store_uri()
    return hashlib.sha256(os.fsencode(uri)).hexdigest()[:16]

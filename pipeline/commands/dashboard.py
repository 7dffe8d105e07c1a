"""Open the tracked runs in MLflow's own pages, on 127.0.0.1.

Reads the store that `train` and `evaluate` write.
"""

from __future__ import annotations

import os
import socket
import sys

from ..config import words
from ..config.command_line import Words
from ..errors import InputError
from ..terminal import say
from ..tracking import location, store

# The server's own messages are about itself, and its job queues are for judging chats.
QUIET = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}


def run(given: Words) -> None:
    port = given[words.PORT]
    page, artifacts = store.prepare_pages()
    if location.is_remote():
        say(f"The runs are at {location.redacted_uri().rstrip('/')}{page}\n  artifacts: {artifacts}")
        return
    _check_free(port)
    say(f"The runs are at http://127.0.0.1:{port}{page}")
    say(f"  database:  {location.redacted_uri()}\n  artifacts: {artifacts}\nCtrl-C ends it.")
    command = [sys.executable, "-m", "mlflow", "server", "--uvicorn-opts", "--log-level warning"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # Not as arguments, which everyone on the machine can read, as a password may be in them.
    os.environ |= {
        name: location.store_uri() for name in ("MLFLOW_BACKEND_STORE_URI", "MLFLOW_REGISTRY_STORE_URI")
    }
    os.environ |= QUIET
    os.execv(sys.executable, command)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        # As the server does it: what lingers of one that ended is not in its way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            fault = (error.strerror or str(error)).lower()
            raise InputError(f"PORT={port}: {fault}: name another, such as PORT=5001") from error

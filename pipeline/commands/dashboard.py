"""Open the tracked runs in MLflow's own pages, on 127.0.0.1.

Reads the store that `train` and `evaluate` write. MLflow's pages keep the columns of the table of runs in the
browser: a page of this program's own, START, puts them there and leads to the table.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

from ..config import words
from ..config.command_line import Words
from ..environment.checkout import python_path
from ..errors import InputError
from ..terminal import say
from ..tracking import location, store

START = "/results"
# What MLflow's pages keep in the browser: what is chosen on the page of an experiment, and that the
# assistant, which covers the table, has opened once. Whatever the reader changes stays, until other columns
# are set here.
START_PAGE = """<!DOCTYPE html><title>convtext</title><script>
const key = 'MLflowLocalStorage-1.1-ExperimentPage-["%(experiment)s"]-ReactComponentState';
const state = JSON.stringify(%(state)s), mark = "convtext " + key;
if (localStorage.getItem(mark) !== state) {
  localStorage.setItem(key, state);
  localStorage.setItem(mark, state);
  localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
}
location.replace(%(path)s);
</script>"""
# The server's own messages are about itself, and its job queues are for judging chats.
QUIET = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}


def run(given: Words) -> None:
    port = given[words.PORT]
    pages = store.prepare_pages()
    if location.is_remote():
        address = f"{location.redacted_uri().rstrip('/')}{pages.path}"
        say(f"The runs are at {address}\n  artifacts: {pages.artifacts}")
        return
    _check_free(port)
    say(f"The runs are at http://127.0.0.1:{port}{START}")
    say(f"  database:  {location.redacted_uri()}\n  artifacts: {pages.artifacts}\nCtrl-C ends it.")
    command = [sys.executable, "-m", "uvicorn", "--log-level", "warning", "--factory"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", f"{__name__}:application"]
    os.environ |= QUIET | {"PYTHONPATH": python_path()}
    os.execv(sys.executable, command)


def application() -> Any:
    """Return MLflow's server of the store, with the page that leads to the table of runs."""
    from mlflow import server  # not at the top: the port is checked before the seconds that it takes
    from mlflow.server.fastapi_app import app

    pages = store.prepare_pages()
    os.environ |= {
        name: location.store_uri()
        for name in (server.BACKEND_STORE_URI_ENV_VAR, server.REGISTRY_STORE_URI_ENV_VAR)
    } | {server.ARTIFACT_ROOT_ENV_VAR: pages.artifacts}
    page = START_PAGE % {
        "experiment": pages.experiment,
        "state": json.dumps(store.table_state()),
        "path": json.dumps(pages.path),
    }
    server.app.add_url_rule(START, "results", lambda: page)
    return app


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        # As the server does it: what lingers of one that ended is not in its way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            fault = (error.strerror or str(error)).lower()
            raise InputError(f"PORT={port}: {fault}: name another, such as PORT=5001") from error

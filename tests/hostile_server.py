"""A tracking server that answers some paths of MLflow's REST interface with nonsense, others with sense."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

RUN_ID = "0123456789abcdef" * 2
MODEL_ID = f"m-{RUN_ID}"


def run(run_id: str = RUN_ID, **more: Any) -> dict[str, Any]:
    """Return MLflow's answer with a run in it."""
    info = {"run_id": run_id, "experiment_id": "1", "status": "RUNNING", "start_time": 1, "run_name": "one"}
    info |= {"artifact_uri": f"mlflow-artifacts:/1/{run_id}/artifacts", "lifecycle_stage": "active"}
    return {"run": {"info": info, "data": {}} | more}


SENSE: dict[str, Any] = {
    "experiments/get-by-name": {
        "experiment": {"experiment_id": "1", "name": "convtext", "artifact_location": "mlflow-artifacts:/1"}
    },
    "runs/create": run(),
    "runs/get": run(),
    "runs/update": {"run_info": run()["run"]["info"]},
}


class Answer:
    """An answer of this status and these headers; `body` is bytes, or writes to the connection itself."""

    def __init__(self, body: bytes | Callable[[Any], None], status: int = 200, **headers: str) -> None:
        self.body, self.status, self.headers = body, status, headers


@contextmanager
def hostile_server(answers: Mapping[str, Any]) -> Iterator[str]:
    """Give the address of a server on the loopback address.

    `answers` has the answer to each path below /api/2.0/mlflow/, a value of JSON or an Answer; "*" is for all
    other paths, which otherwise get a sensible one.
    """
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            name = urlsplit(self.path).path.removeprefix("/api/2.0/mlflow/")
            found = answers.get(name, answers.get("*", SENSE.get(name, {})))
            answer = found if isinstance(found, Answer) else Answer(json.dumps(found).encode())
            with suppress(OSError):  # the client has enough
                self.send_response(answer.status)
                for header, value in answer.headers.items():
                    self.send_header(header, value)
                if callable(answer.body):
                    self.end_headers()
                    answer.body(Connection(self.wfile, ended))
                else:
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            ended.set()
            server.shutdown()


class Connection:
    """The client's end of a connection, and whether the server is to end."""

    def __init__(self, file: Any, ended: threading.Event) -> None:
        self._file, self._ended = file, ended

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def pause(self, seconds: float) -> bool:
        """Wait; return False where the server is to end."""
        return not self._ended.wait(seconds)


def never(connection: Connection) -> None:
    """Answer nothing."""
    while connection.pause(60):
        pass


def drip(connection: Connection) -> None:
    """Answer a blank now and then, for ever."""
    while connection.pause(0.2):
        connection.write(b" ")


def flood(connection: Connection) -> None:
    """Answer blanks for ever, as fast as they are read."""
    while connection.pause(0):
        connection.write(b" " * 2**20)


NONSENSE: dict[str, Any] = {
    "a page": Answer(b"<html><h1>Sign in</h1></html>", **{"Content-Type": "text/html"}),
    "nothing": Answer(b""),
    "a list for an object": [1, 2],
    "a number": 7,
    "half of an object": Answer(b'{"run": {"info": {"run_id": "'),
    "no UTF-8": Answer(b'\xff\xfe{"run": 1}'),
    "other types": {"run": {"info": {"run_id": 7, "status": []}, "data": "x"}, "experiment": "x"},
    "an empty object": {},
    "deep nesting": Answer(b'{"run": ' + b"[" * 100_000),
    "status 500 with a page": Answer(b"<h1>oops</h1>", 500),
    "status 500 with another error": Answer(b'{"error_code": 7, "message": []}', 500),
    "status 204": Answer(b"", 204),
    "a redirect to itself": Answer(b"", 302, Location="/api/2.0/mlflow/runs/create"),
    "a redirect to no address": Answer(b"", 302, Location="http://["),
    "a redirect to a file": Answer(b"", 302, Location="file:///etc/passwd"),
}

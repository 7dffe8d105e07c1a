"""The served model under load: 100 clients at once for a minute, each answer compared with `make predict`'s.

python -m tests.benchmarks.serving MODEL LABELLED TEXT [SECONDS]

MODEL is an MLflow model's folder or address, LABELLED what `make predict ... PROBABILITIES=1` wrote, and TEXT
its column of the texts. Prints requests a second, latencies and errors.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import count
from pathlib import Path

import pandas as pd

CLIENTS = 100
PREFIX = "probability_of_"


def main(model: str, labelled: str, column: str, seconds: float = 60) -> None:
    table = pd.read_csv(labelled, keep_default_na=False)
    names = [name for name in table if name.startswith(PREFIX)]
    rows = list(zip(table[column].astype(str), table[names].to_numpy().tolist(), strict=True))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "--env-manager", "local"]
    server = subprocess.Popen(
        [*command, "--port", str(port)],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait(port)
        outcomes: Counter[str] = Counter()
        latencies: list[float] = []
        end = time.monotonic() + seconds
        numbers = count()

        def client() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            while time.monotonic() < end:
                text, expected = rows[next(numbers) % len(rows)]
                began = time.perf_counter()
                try:
                    outcomes[asked(connection, column, text, names, expected)] += 1
                except (OSError, http.client.HTTPException) as error:
                    outcomes[type(error).__name__] += 1
                    connection.close()
                latencies.append(time.perf_counter() - began)

        clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
    rate = sum(outcomes.values()) / seconds
    cuts = [1e3 * cut for cut in statistics.quantiles(latencies, n=100)]
    print(f"{CLIENTS} clients, {seconds:.0f} s: {rate:,.0f} requests/s, {dict(outcomes)}")
    print(f"milliseconds: median {cuts[49]:.0f}, 99 % {cuts[98]:.0f}, most {1e3 * max(latencies):.0f}")


def asked(
    connection: http.client.HTTPConnection, column: str, text: str, names: list[str], expected: list[float]
) -> str:
    """How one request went."""
    body = json.dumps({"dataframe_records": [{column: text}]})
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        return f"status {answer.status}"
    (row,) = json.loads(content)["predictions"]
    # `make predict` writes four decimals.
    same = all(abs(row[name] - value) <= 0.5001e-4 for name, value in zip(names, expected, strict=True))
    return "as predicted" if same else "other probabilities"


def wait(port: int) -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("the server does not answer")


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(float, sys.argv[4:]))

"""A packed model under load, as the Dockerfile serves it: each answer is compared with `make predict`'s.

python -m tests.benchmarks.serving PACKED LABELLED TEXT [SECONDS]

PACKED is the folder that `make pack` wrote, LABELLED what `make predict ... PROBABILITIES=1` wrote, and TEXT
its column of the texts. Prints requests and rows a second, latencies and errors, of 1 client and of 100, with
a row and with 100 rows a request.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import threading
import time
from collections import Counter
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from tests.model_server import packed_service

LOADS = ((1, 1), (100, 1), (1, 100), (100, 100))  # clients, rows of a request
PREFIX = "probability_of_"
Row = tuple[str, list[float]]  # a text, and its probabilities


def main(packed: str, labelled: str, column: str, seconds: float = 60) -> None:
    table = pd.read_csv(labelled, keep_default_na=False)
    names = [name for name in table if name.startswith(PREFIX)]
    rows = list(zip(table[column].astype(str), table[names].to_numpy().tolist(), strict=True))
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        with packed_service(Path(packed).resolve(), Path(folder)) as server:
            print(f"answers after {time.perf_counter() - began:.1f} s with {server.megabytes:.0f} MB")
            for clients, size in LOADS:
                print(measured(server.port, rows, names, clients, size, seconds), flush=True)
            print(f"{server.megabytes:.0f} MB at the end")


def measured(port: int, rows: list[Row], names: list[str], clients: int, size: int, seconds: float) -> str:
    """Return a line on this load."""
    outcomes: Counter[str] = Counter()
    latencies: list[float] = []
    end = time.monotonic() + seconds
    numbers = count()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < end:
            asked_for = [rows[next(numbers) % len(rows)] for _ in range(size)]
            began = time.perf_counter()
            try:
                outcomes[asked(connection, asked_for, names)] += 1
            except (OSError, http.client.HTTPException) as error:
                outcomes[type(error).__name__] += 1
                connection.close()
            latencies.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(latencies) / seconds
    cuts = [1e3 * cut for cut in statistics.quantiles(latencies, n=100)]
    return (
        f"{clients} clients, {size} rows a request: {rate:,.0f} requests/s, {rate * size:,.0f} rows/s, "
        f"ms: median {cuts[49]:.1f}, 95 % {cuts[94]:.1f}, 99 % {cuts[98]:.1f}, {dict(outcomes)}"
    )


def asked(connection: http.client.HTTPConnection, rows: list[Row], names: list[str]) -> str:
    """Return how a request went."""
    body = json.dumps([text for text, _ in rows])
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        return f"status {answer.status}"
    found = [[row[name] for name in names] for row in json.loads(content)["predictions"]]
    # `make predict` writes four decimals.
    same = all(
        abs(number - value) <= 0.5001e-4
        for row, (_, values) in zip(found, rows, strict=True)
        for number, value in zip(row, values, strict=True)
    )
    return "as predicted" if same else "other probabilities"


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(float, sys.argv[4:]))

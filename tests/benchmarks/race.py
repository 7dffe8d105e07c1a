"""A race of commands that read a CSV and write one: each in a process of its own, all in turn.

Imports nothing large: a process starts with the peak memory of the one that started it.
"""

from __future__ import annotations

import csv
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import NamedTuple

from tqdm import tqdm

ROUNDS = 3
PATIENCE = 90.0  # seconds that a slow contestant may take at a size


class Contestant(NamedTuple):
    title: str
    command: list[str]  # without the input and the output
    slow: bool = False


class Cost(NamedTuple):
    seconds: float
    peak_mb: float


Costs = dict[int, dict[str, Cost]]  # size -> title -> medians


def timed(command: list[str], limit: float | None = None) -> Cost | None:
    """None where it took more than `limit` seconds; ends this program where the command fails."""
    with TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        timer = threading.Timer(limit or threading.TIMEOUT_MAX, process.kill)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)  # the peak of it and of its own processes
        except KeyboardInterrupt:
            process.kill()
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and limit and seconds > limit:
            return None
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(command)}\n{said.read().decode(errors='replace')}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB on Linux
    return Cost(seconds, usage.ru_maxrss / unit)


def run_once(contestant: Contestant, source: Path, output: Path, limit: float | None = None) -> Cost | None:
    os.sync()  # what the one before wrote is not to be this one's burden
    return timed([*contestant.command, f"INPUT={source}", f"OUTPUT={output}"], limit)


def accuracies(entered: list[Contestant], folder: Path) -> dict[str, float]:
    """On the test part, %. Whatever is compiled at the first run, or not yet in memory, is so after it."""
    found = {}
    for contestant in tqdm(entered, "accuracy", leave=False, disable=None):
        with TemporaryDirectory(dir=folder) as place:
            output = Path(place, "labelled.csv")
            run_once(contestant, folder / "test.csv", output)
            with output.open(newline="", encoding="utf-8") as file:
                right = [row["truth"] == row["predicted_label"] for row in csv.DictReader(file)]
        found[contestant.title] = 100 * statistics.mean(right)
    return found


def compare(entered: list[Contestant], sizes: list[int], folder: Path) -> Costs:
    """The medians. A slow contestant leaves the race at the first size that is more than PATIENCE allows."""
    costs: dict[int, dict[str, list[Cost]]] = {size: {} for size in sizes}
    gone: dict[str, int] = {}
    turns = [(turn, size, one) for turn in range(ROUNDS) for size in sizes for one in entered]
    for turn, size, one in tqdm(turns, "rounds", leave=False, disable=None):
        if size >= gone.get(one.title, size + 1):
            continue
        limit = PATIENCE if one.slow and not turn else None
        with TemporaryDirectory(dir=folder) as place:  # a new one, as convtext goes on where it was killed
            cost = run_once(one, folder / f"{size}.csv", Path(place, "labelled.csv"), limit)
        if cost is None:
            gone[one.title] = size
        else:
            costs[size].setdefault(one.title, []).append(cost)
    return {size: {title: median(found) for title, found in titles.items()} for size, titles in costs.items()}


def median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.seconds for cost in costs), statistics.median(cost.peak_mb for cost in costs)
    )

"""A standalone cluster of Spark on this machine's loopback interface: a master, and two workers.

A session, or a job, has a core of each, and the cluster has room for two at once.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyspark

HOST = "127.0.0.1"
WORKERS = 2
START_SECONDS = 60
HOME = Path(pyspark.__file__).parent
SCRIPT = Path(__file__).resolve().parents[2] / "pipeline" / "spark" / "convtext_label.py"


@dataclass(frozen=True)
class Cluster:
    """The master's address, and the settings of a session or a job on it."""

    master: str
    settings: Mapping[str, str]

    def submit(self, script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a job; its standard output is all that its driver says, and the other is Java's log."""
        command = [HOME / "bin" / "spark-submit", "--master", self.master]
        for name, value in self.settings.items():
            command += ["--conf", f"{name}={value}"]
        environment = os.environ | {"SPARK_LOCAL_IP": HOST}
        command += [script, *arguments]
        return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True)


@contextmanager
def standalone_cluster(folder: Path, executor_memory: str = "600m") -> Iterator[Cluster]:
    """Start the cluster, with its files in a folder, and end it on leaving."""
    port, pages = _free_port(), _free_port()
    master = f"spark://{HOST}:{port}"
    environment = os.environ | {"SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": HOST}
    commands = [["master.Master", "--host", HOST, "--port", str(port), "--webui-port", str(pages)]]
    for number in range(WORKERS):
        place = ["--host", HOST, "--webui-port", "0", "--work-dir", str(folder / str(number))]
        commands.append(["worker.Worker", *place, "--cores", "2", "--memory", "4g", master])
    running: list[subprocess.Popen[bytes]] = []
    with (folder / "log").open("wb") as log:
        try:
            for name, *options in commands:
                command = [HOME / "bin" / "spark-class", f"org.apache.spark.deploy.{name}", *options]
                running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            _wait_for_workers(f"http://{HOST}:{pages}/json/", folder / "log")
            yield Cluster(master, _settings(folder, executor_memory))
        finally:
            for process in reversed(running):
                process.terminate()
            for process in running:
                process.wait()


def _settings(folder: Path, executor_memory: str) -> dict[str, str]:
    return {
        "spark.driver.bindAddress": HOST,
        "spark.driver.host": HOST,
        "spark.cores.max": str(WORKERS),
        "spark.executor.cores": "1",
        "spark.executor.memory": executor_memory,
        "spark.pyspark.python": sys.executable,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
    }


def _wait_for_workers(address: str, log: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        with suppress(OSError, ValueError), urllib.request.urlopen(address) as answer:
            if json.load(answer)["aliveworkers"] == WORKERS:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no cluster in {START_SECONDS} s: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def processes(word: str) -> list[int]:
    """Return the ids of the other processes whose command line holds a word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if word.encode() in (folder / "cmdline").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def children(process: int) -> list[int]:
    """Return the ids of the processes that a process has started itself."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]

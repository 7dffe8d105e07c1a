"""A model behind a server, MLflow's own or the Dockerfile's, for the tests that ask one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.dockerfile import stages
from tests.tracking_server import free_port


class Service:
    """A packed model as the Dockerfile serves it: a process, and its address."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port
        self.address = f"http://127.0.0.1:{port}"

    @property
    def megabytes(self) -> float:
        """The memory that the process has, as Linux tells it."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def ask(self, body: bytes, kind: str = "application/json") -> tuple[int, bytes]:
        request = urllib.request.Request(f"{self.address}/invocations", body, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


@contextmanager
def service(command: list[str], folder: Path, environment: Mapping[str, str], log: Path) -> Iterator[Service]:
    """Run the Dockerfile's CMD in `folder`, on a port that is free; what it prints goes to `log`."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}", process)
        yield Service(process, port)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


@contextmanager
def packed_service(model: Path, folder: Path) -> Iterator[Service]:
    """Serve a packed model by this environment's programs, which compile its kernels as the build does."""
    build, final = stages()
    programs = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    settings = {
        "MALLOC_ARENA_MAX": final.environment()["MALLOC_ARENA_MAX"],
        "PYTHONPATH": str(model / "code"),
    }
    environment = os.environ | build.environment() | settings | programs
    with service(final.command(), folder, environment, folder / "service.log") as running:
        yield running


@contextmanager
def model_server(model: Path, folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve an MLflow model by a process that runs in `folder`; give its address once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(900):
        if process.poll() is not None:
            raise ChildProcessError(process.args)
        try:
            urllib.request.urlopen(f"{address}/ping", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)

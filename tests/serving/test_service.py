"""A trained model from `make pack` to the answers: by this environment's programs, and as in the image."""

from __future__ import annotations

import csv
import http.client
import itertools
import json
import os
import random
import shlex
import signal
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.compilation import native_kernels
from pipeline.serving.server import MAX_BYTES
from pipeline.text.fast_encoder import CACHE_SIZE
from tests.dockerfile import Image, stages
from tests.model_server import Service, packed_service, service
from tests.project import Project

pytestmark = pytest.mark.slow
CLIENTS, REQUESTS = 100, 30  # of each client
SOAK_SECONDS = 180
MARGIN = 32  # megabytes, by which the memory may grow from the second minute to the third
GOOD = b'["a lovely film"]'
HOSTILE = (
    b"{",
    b"[" * 50_000,
    b"[NaN]",
    b"[1]",
    b'{"rows": 1}',
    b'["\\ud800"]',
    b"[]",
    b" " * (MAX_BYTES + 1),
)
LINUX = Path("/proc/self/statm").exists()


class Trained:
    """A model of reviews in a packed folder, and what `make predict` says of texts: cells by text."""

    def __init__(self, project: Project, folder: Path) -> None:
        corpus, self.packed = folder / "reviews.csv", folder / "service"
        project.write_reviews(corpus, 120)
        numbers = random.Random(1)
        words = ["lovely", "awful", "film", "café", "lovelier", "zzz", 'quoted "', "number,", "é", "7"]
        texts = sorted({" ".join(numbers.choices(words, k=numbers.randrange(1, 9))) for _ in range(400)})
        with (folder / "new.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["review"], *([text] for text in texts)])
        labelled = folder / "labelled.csv"
        for words in (
            ["train", "TEXT=review", "LABEL=stars", f"SET={project.tiny()}"],
            ["predict", f"INPUT={folder / 'new.csv'}", f"OUTPUT={labelled}", "PROBABILITIES=1"],
            ["pack", f"OUTPUT={self.packed}"],
        ):
            done = project.make(folder / "data", *words, f"CORPUS={corpus}")
            assert done.returncode == 0, done.stderr
        self.said = done
        with labelled.open(encoding="utf-8", newline="") as file:
            self.predicted = {row.pop("review"): row for row in csv.DictReader(file)}
        self.texts = [*self.predicted]

    def assert_as_predicted(self, texts: list[str], answer: bytes) -> None:
        rows = json.loads(answer)["predictions"]
        cells = [
            {name: cell if isinstance(cell, str) else f"{cell:.4f}" for name, cell in row.items()}
            for row in rows
        ]
        assert cells == [self.predicted[text] for text in texts]


@pytest.fixture(scope="module")
def trained(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(project, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def running(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with packed_service(trained.packed, tmp_path_factory.mktemp("elsewhere")) as server:
        yield server


def forms(texts: list[str]) -> list[Any]:
    """Return the same rows in forms that are answered alike."""
    return [
        texts,
        {"inputs": texts},
        {"dataframe_records": [{"review": text} for text in texts]},
        {"dataframe_split": {"columns": ["review"], "data": [[text] for text in texts]}},
    ]


def test_a_hundred_clients_at_once_get_what_predict_says(trained: Trained, running: Service) -> None:
    ready = threading.Barrier(CLIENTS)

    def client(number: int) -> int:
        own = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=120)
        ready.wait()
        for _ in range(REQUESTS):
            texts = own.choices(trained.texts, k=own.choice([1, 1, 1, 9]))
            body = json.dumps(own.choice(forms(texts)))
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            trained.assert_as_predicted(texts, content)
        connection.close()
        return REQUESTS

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert sum(pool.map(client, range(CLIENTS))) == CLIENTS * REQUESTS


def test_a_hundred_thousand_rows_are_answered(trained: Trained, running: Service) -> None:
    texts = (trained.texts * 1000)[:100_000]
    status, content = running.ask(json.dumps(texts).encode())
    assert status == 200
    trained.assert_as_predicted(texts, content)


@pytest.mark.skipif(not LINUX, reason="Linux alone tells a process's memory")
def test_a_body_of_200_megabytes_is_refused_and_not_kept(running: Service) -> None:
    assert running.ask(GOOD)[0] == 200
    before = running.megabytes
    status, content = running.ask(b'["' + b"a" * 200_000_000 + b'"]')
    assert (status, running.megabytes - before < 2 * MARGIN) == (413, True), content
    assert running.ask(GOOD)[0] == 200


def answer_to(request: bytes, server: Service) -> bytes:
    """Return what the server sends until it hangs up, or is silent for as long as it keeps a connection."""
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", server.port), timeout=8) as client, suppress(OSError):
        client.sendall(request)
        while piece := client.recv(1 << 16):
            answer += piece
    return bytes(answer)


@pytest.mark.parametrize(
    "request_text",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # the beginning of TLS
        b"POST /invocations HTTP/9.9\r\nHost: x\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 1e9\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent Length : 2\r\n\r\n[]",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\n" + b"a" * 200_000 + b": b\r\n\r\n",
        b"POST /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=lambda text: str(text[:80]),
)
def test_nonsense_of_http_is_answered_4xx_or_hung_up_on(request_text: bytes, running: Service) -> None:
    answer = answer_to(request_text, running)
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert b"Traceback" not in answer
    assert running.ask(GOOD)[0] == 200


def test_a_request_hidden_in_another_is_not_answered(running: Service) -> None:
    """Chunks count where a request has both, as HTTP says, and a length that is smaller hides nothing."""
    hidden = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    both = head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(hidden)
    answer = answer_to(both + hidden + b"\r\n0\r\n\r\n", running)
    assert answer.startswith(b"HTTP/1.1 400") and answer.count(b"HTTP/1.1") == 1, answer


@pytest.mark.skipif(not LINUX, reason="Linux alone tells a process's memory")
def test_memory_is_flat_under_ever_new_words_hostile_bodies_and_clients_that_hang_up(
    trained: Trained, tmp_path: Path
) -> None:
    """The caches are filled and emptied every few seconds, so that medians of a minute tell growth."""
    with packed_service(trained.packed, tmp_path) as server:
        samples = _work(server, SOAK_SECONDS)
    third = len(samples) // 3
    warm, last = (statistics.median(part) for part in (samples[third : 2 * third], samples[2 * third :]))
    assert last - warm < MARGIN, (warm, last)


def _work(server: Service, seconds: float) -> list[float]:
    """Ask as clients of all kinds do; return the server's memory in megabytes, every half a second."""
    end = time.monotonic() + seconds
    number, lock = itertools.count(), threading.Lock()

    def new_words(count: int) -> bytes:
        with lock:
            return json.dumps([f"neu{next(number)}wort lovely" for _ in range(count)]).encode()

    def client(seed: int) -> None:
        own = random.Random(seed)
        while time.monotonic() < end:
            assert server.ask(new_words(own.choice([1, 1, 1, 2000])))[0] == 200
            assert server.ask(own.choice(HOSTILE))[0] in (400, 413)
            with socket.create_connection(("127.0.0.1", server.port)) as left:
                left.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[")

    samples = []
    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(client, seed) for seed in range(8)]
        while time.monotonic() < end:
            samples.append(server.megabytes)
            time.sleep(0.5)
        for done in clients:
            done.result()
    assert next(number) > 2 * CACHE_SIZE  # so that they were full in each part
    return samples


def test_the_dockerfile_is_small_and_safe() -> None:
    build, final = stages()
    assert "RUN" not in dict(final.instructions)  # nothing is left behind by a step
    assert final.last("USER").split(":")[0].isdigit() and not final.last("USER").startswith("0")
    assert final.last("EXPOSE") == "8080" and "8080" in final.command()
    assert "curl" not in final.last("HEALTHCHECK")
    assert build.environment().items() <= final.environment().items()  # the kernels are found again


@pytest.fixture(scope="module")
def image(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile's steps leave, run in folders."""
    built = Image(tmp_path_factory.mktemp("image"), trained.packed)
    asked = [*built.pip, "download", "--no-deps", "--quiet", "tqdm", "-d", tmp_path_factory.mktemp("asked")]
    if subprocess.run(asked, capture_output=True).returncode:
        pytest.skip("the image's packages come from PyPI, which cannot be reached")
    try:
        built.build()
    except subprocess.CalledProcessError as error:
        raise AssertionError(f"{error.stdout}\n{error.stderr}") from error
    return built


def test_the_image_has_no_more_than_predicting_needs(image: Image) -> None:
    names = {
        path.name.partition("-")[0] for path in image.root.glob("service/lib/*/site-packages/*.dist-info")
    }
    assert {"mlflow_skinny", "uvicorn", "numpy"} <= names
    assert not names & {"pip", "mlflow", "tensorflow", "tensorflow_cpu", "keras", "scikit_learn", "pyarrow"}
    assert bool(names & {"numba", "llvmlite", "scipy"}) != native_kernels.is_usable()
    assert not (image.root / "model" / "artifacts" / "row_keys.npz").exists()


def read_only(image: Image, command: list[str]) -> list[str]:
    """Return a command that runs with all folders read-only, where this user may have that."""
    folders = [str(image.root), "/tmp", "/var/tmp", "/dev/shm"]
    steps = [f"mount --bind {shlex.quote(folder)} {shlex.quote(folder)}" for folder in folders]
    steps += [f"mount -o remount,bind,ro {shlex.quote(folder)}" for folder in folders]
    whole = ["unshare", "--mount", "sh", "-ec", "; ".join([*steps, 'exec "$@"']), "sh"]
    try:
        allowed = subprocess.run([*whole, "true"], capture_output=True).returncode == 0
    except OSError:
        allowed = False
    return [*whole, *command] if allowed else command


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_image_is_asked_and_stopped(workers: str, image: Image, trained: Trained, tmp_path: Path) -> None:
    """In an environment that has nothing of the checkout's, where nothing can be written."""
    final = image.stages[-1]
    environment = image.environment(final) | {"WEB_CONCURRENCY": workers}
    log = tmp_path / "log"
    with service(read_only(image, final.command()), image.root, environment, log) as server:
        for body in forms(trained.texts):
            status, content = server.ask(json.dumps(body).encode())
            assert status == 200, content
            trained.assert_as_predicted(trained.texts, content)
        for parameters in ({"top": 2}, {"abstain": 0.5}, {"probabilities": False}, {"precision": 0.5}):
            status, content = server.ask(json.dumps({"inputs": trained.texts, "params": parameters}).encode())
            assert status == 200, content
        assert server.ask(b'["\\ud800"]')[0] == 400
        health = json.loads(final.last("HEALTHCHECK").partition("CMD ")[2])
        asked = [word.replace("8080", str(server.port)) for word in health]
        subprocess.run(asked, env=environment, check=True, timeout=30)
        with socket.create_connection(("127.0.0.1", server.port)):  # a client that says nothing
            os.kill(server.process.pid, signal.SIGTERM)
            server.process.wait(timeout=15)
        assert subprocess.run(asked, env=environment, capture_output=True).returncode == 1
    assert "Traceback" not in log.read_text() and "Error" not in log.read_text(), log.read_text()

"""Attacks by a tracking server, and on the server of a model: what each may cost, and what not."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.hostile_server import MODEL_ID, NONSENSE, SENSE, Answer, drip, flood, hostile_server, never, run
from tests.model_server import model_server
from tests.project import Project
from tests.tracking_runs import CODE
from tests.tracking_server import free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
WAITS = "    run.wait()\n"
# Appends the writer's peak in kB to a file, again and again: it may be killed, and is then not waited for.
WATCHES_THE_WRITER = f"""    import os, re, threading, time
    from pathlib import Path
    def watch():
        while time.sleep(0.1) is None:
            for child in Path("/proc/self/task").glob("*/children"):
                for pid in child.read_text().split():
                    status = Path(f"/proc/{{pid}}/status").read_text()  # a zombie's has no memory
                    peaks = re.findall(r"VmHWM:\\s+(\\d+ )", status.replace("kB", ""))
                    Path(os.environ["CONVTEXT_DATA"], "..", "output").open("a").writelines(peaks)
    threading.Thread(target=watch, daemon=True).start()
{WAITS}"""
EVIL_IDS = {
    "a path above": "../../../victim.txt",
    "an absolute path": "/victim.txt",
    "nothing": "",
    "a dot": ".",
    "a blank and a quote": "a' or '1'='1",
    "a null": "a\0b",
    "three hundred letters": "x" * 300,
}


@dataclass
class Attacked:
    """A folder of data beside a file that nothing may touch, and what is run there."""

    data: Path

    @property
    def victim(self) -> Path:
        return self.data.parent / "victim.txt"

    def environment(self, uri: str) -> dict[str, str]:
        return Project(ROOT).environment(self.data) | {
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "1",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        }

    def track(self, uri: str, code: str = WAITS) -> subprocess.CompletedProcess[str]:
        """Record a small run in a process of its own; `code` is more of its block."""
        return self.start(uri, [sys.executable, "-c", f"{CODE}{code}\nprint('the training went on')"])

    def command(self, uri: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.start(uri, [sys.executable, "-m", "pipeline", *words])

    def start(self, uri: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=ROOT, env=self.environment(uri), capture_output=True, text=True, timeout=240
        )

    def unsent(self) -> list[str]:
        return [
            path.name for path in self.data.glob("tracking/unsent/*") if (path / "entries.jsonl").exists()
        ]

    def assert_untouched(self) -> None:
        assert self.victim.read_text() == "precious"
        assert {path.name for path in self.data.parent.iterdir()} <= {"victim.txt", self.data.name, "output"}


def fingerprint(uri: str) -> str:
    """Return what the champion's note calls a store."""
    return hashlib.sha256(uri.encode()).hexdigest()[:16]


@pytest.fixture
def attacked(tmp_path: Path) -> Attacked:
    (tmp_path / "victim.txt").write_text("precious")
    (tmp_path / "data").mkdir()
    return Attacked(tmp_path / "data")


def assert_one_line(done: subprocess.CompletedProcess[str]) -> None:
    lines = done.stderr.splitlines()
    assert "Traceback" not in done.stderr and len(lines) == 1 and lines[0].startswith("convtext: "), (
        done.stderr
    )


def assert_kept_unsent(attacked: Attacked, done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout) == (0, "the training went on\n"), done.stderr
    assert_one_line(done)
    assert "`make send` sends it" in done.stderr
    assert len(attacked.unsent()) == 1
    attacked.assert_untouched()


@pytest.mark.parametrize("run_id", EVIL_IDS.values(), ids=EVIL_IDS)
def test_a_run_id_that_is(run_id: str, attacked: Attacked) -> None:
    with hostile_server({"runs/create": run(run_id), "runs/get": run(run_id)}) as uri:
        assert_kept_unsent(attacked, attacked.track(uri))


@pytest.mark.parametrize("name", NONSENSE)
def test_the_answer_to_a_new_run_is(name: str, attacked: Attacked) -> None:
    with hostile_server({"runs/create": NONSENSE[name]}) as uri:
        assert_kept_unsent(attacked, attacked.track(uri))


@pytest.mark.parametrize("name", NONSENSE)
def test_every_answer_is(name: str, attacked: Attacked) -> None:
    with hostile_server({"*": NONSENSE[name]}) as uri:
        assert_kept_unsent(attacked, attacked.track(uri))


# What MLflow takes for an answer to a call that asks nothing back is left out.
@pytest.mark.parametrize(
    "name", sorted({*NONSENSE} - {"nothing", "an empty object", "other types", "a redirect to itself"})
)
def test_the_answer_to_a_metric_is(name: str, attacked: Attacked) -> None:
    with hostile_server({"runs/log-batch": NONSENSE[name]}) as uri:
        assert_kept_unsent(attacked, attacked.track(uri))


@pytest.mark.parametrize("body", [never, drip], ids=["nothing at all", "a drip"])
def test_an_answer_that_never_ends_is(body: Any, attacked: Attacked) -> None:
    with hostile_server({"runs/create": Answer(body)}) as uri:
        assert_kept_unsent(attacked, attacked.track(uri))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells a process's peak")
def test_a_flood_of_an_answer_takes_bounded_memory(attacked: Attacked) -> None:
    with hostile_server({"runs/create": Answer(flood)}) as uri:
        assert_kept_unsent(attacked, attacked.track(uri, WATCHES_THE_WRITER))
    peak = max(map(int, (attacked.data.parent / "output").read_text().split()))
    assert 50 << 10 < peak < 4096 << 10  # kB


def test_a_server_that_accepts_and_never_answers(attacked: Attacked) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert_kept_unsent(attacked, attacked.track(f"http://127.0.0.1:{silent.getsockname()[1]}"))


def test_a_server_that_is_dead(attacked: Attacked) -> None:
    assert_kept_unsent(attacked, attacked.track(f"http://127.0.0.1:{free_port()}"))


def test_a_writer_process_that_is_killed(attacked: Attacked) -> None:
    killed = "    run.wait(); run._writer.give_up(); run.log_metrics({'loss': 0.25}, 2); run.wait()\n"
    assert_kept_unsent(attacked, attacked.track("", killed))


def test_artifacts_that_are_to_lie_in_the_users_folder(attacked: Attacked) -> None:
    source = attacked.data / "victim.txt"
    source.write_text("overwritten")
    info = run()["run"]["info"] | {"artifact_uri": attacked.data.parent.as_uri()}
    logs = f"    from pathlib import Path\n    run.log_file(Path({str(source)!r})); run.wait()\n"
    with hostile_server({"runs/get": {"run": {"info": info, "data": {}}}}) as uri:
        assert_kept_unsent(attacked, attacked.track(uri, logs))


@pytest.mark.parametrize(
    "secret", ["http://me:hush@{}", "http://{}?password=hush", "http://{}?access_token=hush"]
)
def test_a_secret_in_the_address_is_not_told(secret: str, attacked: Attacked) -> None:
    done = attacked.track(secret.format(f"127.0.0.1:{free_port()}"))
    assert "hush" not in done.stderr + done.stdout and "Traceback" not in done.stderr, done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """Digits, trained by `make` while the server gives an id that is a path; twenty pictures lie beside."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "victim.txt").write_text("precious")
    attacked = Attacked(folder / "data")
    with hostile_server({"runs/create": run("../../../victim.txt")}) as uri:
        done = attacked.start(uri, ["make", "train", "CORPUS=digits", "SET=train.epochs=1"])
    assert done.returncode == 0, done.stderr
    assert all("is no id of MLflow's" in line for line in done.stderr.splitlines()), done.stderr
    assert len(attacked.unsent()) == 1
    attacked.assert_untouched()
    pictures = attacked.data / "pictures"
    pictures.mkdir()
    for number in range(20):
        pixels = np.random.default_rng(number).integers(256, size=(8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    return attacked


def test_a_whole_training_with_an_id_that_is_a_path(trained: Attacked) -> None:
    trained.assert_untouched()


@pytest.fixture
def champion(trained: Attacked) -> Iterator[Path]:
    """Make the trained model the champion; give its note, in which the store is still to be named."""
    (built,) = trained.data.glob("build/digits/*/model")
    folder = trained.data / "tracking" / "champions"
    shutil.copytree(built, folder / MODEL_ID / "artifacts" / "model")
    note = folder / "digits.json"
    fields = {"corpus": "digits", "store": "", "version": "3", "model_id": MODEL_ID, "title": "good"}
    note.write_text(json.dumps(fields))
    yield note
    shutil.rmtree(folder)


def predict(trained: Attacked, uri: str) -> subprocess.CompletedProcess[str]:
    words = ["CORPUS=digits", f"INPUT={trained.data / 'pictures'}", f"OUTPUT={trained.data / 'out.csv'}"]
    return trained.command(uri, "predict", *words)


ENDLESS = {"silence": Answer(never), "a drip": Answer(drip), "a flood": Answer(flood)}
ABSURD = NONSENSE | ENDLESS


@pytest.mark.parametrize("name", ABSURD)
def test_predict_with_a_known_champion_where_the_answer_is(
    name: str, trained: Attacked, champion: Path
) -> None:
    with hostile_server({"registered-models/alias": ABSURD[name], "*": NONSENSE["a page"]}) as uri:
        champion.write_text(json.dumps(json.loads(champion.read_text()) | {"store": fingerprint(uri)}))
        done = predict(trained, uri)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert "version 3, the last champion known, is used" in done.stderr
    assert "by the champion, version 3" in done.stderr
    trained.assert_untouched()


@pytest.mark.parametrize("version", ["../../../victim", "", "7", None, 10**400])
def test_predict_where_the_champions_version_is(version: object, trained: Attacked, champion: Path) -> None:
    answer = {"model_version": {"version": version, "source": "models:/../../victim", "name": "digits"}}
    named = {"registered_model": {"name": "digits", "aliases": [{"alias": "champion", "version": version}]}}
    answers = {
        "registered-models/alias": answer,
        "registered-models/get": named,
        "model-versions/get": answer,
    }
    with hostile_server(answers) as uri:
        champion.write_text(json.dumps(json.loads(champion.read_text()) | {"store": fingerprint(uri)}))
        done = predict(trained, uri)
    assert done.returncode in (0, 2) and "Traceback" not in done.stderr, done.stderr
    trained.assert_untouched()


@pytest.mark.parametrize(
    "name", ["a page", "other types", "deep nesting", "status 500 with a page", "silence"]
)
@pytest.mark.parametrize(
    "words",
    [["register", "CORPUS=digits"], ["rollback", "CORPUS=digits"], ["send"], ["compare", "RUNS=one two"]],
    ids=lambda words: words[0],
)
def test_a_command_that_needs_the_server_ends_with_a_line_where_its_answers_are(
    words: list[str], name: str, trained: Attacked
) -> None:
    unsent = trained.unsent()
    with hostile_server({"*": ABSURD[name]}) as uri:
        done = trained.command(uri, *words)
    assert done.returncode == 2, done.stderr
    assert_one_line(done)
    assert trained.unsent() == unsent
    trained.assert_untouched()


@pytest.mark.parametrize("run_id", EVIL_IDS.values(), ids=EVIL_IDS)
def test_send_where_the_id_is(run_id: str, trained: Attacked) -> None:
    with hostile_server({"runs/create": run(run_id)}) as uri:
        done = trained.command(uri, "send")
    assert done.returncode == 2, done.stderr
    assert_one_line(done)
    assert len(trained.unsent()) == 1
    trained.assert_untouched()


@pytest.mark.parametrize("model_id", EVIL_IDS.values(), ids=EVIL_IDS)
def test_register_where_the_models_id_is(model_id: str, trained: Attacked) -> None:
    outputs = {"model_outputs": [{"model_id": model_id, "step": 0}]}
    model = {"model": {"info": {"model_id": model_id, "creation_timestamp_ms": 1, "experiment_id": "1"}}}
    sent = run(outputs=outputs)
    answers = {"runs/search": {"runs": [sent["run"]]}, "runs/get": sent, "*": model}
    with hostile_server(SENSE | answers) as uri:
        done = trained.command(uri, "register", "CORPUS=digits")
    assert done.returncode == 2, done.stderr
    assert_one_line(done)
    trained.assert_untouched()


@pytest.mark.parametrize("entry", ["../../../victim.txt", "/etc/passwd", "files/../../../../victim.txt"])
def test_a_journal_whose_entry_names_a_file_outside(entry: str, attacked: Attacked) -> None:
    folder = attacked.data / "tracking" / "unsent" / "local-1"
    folder.mkdir(parents=True)
    entries = [{"do": "begin", "tags": {}, "time": 1}, {"do": "files", "path": entry, "folder": None}]
    (folder / "entries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in entries))
    done = attacked.command("", "send")
    assert done.returncode == 2 and "damaged: remove" in done.stdout, done.stderr
    assert_one_line(done)
    assert not list(attacked.data.rglob("artifacts/**/victim.txt"))
    attacked.assert_untouched()


@pytest.mark.parametrize(
    "entry", [{}, {"do": 7}, {"do": "metrics", "values": 3}, {"do": "files"}, {"do": "tags"}]
)
def test_a_journal_with_a_damaged_entry_keeps_no_other_back(entry: object, attacked: Attacked) -> None:
    begin = {"do": "begin", "tags": {}, "time": 1}
    for name, entries in {"local-1": [begin, entry], "local-2": [begin], "local-3": [entry]}.items():
        folder = attacked.data / "tracking" / "unsent" / name
        folder.mkdir(parents=True)
        (folder / "entries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in entries))
    done = attacked.command("", "send")
    assert done.returncode == 2 and "local-2 is sent" in done.stdout, done.stderr
    assert_one_line(done)
    assert sorted(attacked.unsent()) == ["local-1", "local-3"]


@pytest.mark.parametrize("content", ["", "{", "[]", '["a"]', "7", '{"a": 1, "b": 2}', "\0" * 99], ids=repr)
def test_a_lock_of_a_run_that_holds(content: str, attacked: Attacked) -> None:
    (attacked.data / "tracking" / "running").mkdir(parents=True)
    (attacked.data / "tracking" / "running" / "one").write_text(content)
    done = attacked.track("")
    assert (done.returncode, done.stderr) == (0, "")


PACKING = """
import sys
from pathlib import Path
import numpy as np
from pipeline.artifacts import RunFolder
from pipeline.files import write_arrays
from pipeline.models.kim_cnn import Options, build
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier, save
from pipeline.prediction.pool import Pool
from pipeline.folding.fold_network import fold_networks
from pipeline.text.encoder import TextEncoder
from pipeline.tracking import package
folder = RunFolder(Path(sys.argv[1], "run"))
folder.model.mkdir(parents=True)
encoder = TextEncoder.learn(["a lovely film", "an awful film"] * 3, Tokenize(minimum_count=1))
vectors = np.random.default_rng(1).normal(size=(len(encoder.words) + 2, 6)).astype(np.float32)
network = build(Options(filters=4, max_norm=None), vectors, 2)
pool = Pool(fold_networks([network]), {}, [1.0])
save(folder.model, Classifier(pool.rounded, encoder, ["bad", "good"], ["review"]), network, pool)
package.save(Path(sys.argv[1], "packed"), folder.model)
"""
SENSIBLE = b'{"dataframe_records": [{"review": "a lovely film"}]}'
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "a brace": b"{",
    "null": b"null",
    "a number": b"7",
    "a list": b"[]",
    "an object": b"{}",
    "no JSON": b"good film",
    "no UTF-8": b"\xff\xfe",
    "nulls": b"\0" * 999,
    "half": b'{"dataframe_records": [{"re',
    "another key": b'{"rows": []}',
    "two keys": b'{"inputs": {"review": ["a"]}, "dataframe_records": []}',
    "no rows": b'{"dataframe_records": []}',
    "rows of numbers": b'{"dataframe_records": [1]}',
    "rows of lists": b'{"dataframe_records": [["a"]]}',
    "null for rows": b'{"dataframe_records": null}',
    "text for rows": b'{"dataframe_records": "a"}',
    "no column": b'{"dataframe_records": [{"x": "a"}]}',
    "a number for a text": b'{"dataframe_records": [{"review": 3}]}',
    "a list for a text": b'{"dataframe_records": [{"review": []}]}',
    "an object for a text": b'{"dataframe_records": [{"review": {}}]}',
    "true": b'{"dataframe_records": [{"review": true}]}',
    "unequal lengths": b'{"dataframe_split": {"columns": ["review"], "data": [["a", "b"]]}}',
    "no columns": b'{"dataframe_split": {"data": [["a"]]}}',
    "no data": b'{"dataframe_split": {"columns": ["review"]}}',
    "a text for a split": b'{"dataframe_split": "a"}',
    "a column twice": b'{"dataframe_split": {"columns": ["review", "review"], "data": [["a", "b"]]}}',
    "inputs of a number": b'{"inputs": 3}',
    "inputs of null": b'{"inputs": null}',
    "instances of null": b'{"instances": null}',
    "unequal inputs": b'{"inputs": {"review": ["a"], "x": ["a", "b"]}}',
    "a lone surrogate": b'{"dataframe_records": [{"review": "\\ud800"}]}',
    "deep nesting": b'{"dataframe_records": ' + b"[" * 50_000,
    "infinity": b'{"dataframe_records": [{"review": Infinity}]}',
    "params of null": b'{"dataframe_records": [{"review": "a"}], "params": null}',
    "top of null": b'{"dataframe_records": [{"review": "a"}], "params": {"top": null}}',
    "abstain of null": b'{"dataframe_records": [{"review": "a"}], "params": {"abstain": null}}',
    "probabilities of null": b'{"dataframe_records": [{"review": "a"}], "params": {"probabilities": null}}',
    "top of a text": b'{"dataframe_records": [{"review": "a"}], "params": {"top": "all"}}',
    "top without end": b'{"dataframe_records": [{"review": "a"}], "params": {"top": 1e999}}',
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a model with random weights, served by MLflow."""
    folder = tmp_path_factory.mktemp("served")
    done = subprocess.run(
        [sys.executable, "-c", PACKING, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    quiet = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    with model_server(folder / "packed", folder, os.environ | quiet) as address:
        yield address


def ask(server: str, body: bytes, kind: str = "application/json") -> tuple[int, str]:
    request = urllib.request.Request(f"{server}/invocations", body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("name", MALFORMED)
def test_a_request_of(name: str, served: str) -> None:
    status, said = ask(served, MALFORMED[name])
    allowed = (500,) if name == "deep nesting" else (200, 400)  # MLflow's own parser gives up at that
    assert status in allowed and "Traceback" not in said, said
    assert ask(served, SENSIBLE)[0] == 200


@pytest.mark.parametrize(
    "kind", ["text/csv", "application/vnd.apache.parquet", "text/html", "", "a/b; charset=x"]
)
def test_a_request_of_bytes_that_are_said_to_be(kind: str, served: str) -> None:
    for body in (b"", b"\xff\xfe\0", b"PAR1", b"{"):
        status, _ = ask(served, body, kind)
        assert status >= 400
    assert ask(served, SENSIBLE)[0] == 200


def test_a_thousand_clients_that_hang_up(served: str) -> None:
    """Before the request is whole, so that there is nothing to predict."""
    address = served.removeprefix("http://").split(":")
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
    for _ in range(1000):
        with socket.create_connection((address[0], int(address[1])), timeout=30) as client:
            client.sendall(head)
    assert ask(served, SENSIBLE)[0] == 200

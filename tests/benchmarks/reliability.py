"""`make drill`: what is left when commands are killed, the disk fills, or the tracking server dies.

Each trial takes a command from the same state as an undisturbed run, disturbs it at a random moment (or gives
it a disk of a random size), and then gives the same command again, in peace. It must end as the undisturbed
one did: the same bytes, the same records in MLflow, no run RUNNING, no file half-written. Prints Markdown.
The full disk needs a Linux on which this process may mount one; elsewhere it is left out, and said.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tqdm import tqdm

from pipeline.config import arguments
from pipeline.config.command_line import Words
from pipeline.config.words import Word
from tests.project import Project
from tests.tracking_server import Server, free_port

ROOT = Path(__file__).resolve().parents[2]
SEED = 1
LARGE = 4 << 30  # bytes of a disk that no trial fills
ROWS_TO_TRAIN, ROWS_TO_LABEL = 1_000, 400_000
MODEL = "MODEL=kim-rand"
DEAD_SERVER = f"http://127.0.0.1:{free_port()}"
TIMES = re.compile("seconds|per_second|epoch_time")  # metrics that differ from run to run
HALF_WRITTEN = re.compile(r"^\.(partial|old|fresh)-|\.partial(\.json)?$")
COLUMNS = ("times", "ended by itself", "same bytes", "same records", "left RUNNING", "half-written files")
CHAMPIONS = """SELECT a.name, t.value FROM registered_model_aliases a JOIN model_version_tags t
    ON t.name = a.name AND t.version = a.version WHERE a.alias = 'champion' AND t.key = 'title'"""
RECORDED = """SELECT key, value FROM params WHERE run_uuid = ?
    UNION ALL SELECT key, value FROM latest_metrics WHERE run_uuid = ?
    UNION ALL SELECT 'has a model', count(*) > 0 FROM logged_models WHERE source_run_id = ?"""
MANY = arguments.whole_number(0, 1000)
KILLS = Word("KILLS", "10", "random moments of each command", MANY, 10)
DISKS = Word("DISKS", "20", "random sizes of the disk", MANY, 20)
SERVERS = Word("SERVERS", "20", "random moments of the server", MANY, 20)


class Outcome(NamedTuple):
    """How one trial ended; `code` is that of the disturbed command, `message` the last line it said."""

    code: int
    message: str
    same_bytes: bool
    same_records: bool
    running: int
    half_written: int


class Command:
    """A command of the program on data in a folder, with all that it needs at hand in `before`."""

    def __init__(self, name: str, words: list[str], data: Path, before: Path, uri: str = "") -> None:
        self.name, self.words, self.data, self.before, self.uri = name, words, data, before, uri

    def reset(self) -> None:
        """Put the data back as they are before the command, at the same path: MLflow keeps absolute ones."""
        for path in self.data.iterdir() if self.data.exists() else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.before, self.data, dirs_exist_ok=True)

    def start(self) -> subprocess.Popen[str]:
        environment = Project(ROOT).environment(self.data)
        if self.uri:
            environment |= {"MLFLOW_TRACKING_URI": self.uri, "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", self.name, *self.words],
            cwd=ROOT, env=environment, start_new_session=True, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def records(self) -> set[str]:
        """Return the records of the store that is in the data."""
        return records(self.data / "tracking" / "mlflow.db")

    def run(self) -> tuple[int, str]:
        """Run it to its end; return its code, and the last line that it said."""
        with self.start() as process:
            _, said = process.communicate()
        return process.returncode, (said.strip().splitlines() or [""])[-1]


class Reference(NamedTuple):
    """What undisturbed runs leave: the digests of those files that are the same every time, the records."""

    seconds: float
    bytes_on_disk: int
    digests: dict[str, str]
    records: set[str]


def main(given: Words) -> None:
    random.seed(SEED)
    print(f"| disturbed | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}", flush=True)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with mounted(folder / "data") as resize:
            commands = prepared(folder)
            for command in commands:
                report(f"SIGKILL in `{command.name}`", killed(command, given[KILLS]))
            train = commands[0]
            if resize:
                report("a disk that fills in `train`", on_small_disks(train, given[DISKS], resize))
            else:
                print("A full disk was left out: this process may not mount one.")
            report("the server dies in `train`", without_server(train, folder / "server", given[SERVERS]))


def prepared(folder: Path) -> list[Command]:
    """Return the commands to disturb, each with the state that it begins from."""
    project, data = Project(ROOT), folder / "data"
    reviews, new, dead = folder / "reviews.csv", folder / "new.csv", folder / "dead"
    project.write_reviews(reviews, ROWS_TO_TRAIN)
    project.write_reviews(new, ROWS_TO_LABEL)
    corpus = [f"CORPUS={reviews}", MODEL]
    words = [*corpus, "TEXT=review", "LABEL=stars", f"SET={project.tiny()}"]
    empty, trained, unsent = (folder / name for name in ("empty", "trained", "unsent"))
    empty.mkdir()
    train = Command("train", words, data, empty)
    for state, uri in ((trained, ""), (unsent, DEAD_SERVER)):
        ready = Command("train", words, data, empty, uri)
        ready.reset()
        code, message = ready.run()
        if code:
            sys.exit(message)
        shutil.copytree(data, state)
    dead.mkdir()
    return [
        train,
        Command("crossval", [*words, "FOLDS=3", "JOBS=2"], data, empty),
        Command("predict", [*corpus, f"INPUT={new}", f"OUTPUT={data}/new.csv", "TOP=2"], data, trained),
        Command("register", corpus, data, trained),
        Command("send", [], data, unsent),
    ]  # fmt: skip


def undisturbed(command: Command, look: Callable[[], set[str]]) -> Reference:
    """Run the command twice in peace; what differs between the two is not looked at later."""
    results = []
    for _ in range(2):
        command.reset()
        began = time.monotonic()
        code, message = command.run()
        seconds = time.monotonic() - began
        if code:
            sys.exit(f"{command.name}: {message}")
        size = sum(path.stat().st_size for path in command.data.rglob("*") if path.is_file())
        results.append(Reference(seconds, size, digests(command.data), look()))
    first, second = results
    stable = {name: digest for name, digest in first.digests.items() if second.digests.get(name) == digest}
    return Reference(second.seconds, second.bytes_on_disk, stable, first.records & second.records)


def killed(command: Command, times: int) -> Iterator[Outcome]:
    """Kill the command, and all processes that it has started, at random moments."""
    reference = undisturbed(command, command.records) if times else None
    for _ in range(times):
        assert reference
        command.reset()
        process = command.start()
        time.sleep(random.uniform(0, reference.seconds))
        kill_session(process.pid)
        _, said = process.communicate()
        yield repeated(command, reference, process.returncode, (said.strip().splitlines() or [""])[-1])


def on_small_disks(command: Command, times: int, resize: Callable[[int], None]) -> Iterator[Outcome]:
    """Run the command on disks that are too small for it, and then on a large one."""
    reference = undisturbed(command, command.records) if times else None
    for _ in range(times):
        assert reference
        command.reset()
        resize(random.randrange(1 << 16, reference.bytes_on_disk))
        code, message = command.run()
        resize(LARGE)
        yield repeated(command, reference, code, message)


def without_server(command: Command, folder: Path, times: int) -> Iterator[Outcome]:
    """Kill the tracking server at random moments of the command, start it again, and send what is unsent."""
    if not times:
        return
    folder.mkdir()
    server = Server(folder)
    here = Command(command.name, command.words, command.data, command.before, server.uri)
    try:
        latest = partial(records, folder / "runs.db", latest_run=True)
        reference = undisturbed(here, latest)
        for _ in range(times):
            here.reset()
            process = here.start()
            time.sleep(random.uniform(0, reference.seconds))
            server.kill()
            _, said = process.communicate()
            server.start()
            if process.returncode:
                here.run()
            Command("send", [], here.data, here.before, server.uri).run()
            yield outcome(
                here, reference, process.returncode, (said.strip().splitlines() or [""])[-1], latest
            )
    finally:
        server.kill()


def repeated(command: Command, reference: Reference, code: int, message: str) -> Outcome:
    """Give the command again, and compare what it leaves with the reference."""
    again, said = command.run()
    if again:
        tqdm.write(f"{command.name}, given again: {said}")
    return outcome(command, reference, code, message, command.records)


def outcome(
    command: Command, reference: Reference, code: int, message: str, look: Callable[[], set[str]]
) -> Outcome:
    """Compare what is there with what the undisturbed command leaves."""
    left, found = digests(command.data), look()
    differing = sorted(name for name, digest in reference.digests.items() if left.get(name) != digest)
    missing = sorted(reference.records - found)
    half_written = [path for path in command.data.rglob("*") if HALF_WRITTEN.search(path.name)]
    running = [record for record in found if record.startswith("RUNNING")]
    for problem in (differing, missing, half_written, running):
        if problem:
            tqdm.write(f"{command.name}: code {code}, {message!r}: {[str(name) for name in problem[:4]]}")
    return Outcome(code, message, not differing, not missing, len(running), len(half_written))


def report(title: str, outcomes: Iterator[Outcome]) -> None:
    """Print a row of the table."""
    done = list(tqdm(outcomes, title, leave=False))
    if not done:
        return
    cells = (
        len(done),
        sum(outcome.code in (0, 2) for outcome in done),
        sum(outcome.same_bytes for outcome in done),
        sum(outcome.same_records for outcome in done),
        sum(outcome.running for outcome in done),
        sum(outcome.half_written for outcome in done),
    )
    print(f"| {title} | {' | '.join(map(str, cells))} |", flush=True)


def digests(data: Path) -> dict[str, str]:
    """Return the digest of each file that is built, by its path; the digests of the code are not results."""
    files = [path for path in data.rglob("*") if path.is_file()]
    built = [path for path in files if not {"tracking", ".code"} & set(path.relative_to(data).parts)]
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in built}


def records(database: Path, latest_run: bool = False) -> set[str]:
    """Return what the store in a SQLite file has of its runs, or of the latest, and of its champions.

    What is new each time is left out: ids, times and speeds. The file is read without MLflow, which would
    keep it open.
    """
    if not database.exists():
        return set()
    with closing(sqlite3.connect(database)) as store:
        latest = "ORDER BY start_time DESC LIMIT 1" if latest_run else ""
        runs = store.execute(f"SELECT run_uuid, name || ' ' || status FROM runs {latest}").fetchall()
        found = {f"{name}: champion {title}" for name, title in store.execute(CHAMPIONS)}
        found |= {
            f"RUNNING: {name}" for (name,) in store.execute("SELECT name FROM runs WHERE status = 'RUNNING'")
        }
        for run, name in runs:
            found.add(name)
            found |= {f"{name} {key}={value}" for key, value in store.execute(RECORDED, (run, run, run))}
    return {record for record in found if not TIMES.search(record)}


def kill_session(session: int) -> None:
    """Kill every process of a session: the command, its stages, and those that record."""
    listed = subprocess.run(["ps", "-o", "pid=", "-s", str(session)], capture_output=True, text=True)
    for pid in map(int, listed.stdout.split()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def mounted(folder: Path) -> Iterator[Callable[[int], None] | None]:
    """Mount a disk in memory; give what sets its size, or None where that is not allowed."""
    folder.mkdir()

    def mount(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return not subprocess.run(command, capture_output=True).returncode

    if not (sys.platform == "linux" and mount(f"size={LARGE}")):
        yield None
        return

    def resize(size: int) -> None:
        deadline = time.monotonic() + 30  # a process that is ending may still hold files that are removed
        while not mount(f"remount,size={size}"):
            if time.monotonic() > deadline:
                sys.exit(f"a disk that holds {shutil.disk_usage(folder).used:,} bytes cannot have {size:,}")
            time.sleep(0.1)

    try:
        yield resize
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


if __name__ == "__main__":
    main(Words("drill", [KILLS, DISKS, SERVERS], sys.argv[1:]))

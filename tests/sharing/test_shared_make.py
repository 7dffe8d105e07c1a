"""Runs that several processes make, with rules in place of the graph's; and real cross-validations."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from pipeline.artifacts import CorpusFolder, RunFolder, lease_folder
from pipeline.errors import StageFailed
from pipeline.graph import inner_make
from pipeline.graph.inner_make import Goal
from pipeline.sharing import lease, shared_make
from pipeline.sharing.lease import Lease, Waiting
from pipeline.sharing.shared_make import _Turns, make_alone, make_runs, make_unless_taken
from tests.project import Project
from tests.sharing.test_lease import make_old, write_owner

ROOT = Path(__file__).resolve().parents[2]
RULES = """
$(RUN)/metrics.json:
\t@echo $@ >>made; sleep $${NAP:-0.3}; mkdir -p $(RUN); echo '{"criterion": "accuracy", "accuracy": 0.5}' >$@
$(CORPUS_DIR)/slow:
\t@echo begun >>made; sleep 0.5; mkdir -p $(CORPUS_DIR); touch $@
$(CORPUS_DIR)/lost:
\t@echo begun >>made; [ -e taken ] || sleep 60; mkdir -p $(CORPUS_DIR); touch $@
$(CORPUS_DIR)/fails:
\t@exit 2
"""
SHARE = """
import sys
from pathlib import Path
from pipeline.artifacts import RunFolder
from pipeline.graph import inner_make
from pipeline.sharing.shared_make import make_runs
inner_make.RULES = Path("rules.mk").resolve()
make_runs([RunFolder(Path.cwd() / path) for path in sys.argv[2:]], int(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.mk").write_text(RULES)
    monkeypatch.setattr(inner_make, "RULES", tmp_path / "rules.mk")
    monkeypatch.setattr(shared_make, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.01)
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    return tmp_path


def made(folder: Path) -> list[str]:
    return (folder / "made").read_text().split()


def test_processes_share_the_runs_and_each_says_all_scores(folder: Path) -> None:
    names = [f"build/folds/fold{number}/model" for number in range(6)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SHARE, jobs, *names],
            cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
        )
        for jobs in ("1", "2")
    ]  # fmt: skip
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert Counter(made(folder)) == Counter(f"{name}/metrics.json" for name in names)
    scores = [f"  fold{number}: accuracy 0.5000" for number in range(6)]
    assert [sorted(output.splitlines()) for output in outputs] == [scores, scores]


def test_an_interrupted_process_gives_its_runs_back_at_once_and_the_other_makes_them(folder: Path) -> None:
    names = [f"build/folds/fold{number}/model" for number in range(3)]

    def start(nap: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SHARE, "1", *names],
            cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT), "NAP": nap},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    interrupted = start("60")
    while not (folder / "made").exists():
        time.sleep(0.01)
    other = start("0.1")
    assert other.stdout and other.stdout.readline() == "  fold1: accuracy 0.5000\n"
    interrupted.send_signal(signal.SIGINT)
    assert other.communicate(timeout=30)[0] == "  fold2: accuracy 0.5000\n  fold0: accuracy 0.5000\n"
    assert interrupted.communicate(timeout=60)[0] == ""
    assert set(made(folder)) == {f"{name}/metrics.json" for name in names}


def test_a_run_of_a_machine_that_died_is_waited_for_and_made(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [RunFolder(folder / "build" / "folds" / name / "model") for name in ("one", "two")]
    file = write_owner(lease_folder(runs[0].corpus.path), 0)
    wait = Waiting.wait

    def wait_and_die(waiting: Waiting, lease: Lease) -> None:
        wait(waiting, lease)
        make_old(file, 1000)

    monkeypatch.setattr(Waiting, "wait", wait_and_die)
    make_runs(runs, 2)
    assert made(folder) == ["build/folds/two/model/metrics.json", "build/folds/one/model/metrics.json"]
    shown = capsys.readouterr()
    assert shown.err == "waiting for one: host-b (pid 123) has had it for 4 min\n"
    assert shown.out == "  two: accuracy 0.5000\n  one: accuracy 0.5000\n"


def test_a_run_that_is_lost_comes_again_only_after_its_make_has_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two makes of this process would write the same files, where the new owner is gone at once."""
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.01)
    run = RunFolder(folder / "build" / "folds" / "one" / "model")
    with ExitStack() as stack:
        turns = _Turns([Goal(run, (run.metrics,))], stack)
        goals = iter(turns)
        lost = next(goals)
        assert lost
        write_owner(lease_folder(run.corpus.path), 1000)
        deadline = time.monotonic() + 10
        while not lost.is_lost() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert next(goals) is None
        assert not turns.end(lost)
        while (again := next(goals)) is None:  # it is looked for once a second
            assert time.monotonic() < deadline
        assert again.targets == lost.targets
        assert turns.end(again)
        assert list(goals) == []


def test_after_a_failure_the_leases_are_free(folder: Path) -> None:
    corpus, run = CorpusFolder(folder / "build" / "corpus"), folder / "build" / "fold" / "model"
    run.parent.mkdir(parents=True)
    run.touch()  # where a folder is to be made
    with pytest.raises(StageFailed):
        make_alone(Goal(corpus, (corpus.path / "fails",)), "it")
    with pytest.raises(StageFailed):
        make_unless_taken(Goal(corpus, (corpus.path / "fails",)))
    with pytest.raises(StageFailed):
        make_runs([RunFolder(run)], 1)
    for path in (corpus.path, run.parent):
        free = Lease(lease_folder(path), "it")
        assert free.acquire()
        free.release()


def test_what_another_makes_is_not_made_beside_it(folder: Path) -> None:
    corpus = CorpusFolder(folder / "build" / "corpus")
    other = Lease(lease_folder(corpus.path), "it")
    assert other.acquire()
    make_unless_taken(Goal(corpus, (corpus.path / "slow",)))
    other.release()
    assert not (folder / "made").exists()
    make_unless_taken(Goal(corpus, (corpus.path / "slow",)))
    make_alone(Goal(corpus, (corpus.path / "slow",)), "it")
    assert made(folder) == ["begun"]


def test_a_make_that_is_lost_is_interrupted_and_the_result_is_the_new_owners(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a pause: the lease has grown old, and host-b has it, until that dies too."""
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.2)
    corpus = CorpusFolder(folder / "build" / "corpus")
    place = lease_folder(corpus.path)
    wait = Waiting.wait

    def wait_and_die(waiting: Waiting, lease: Lease) -> None:
        wait(waiting, lease)
        (folder / "taken").touch()
        make_old(place / "7", 1000)

    monkeypatch.setattr(Waiting, "wait", wait_and_die)

    def take_over() -> None:
        while not (folder / "made").exists():
            time.sleep(0.01)
        write_owner(place, 0)

    thread = threading.Thread(target=take_over)
    thread.start()
    make_alone(Goal(corpus, (corpus.path / "lost",)), "it")
    thread.join()
    assert made(folder) == ["begun", "begun"]
    assert capsys.readouterr().err.splitlines() == [
        "it was taken over by another process, as this process gave no sign of life for 2 min",
        "waiting for it: host-b (pid 123) has had it for 4 min",
    ]


class Shared:
    """Cross-validations over three folds of one corpus in one data folder."""

    def __init__(self, project: Project, data: Path) -> None:
        self.project, self.data = project, data
        project.write_reviews(data / "reviews.csv", 60)

    def start(self) -> subprocess.Popen[str]:
        words = [f"CORPUS={self.data / 'reviews.csv'}", "TEXT=review", "LABEL=stars", "MODEL=kim-rand"]
        words += ["FOLDS=3", "JOBS=1", f"SET={self.project.tiny(epochs=2)}"]
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", "crossval", *words],
            cwd=self.project.root, env=self.project.environment(self.data),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def runs(self) -> list[tuple[str, str, str | None]]:
        """Return the name, status and parent's id of each run, as MLflow has them."""
        query = """
            select coalesce(folder.value, 'parent'), status, parent.value from runs
            left join tags folder on folder.run_uuid = runs.run_uuid and folder.key = 'folder'
            left join tags parent on parent.run_uuid = runs.run_uuid and parent.key = 'mlflow.parentRunId'
        """
        with closing(sqlite3.connect(self.data / "tracking" / "mlflow.db")) as store:
            return sorted((Path(name).parent.name, *rest) for name, *rest in store.execute(query))

    def folds_of(self, process: subprocess.Popen[str]) -> list[Path]:
        """Return the folds that a process is at."""
        build, folds = self.data / "build", []
        for path in build.glob(".leases/*/folds*/*of03*/?"):
            with suppress(FileNotFoundError, ValueError):  # another's by now, or not written yet
                if json.loads(path.read_text())["pid"] == process.pid:
                    folds.append(build / path.parent.relative_to(build / ".leases"))
        return folds


@pytest.mark.slow
def test_two_cross_validations_of_one_data_folder_make_each_fold_once_and_end_alike(
    project: Project, tmp_path: Path
) -> None:
    shared = Shared(project, tmp_path)
    processes = [shared.start(), shared.start()]
    done = [(*process.communicate(timeout=600), process.returncode) for process in processes]
    for _, errors, code in done:
        assert code == 0, errors
        assert all(line.startswith("waiting for ") for line in errors.splitlines())
    ends = [out[out.index("\ncrossval: ") :] for out, _, _ in done]
    assert ends[0] == ends[1]
    assert len(list(tmp_path.glob("build/*/crossval/*/crossval.json"))) == 1
    parent, *folds = shared.runs()
    assert parent == ("", "FINISHED", None)
    assert None not in {parent for _, _, parent in folds}
    assert len({parent for _, _, parent in folds}) == 1
    assert [(name[-12:], status) for name, status, _ in folds] == [
        (f"0{number}of03-seed1", "FINISHED") for number in (1, 2, 3)
    ]


@pytest.mark.slow
def test_the_folds_of_a_killed_cross_validation_are_made_by_the_other(
    project: Project, tmp_path: Path
) -> None:
    shared = Shared(project, tmp_path)
    killed, other = shared.start(), shared.start()
    while not any((fold / "sequences.npz").exists() for fold in shared.folds_of(killed)):
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    out, errors = other.communicate(timeout=600)
    assert other.returncode == 0, errors
    assert out.count("accuracy 0.") == 3
    finished = [run for run in shared.runs() if run[1] == "FINISHED"]
    assert len(finished) == 4
    assert len({parent for _, _, parent in finished}) == 2  # the parent of three, and none of its own
    unfinished = [run for run in shared.runs() if run[1] != "FINISHED"]
    assert [(status, parent) for _, status, parent in unfinished] in ([], [("KILLED", None)])

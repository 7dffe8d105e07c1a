"""Studies that several processes share in a database: PostgreSQL, or SQLite where one process will do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import FloatDistribution

from pipeline.errors import InputError, StoreUnreachable
from pipeline.networks.search_space import Range
from pipeline.studies import shared_study
from pipeline.studies.search import OnEpoch, Search, Trial
from pipeline.studies.shared_study import SharedStudy
from tests.postgresql import PostgreSQL

ROOT = Path(__file__).resolve().parents[2]
SPACE = {"x": Range(0.0, 1.0)}
START = {"x": 0.125}
# One machine: it trains so many trials, each of which is a line, and then says what won.
MACHINE = """
import json, sys, time
from pipeline.networks.search_space import Range
from pipeline.studies import shared_study
from pipeline.studies.search import Search
shared_study.HEARTBEAT_SECONDS, shared_study.GRACE_SECONDS = 1, 3
address, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
shared = shared_study.SharedStudy(address, "c convtext-1234")
if sys.argv[4:]:
    print("joined", flush=True)
    sys.stdin.readline()
search = Search({"x": Range(0.0, 1.0)}, {"x": 0.125}, 1, shared)

def train(trial, on_epoch):
    print(json.dumps(["begun", trial.number, trial.settings["x"]]), flush=True)
    for epoch in (0.9, 1.0):
        time.sleep(seconds)
        if on_epoch(epoch * (1 - abs(trial.settings["x"] - 0.5))):
            return

for trial in search.run(train, 1000, count):
    print(json.dumps([trial.ending, trial.number, trial.settings["x"]]), flush=True)
shared.leave()
shared.wait_for_others()
search.refresh()
print(json.dumps(["won", search.best.number, [[trial.number, trial.scores] for trial in search.trials]]))
"""


def machine(address: str, trials: int, seconds: float, *wait: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MACHINE, address, str(trials), str(seconds), *wait],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def lines(process: subprocess.Popen[str]) -> list[list[Any]]:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert all(line.startswith("waiting for the search of ") for line in errors.splitlines()), errors
    return [json.loads(line) for line in out.splitlines()]


def near_a_half(trial: Trial, on_epoch: OnEpoch) -> None:
    on_epoch(1 - abs(trial.settings["x"] - 0.5))


def test_machines_share_a_study_each_trial_is_one_machines_and_all_have_one_winner(
    postgresql: PostgreSQL,
) -> None:
    """They begin at once, on an empty database: one that came when the others have ended would add to it."""
    address = postgresql.create("shared")
    machines = [machine(address, 8, 0.01, "wait"), machine(address, 8, 0.02, "wait")]
    for process in machines:
        assert process.stdout and process.stdout.readline() == "joined\n"
    for process in machines:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    said = [lines(process) for process in machines]
    assert said[0][-1] == said[1][-1]
    ended = [line for each in said for line in each if line[0] in ("finished", "pruned")]
    assert Counter(number for _, number, _ in ended) == Counter(range(16))
    assert [number for _, number, x in ended if x == 0.125] == [0]
    drawn = [[x for what, _, x in each if what == "begun" and x != 0.125][:4] for each in said]
    assert drawn[0] != drawn[1]  # each by a seed of its own
    _, best, trials = said[0][-1]
    top = max(scores[-1] for _, scores in trials)
    assert best == min(number for number, scores in trials if scores[-1] == top)


def test_the_trial_of_a_killed_machine_is_tried_again_by_another(postgresql: PostgreSQL) -> None:
    address = postgresql.create("killed")
    killed = machine(address, 1, 60)
    assert killed.stdout
    assert json.loads(killed.stdout.readline()) == ["begun", 0, 0.125]
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    said = lines(machine(address, 20, 0.3))
    again = [number for what, number, x in said if what in ("finished", "pruned") and x == 0.125]
    assert len(again) == 1
    assert again[0] > 0
    assert 0 not in dict(said[-1][2])


def test_a_server_that_accepts_and_says_nothing_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(shared_study.SILENCE, "connect_timeout", 2)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(InputError, match="STORAGE=postgresql://127.0.0.1:.*timeout"),
    ):
        SharedStudy(f"postgresql://me@127.0.0.1:{mute.getsockname()[1]}/db", "it")


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="a system that has no such limit")
def test_a_connection_notices_that_its_network_is_gone_unless_the_address_says_otherwise(
    postgresql: PostgreSQL,
) -> None:
    """The system ends it once nothing that was sent has arrived for so many milliseconds."""
    address, found = postgresql.create("silent"), []
    for options in ("", "?tcp_user_timeout=7000&keepalives_idle=77"):
        shared = SharedStudy(address + options, "it")
        with (
            shared._storage.engine.connect() as connection,
            socket.socket(fileno=os.dup(connection.connection.driver_connection.fileno())) as end,
        ):
            names = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            found.append([end.getsockopt(socket.IPPROTO_TCP, name) for name in names])
        shared.leave()
    assert found == [[20_000, 10, 5, 2], [7000, 77, 5, 2]]


def test_a_search_sits_out_a_restart_of_the_server(postgresql: PostgreSQL) -> None:
    address = postgresql.create("restarted")
    process = machine(address, 6, 0.2)
    assert process.stdout
    assert json.loads(process.stdout.readline())[0] == "begun"
    postgresql.stop()
    time.sleep(2)
    postgresql.start()
    assert [line[0] for line in lines(process)].count("begun") == 5


def test_a_database_that_cannot_be_used_is_one_line_without_the_password(postgresql: PostgreSQL) -> None:
    for address, expected in [
        (postgresql.address("postgres", "wr0ng"), "password authentication failed"),
        (postgresql.address("nothing"), 'database "nothing" does not exist'),
        ("postgresql://convtext:wr0ng@127.0.0.1:1/postgres", "refused"),
    ]:
        with pytest.raises(InputError, match=expected) as failure:
            SharedStudy(address, "it")
        assert str(failure.value).startswith("STORAGE=postgresql://127.0.0.1:")
        assert "wr0ng" not in str(failure.value)


def test_a_server_that_stays_away_ends_the_search_in_one_line(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_study, "OUTAGE_SECONDS", 0.5)
    shared = SharedStudy(postgresql.create("away"), "it")
    search = Search(SPACE, START, 1, shared)

    def train(trial: Trial, on_epoch: OnEpoch) -> None:
        if trial.number:
            postgresql.stop()
        near_a_half(trial, on_epoch)

    try:
        with pytest.raises(StoreUnreachable, match="the study in postgresql://127.0.0.1") as failure:
            list(search.run(train, 1000, 3))
        assert "se%2Fcr" not in str(failure.value)
        shared.leave()
    finally:
        postgresql.start()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("convtext:wr0ng@host/db", "STORAGE is no address: expected an address such as postgresql://"),
        ("redis://me:wr0ng@host", "STORAGE=redis://host: Can't load plugin.*expected an address such as"),
        ("mysql://me:wr0ng@host/db", "STORAGE=mysql://host/db: No module named 'MySQLdb'"),
        ("postgresql+pg8000://me:wr0ng@host/db", "No module named 'pg8000'; PostgreSQL's driver comes with"),
        ("postgresql://me:wr0ng@host:no/db", "STORAGE=postgresql://host:no/db: .*expected an address"),
    ],
)
def test_an_address_that_is_none_or_has_no_driver_is_refused_without_its_password(
    address: str, expected: str
) -> None:
    with pytest.raises(InputError, match=expected) as failure:
        SharedStudy(address, "it")
    assert "wr0ng" not in str(failure.value)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


def test_the_same_command_goes_on_with_the_study_and_another_name_is_another_study(address: str) -> None:
    for count in (3, 5):
        shared = SharedStudy(address, "it")
        search = Search(SPACE, START, 1, shared)
        list(search.run(near_a_half, 1000, count))
        shared.leave()
    assert [trial.number for trial in search.trials] == list(range(8))
    assert search.first
    assert search.first.number == 0
    other = SharedStudy(address, "another")
    search = Search(SPACE, START, 1, other)
    list(search.run(near_a_half, 1000, 2))
    assert len(search.trials) == 2
    other.leave()


def test_trials_and_pruning_are_those_of_all_machines(address: str) -> None:
    """Five finished trials make a median, of which this machine has none."""
    first = SharedStudy(address, "it")
    both = Search(SPACE, START, 1, first)

    def well(trial: Trial, on_epoch: OnEpoch) -> None:
        assert not any(on_epoch(score) for score in (0.8, 0.9, 1.0))

    list(both.run(well, 1000, 5))
    second = SharedStudy(address, "it")
    search = Search(SPACE, START, 1, second)
    (trial,) = search.run(lambda trial, on_epoch: bool(on_epoch(0.1) or on_epoch(0.1)), 1000, 1)
    assert (trial.number, trial.ending) == (5, "pruned")
    assert [(trial.number, trial.ending) for trial in search.trials][4:] == [(4, "finished"), (5, "pruned")]
    assert search.best
    assert search.best.number == 0
    first.leave()
    second.leave()


@pytest.mark.slow
def test_a_trial_that_another_machine_has_for_lost_is_lost_here_and_tried_often_but_not_for_ever(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a pause: the other machine is asked for its trials while this one trains."""
    monkeypatch.setattr(shared_study, "GRACE_SECONDS", 1)
    monkeypatch.setattr(shared_study, "HEARTBEAT_SECONDS", 1000)
    other = SharedStudy(address, "it")
    others, endings = Search(SPACE, START, 2, other), []
    for _ in range(shared_study.MAX_RETRIES + 1):
        this = SharedStudy(address, "it")
        search = Search(SPACE, START, 1, this)

        def pause(trial: Trial, on_epoch: OnEpoch) -> None:
            assert trial.settings == START
            time.sleep(2.1)
            other.call(shared_study.fail_stale_trials, others._study)
            assert on_epoch(1.0)

        endings += [trial.ending for trial in search.run(pause, 1000, 1)]
    assert endings == ["lost"] * 3
    (trial,) = others.run(near_a_half, 1000, 1)
    assert trial.settings != START


def test_an_outage_that_is_sat_out_makes_nobody_count_as_lost() -> None:
    """It is noticed after a silence, and ends with a connection that may take its time."""
    noticed = shared_study.SILENCE["tcp_user_timeout"] / 1000 + shared_study.SILENCE["connect_timeout"]
    outage = noticed + shared_study.OUTAGE_SECONDS
    assert outage + 2 * shared_study.HEARTBEAT_SECONDS < shared_study.GRACE_SECONDS


@pytest.mark.slow
def test_who_was_paused_until_it_counted_as_lost_is_waited_for_again_once_it_goes_on(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A trial may take more than one on a busy machine, and the database counts whole ones.
    monkeypatch.setattr(shared_study, "GRACE_SECONDS", 5)
    monkeypatch.setattr(shared_study, "HEARTBEAT_SECONDS", 1000)
    paused = SharedStudy(address, "it")
    search = Search(SPACE, START, 1, paused)
    time.sleep(6.1)
    other = SharedStudy(address, "it")
    other.leave()
    assert other._others() == []
    list(search.run(near_a_half, 1000, 1))
    assert other._others() == [f"{socket.gethostname()} (pid {os.getpid()})"]
    paused.leave()
    assert other._others() == []


@pytest.mark.slow
def test_a_trial_whose_machine_died_before_its_first_sign_of_life_is_tried_again(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start is one, of which a study has no second."""
    monkeypatch.setattr(shared_study, "GRACE_SECONDS", 1)
    dead = SharedStudy(address, "it")
    search = Search(SPACE, START, 1, dead)
    assert dead.ask(search._study, {"x": FloatDistribution(0.0, 1.0)}).params == START
    other = SharedStudy(address, "it")
    others = Search(SPACE, START, 2, other)

    def slowly(trial: Trial, on_epoch: OnEpoch) -> None:
        time.sleep(2.1)
        near_a_half(trial, on_epoch)

    trials = list(others.run(slowly, 1000, 2))
    assert [trial.settings == START for trial in trials] == [False, True]
    assert others.first
    dead.leave()
    other.leave()


def test_who_has_searched_waits_for_the_others_but_not_for_the_dead(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shared_study, "POLL_SECONDS", 0.05)
    one, other = SharedStudy(address, "it"), SharedStudy(address, "it")
    one.leave()
    leaving = threading.Timer(0.3, other.leave)
    leaving.start()
    one.wait_for_others()
    assert other._storage.get_trial(other._member).state.is_finished()
    leaving.join()
    assert capsys.readouterr().err.startswith("waiting for the search of ")
    monkeypatch.setattr(shared_study, "GRACE_SECONDS", 1)
    monkeypatch.setattr(shared_study, "HEARTBEAT_SECONDS", 1000)
    SharedStudy(address, "it")  # which gives no further sign of life
    last = SharedStudy(address, "it")
    last.leave()
    last.wait_for_others()

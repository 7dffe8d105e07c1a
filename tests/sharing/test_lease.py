from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.sharing import lease
from pipeline.sharing.lease import STALE_SECONDS, Lease, Owner

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from pipeline.sharing import lease
lease.HEARTBEAT_SECONDS = 0.05
held = lease.Lease(Path(sys.argv[1]), "fold 3")
print(held.acquire(), flush=True)
for line in sys.stdin:
    if line == "release\\n":
        held.release()
    else:
        held._heartbeat.join()
    print(held.is_lost(), flush=True)
"""
RACE = """
import sys
from pathlib import Path
from pipeline.sharing.lease import Lease
for line in sys.stdin:
    print(Lease(Path(line.rstrip()), "it").acquire(), flush=True)
"""
CROWD = """
import os, sys
from pathlib import Path
from pipeline.sharing.lease import Lease
folder, turns = Path(sys.argv[1]), 0
lease = Lease(folder / "lease", "it")
while turns < 60:
    if lease.acquire():
        (folder / "inside").touch(exist_ok=False)
        (folder / "inside").unlink()
        lease.release()
        turns += 1
"""


class Holder:
    """A process that has a lease, and does as it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def tell(self, line: str) -> str:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.answer()


@contextmanager
def started(code: str, *arguments: Path) -> Iterator[Holder]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            yield Holder(process)
        finally:
            process.kill()


@contextmanager
def taken(folder: Path) -> Iterator[Lease]:
    held = Lease(folder, "fold 3")
    assert held.acquire()
    try:
        yield held
    finally:
        held.release()


def write_owner(folder: Path, age: float, **changed: object) -> Path:
    """Write the lease of another machine's process, last alive so many seconds ago."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "7"
    owner = {"host": "host-b", "pid": 123, "place": "boot", "started": "9", "since": time.time() - 250}
    file.write_text(json.dumps(owner | changed))
    make_old(file, age)
    return file


def make_old(file: Path, seconds: float) -> None:
    touched = file.stat().st_mtime - seconds
    os.utime(file, (touched, touched))


def test_one_process_at_a_time_has_a_lease_and_says_who_it_is_in_json(tmp_path: Path) -> None:
    with started(HOLD, tmp_path) as other:
        assert other.answer() == "True"
        mine = Lease(tmp_path, "fold 3")
        assert not mine.acquire()
        owner = json.loads((tmp_path / "1").read_text())
        assert (owner["host"], owner["pid"]) == (socket.gethostname(), other.process.pid)
        assert mine.holder() == f"{socket.gethostname()} (pid {other.process.pid}) has had it for 0 s"
        assert other.tell("release") == "False"
        assert mine.acquire()
        mine.release()
    assert mine.holder() == ""
    assert [file.name for file in tmp_path.iterdir()] == ["2.free"]


def test_the_lease_of_a_killed_process_of_this_machine_is_free_at_once(tmp_path: Path) -> None:
    """Even if its parent has not asked yet how it ended."""
    with started(HOLD, tmp_path) as other:
        assert other.answer() == "True"
        other.process.kill()
        deadline = time.monotonic() + 10
        while not (is_free := Lease(tmp_path, "fold 3").acquire()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert is_free


def test_a_later_process_of_the_same_id_is_not_taken_for_the_owner(tmp_path: Path) -> None:
    this = Owner.this_process(0.0)
    write_owner(tmp_path / "alive", 0, **vars(this))
    assert not Lease(tmp_path / "alive", "it").acquire()
    if not this.started:
        pytest.skip("the system does not say when a process was started")
    write_owner(tmp_path / "gone", 0, **vars(this) | {"started": "1"})
    with taken(tmp_path / "gone"):
        pass


@pytest.mark.parametrize("skew", [-7200, 0, 7200])
def test_the_lease_of_another_machine_is_free_once_that_gave_no_sign_of_life_whatever_clocks_say(
    skew: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + skew)
    write_owner(tmp_path / "young", STALE_SECONDS - 20)
    assert not Lease(tmp_path / "young", "it").acquire()
    write_owner(tmp_path / "old", STALE_SECONDS + 1)
    with taken(tmp_path / "old"):
        assert [file.name for file in (tmp_path / "old").iterdir()] == ["8"]


@pytest.mark.parametrize("same", [{"host": socket.gethostname()}, {"place": Owner.this_process(0).place}])
def test_a_machine_of_the_same_name_or_a_container_of_the_same_boot_is_another(
    same: dict[str, str], tmp_path: Path
) -> None:
    """The process 123 may well be alive there."""
    write_owner(tmp_path, 0, **same)
    assert not Lease(tmp_path, "it").acquire()


@pytest.mark.parametrize("content", ["", "[]", "7", '{"host": "a"}', "\x00", '{"host": 1, "pid": "x"}'])
def test_an_owner_that_is_not_written_or_damaged_counts_as_alive_until_it_is_old(
    content: str, tmp_path: Path
) -> None:
    file = write_owner(tmp_path, 0)
    file.write_text(content)
    assert not Lease(tmp_path, "it").acquire()
    assert Lease(tmp_path, "it").holder() == ""
    make_old(file, STALE_SECONDS + 1)
    with taken(tmp_path):
        pass


def test_a_turn_that_cannot_be_read_counts_as_anothers_until_it_can(tmp_path: Path) -> None:
    """As on NFS, whose errors are several, where another process has just removed it."""
    unreadable = tmp_path / "7"
    unreadable.mkdir()
    assert not Lease(tmp_path, "it").acquire()
    assert Lease(tmp_path, "it").holder() == ""
    unreadable.rmdir()
    with taken(tmp_path):
        pass


def test_a_lease_that_cannot_be_given_back_hides_no_error_of_the_work(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Lease(tmp_path, "it").held():
        (tmp_path / "1.free").mkdir()
        raise ZeroDivisionError


def test_an_owner_keeps_its_lease_young(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.01)
    with taken(tmp_path) as held:
        make_old(tmp_path / "1", 3600)
        deadline = time.monotonic() + 10
        while time.time() - (tmp_path / "1").stat().st_mtime > 60 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not Lease(tmp_path, "it").acquire()
        assert not held.is_lost()


def test_an_owner_that_was_paused_learns_that_it_was_and_gives_back_nothing_of_anothers(
    tmp_path: Path,
) -> None:
    with started(HOLD, tmp_path) as other:
        assert other.answer() == "True"
        other.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, other.process.pid, os.WSTOPPED)
        make_old(tmp_path / "1", STALE_SECONDS + 1)
        with taken(tmp_path) as held:
            other.process.send_signal(signal.SIGCONT)
            assert other.tell("how is it") == "True"
            assert other.tell("release") == "True"
            assert not Lease(tmp_path, "it").acquire()
            assert not held.is_lost()
            assert [file.name for file in tmp_path.iterdir()] == ["2"]


def test_a_turn_that_was_over_while_a_process_looked_away_is_not_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saw the first turn free; the second came and went, and the third has begun."""
    with taken(tmp_path):
        pass
    slow, look = Lease(tmp_path, "it"), Lease._latest
    looks = iter([(1, True)])
    with taken(tmp_path):
        pass
    with taken(tmp_path):
        monkeypatch.setattr(Lease, "_latest", lambda self: next(looks, None) or look(self))
        assert not slow.acquire()
        monkeypatch.undo()
        assert [file.name for file in tmp_path.iterdir()] == ["3"]


def test_of_many_that_take_over_at_once_one_does(tmp_path: Path) -> None:
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    try:
        for number in range(40):
            folder = tmp_path / str(number)
            write_owner(folder, STALE_SECONDS + 1)
            for taker in takers:
                assert taker.stdin
                taker.stdin.write(f"{folder}\n")
            for taker in takers:
                assert taker.stdin
                taker.stdin.flush()
            answers = [taker.stdout.readline() for taker in takers if taker.stdout]
            assert sorted(answers) == ["False\n"] * 5 + ["True\n"]
    finally:
        for taker in takers:
            taker.communicate()


def test_in_a_crowd_there_is_never_more_than_one_inside(tmp_path: Path) -> None:
    crowd = [subprocess.Popen([sys.executable, "-c", CROWD, str(tmp_path)], cwd=ROOT) for _ in range(4)]
    assert [process.wait(120) for process in crowd] == [0] * 4
    assert [file.name for file in (tmp_path / "lease").iterdir()] == ["240.free"]


def test_who_waits_says_once_for_whom_and_goes_on_as_soon_as_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_owner(tmp_path, 0)
    polls = iter([lambda: None, lambda: make_old(file, STALE_SECONDS + 1)])
    monkeypatch.setattr(time, "sleep", lambda seconds: next(polls)())
    with Lease(tmp_path, "fold 3").held():
        pass
    assert capsys.readouterr().err == "waiting for fold 3: host-b (pid 123) has had it for 4 min\n"

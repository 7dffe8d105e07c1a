"""Leases: locks with an owner and an age, for processes of several machines over one shared folder.

A lease is a folder with a file for its latest turn: its name is the turn's number, its content the owner.
Whoever creates the file of the next turn has the lease, and the file system lets one process do so (O_EXCL,
which holds on NFS, too). The next turn may be taken once the latest is given back (`<number>.free`), or its
owner is gone: a process of this machine that is no more, or any that gave no sign of life for STALE_SECONDS.
No number comes twice, so a process that was paused for an hour takes, or gives back, nothing of another's.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread

from ..terminal import say, shorten

STALE_SECONDS = 120.0  # without a sign of life, after which an owner counts as gone
HEARTBEAT_SECONDS = 5.0
POLL_SECONDS = 1.0
_FREE = ".free"
_MAX_OWNER_BYTES = 4096


@dataclass(frozen=True)
class Owner:
    """A process that has a lease since a time of the folder's clock.

    `place` tells the processes that see each other by their ids: of one boot, and of one container. `started`
    tells a process from a later one of the same id. Both are "" where the system does not say (macOS).
    """

    host: str
    pid: int
    place: str
    started: str
    since: float

    @classmethod
    def this_process(cls, since: float) -> Owner:
        return cls(socket.gethostname(), os.getpid(), _place(), _started(os.getpid()), since)

    @classmethod
    def read(cls, text: bytes) -> Owner | None:
        """Return the owner that a file names; None if it is not written yet, or damaged."""
        try:
            owner = cls(**json.loads(text))
            return cls(
                str(owner.host), int(owner.pid), str(owner.place), str(owner.started), float(owner.since)
            )
        except (ValueError, TypeError, RecursionError, OverflowError):
            return None

    def is_gone(self) -> bool:
        """Return True for a process of this machine that is no more; of another's, nobody here knows."""
        if (self.host, self.place) != (socket.gethostname(), _place()):
            return False
        started = _started(self.pid)
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:  # another user has a process of this id, and may hide when it was started
            return bool(started) and started != self.started
        return started != self.started


def _place() -> str:
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return ""


def _started(pid: int) -> str:
    """Return when a process was started, in the system's ticks; "" if it has ended, or nobody says."""
    with suppress(OSError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if state in "ZX" else fields[18]
    return ""


class Lease:
    """The right to do one piece of work, `what`, which one process at a time has."""

    def __init__(self, folder: Path, what: str) -> None:
        self.what = what
        self._folder = folder
        self._file: Path | None = None  # of the turn that is this process's
        self._is_over, self._is_lost = Event(), Event()
        self._heartbeat = Thread()

    def acquire(self) -> bool:
        """Take the lease if nobody has it; return whether it was taken."""
        self._folder.mkdir(parents=True, exist_ok=True)
        latest, is_free = self._latest()
        if not is_free and not self._is_stale(self._folder / str(latest)):
            return False
        file = self._folder / str(latest + 1)
        try:
            with file.open("x", encoding="utf-8") as opened:
                json.dump(asdict(Owner.this_process(os.fstat(opened.fileno()).st_mtime)), opened)
        except FileExistsError:
            return False
        if self._latest() != (latest + 1, False):  # that turn was over already: its file had been removed
            file.unlink(missing_ok=True)
            return False
        self._remove_before(latest + 1)
        self._file = file
        self._is_over, self._is_lost = Event(), Event()
        self._heartbeat = Thread(target=self._beat, args=(latest + 1, file), daemon=True)
        self._heartbeat.start()
        return True

    def release(self) -> None:
        """Give the lease back. If it is another's by now, nothing changes.

        Where the file system does not answer, it is left to grow old: the block's own error is worth more.
        """
        if self._file:
            self._is_over.set()
            self._heartbeat.join()
            with suppress(OSError):
                self._file.rename(self._file.with_name(self._file.name + _FREE))
            self._file = None

    def is_lost(self) -> bool:
        """Return True once another process has taken the lease over, as this one gave no sign of life."""
        return self._is_lost.is_set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the lease as soon as nobody has it, and give it back after the block."""
        waiting = Waiting()
        while not self.acquire():
            waiting.wait(self)
        try:
            yield
        finally:
            self.release()

    def holder(self) -> str:
        """Return who has the lease and for how long; "" if nobody has, or that cannot be seen at present."""
        with suppress(OSError):
            latest, is_free = self._latest()
            owner, _ = _look(self._folder / str(latest))
            if owner and not is_free:
                who = f"{shorten(owner.host, 40)} (pid {owner.pid})"
                return f"{who} has had it for {_duration(self._now() - owner.since)}"
        return ""

    def _latest(self) -> tuple[int, bool]:
        """Return the number of the latest turn, and whether it is over; that of the first is 1."""
        names = [match for name in os.listdir(self._folder) if (match := _NAME.fullmatch(name))]
        latest = max((int(name[1]) for name in names), default=0)
        return latest, latest == 0 or any(name[2] and int(name[1]) == latest for name in names)

    def _is_stale(self, file: Path) -> bool:
        try:
            owner, touched = _look(file)
            return bool(owner and owner.is_gone()) or self._now() - touched > STALE_SECONDS
        except OSError:  # given back, or taken over, meanwhile (ESTALE on NFS): the next look will tell
            return False

    def _now(self) -> float:
        """Return the time by the folder's own clock: those of machines differ."""
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="now-") as file:
            return os.fstat(file.fileno()).st_mtime

    def _remove_before(self, latest: int) -> None:
        for name in os.listdir(self._folder):
            match = _NAME.fullmatch(name)
            if match and int(match[1]) < latest:
                (self._folder / name).unlink(missing_ok=True)

    def _beat(self, number: int, file: Path) -> None:
        """Keep the file young until the lease is given back, or was taken over."""
        while not self._is_over.wait(HEARTBEAT_SECONDS):
            try:
                os.utime(file)
                is_lost = self._latest()[0] != number
            except FileNotFoundError:
                is_lost = True
            except OSError:  # of a file system that does not answer at present
                continue
            if is_lost:
                self._is_lost.set()
                gone = f"this process gave no sign of life for {_duration(STALE_SECONDS)}"
                say(f"{self.what} was taken over by another process, as {gone}", sys.stderr)
                return


_NAME = re.compile(rf"([1-9]\d*)({re.escape(_FREE)})?")


def _look(file: Path) -> tuple[Owner | None, float]:
    """Return a turn's owner and its last sign of life, as they are once the file is open.

    Before, the client of a network file system may answer from what it remembers.
    """
    with file.open("rb") as opened:
        return Owner.read(opened.read(_MAX_OWNER_BYTES)), os.fstat(opened.fileno()).st_mtime


def _duration(seconds: float) -> str:
    minutes = max(0.0, seconds) / 60
    if minutes < 1:
        return f"{max(0.0, seconds):.0f} s"
    return f"{minutes:.0f} min" if minutes < 60 else f"{minutes / 60:.1f} h"


class Waiting:
    """Waits for others' leases, with a line for each that is waited for."""

    def __init__(self) -> None:
        self._told = ""

    def wait(self, lease: Lease) -> None:
        """Wait a moment for one that another has."""
        if lease.what != self._told and (holder := lease.holder()):
            self._told = lease.what
            say(f"waiting for {lease.what}: {holder}", sys.stderr)
        time.sleep(POLL_SECONDS)

"""What a command costs, and each stage that it runs: seconds, CPU time and memory, as /proc shows them.

The one place that knows how stages are told apart: by their processes, `... -m pipeline stage NAME FOLDER`,
and whatever those start. A server of stages, `... -m pipeline serve LISTENER NAME...`, works for that one of
its stages that runs, and without one for IMPORTS. The process that writes their runs is listed as WRITER. The
processes below the command are looked at every LOOK seconds. Linux only.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

LOOK = 0.01  # seconds; the shortest stages take 0.05
SERVER = "serve "
IMPORTS = "imports"  # which servers make while none of their stages runs
WRITER = "writer"
PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time, a second
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Cost(NamedTuple):
    """Of a command, or of a stage with all that it starts."""

    seconds: float  # of wall time; a stage's from the first to the last look that shows its process
    cpu_seconds: float  # user and system; of processes that live for less than LOOK seconds, none
    peak_mb: float  # the most that its processes had in memory at once; what they share counts for each


class Measured(NamedTuple):
    whole: Cost
    stages: dict[str, Cost]  # by name, in the order in which they began
    output: str


class Unfinished(Exception):
    """A command that failed, or was ended, as it took too long or too much memory: why, in a few words."""

    def __init__(self, why: str, output: str = "") -> None:
        super().__init__(why)
        self.output = output  # what it said


def measure(
    command: list[str],
    environment: Mapping[str, str] | None = None,
    max_seconds: float = float("inf"),
    max_mb: float = float("inf"),
) -> Measured:
    """Run a command to its end. Raises Unfinished where it fails, or takes more than a limit."""
    with TemporaryFile() as output, TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=errors)
        stages = StageCosts(process.pid)
        try:
            while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
                stages.look()
                if time.perf_counter() - began > max_seconds:
                    raise Unfinished(f"over {max_seconds:,.0f} s")
                if stages.whole.peak_mb > max_mb:
                    raise Unfinished(f"over {max_mb:,.0f} MB")
                time.sleep(LOOK)
        except BaseException as error:
            # Convtext clears up at SIGTERM; an opponent that is over a limit may have no memory to do so.
            process.kill() if isinstance(error, Unfinished) else process.terminate()
            process.wait()
            raise
        seconds = time.perf_counter() - began
        _, status, usage = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        said, complaint = (_read(file) for file in (output, errors))
    if process.returncode:
        raise Unfinished(f"ended with code {process.returncode}", said + complaint)
    # The system counts to the last moment, but not what the command has left running.
    cpu_seconds = max(usage.ru_utime + usage.ru_stime, stages.whole.cost().cpu_seconds)
    return Measured(Cost(seconds, cpu_seconds, stages.whole.peak_mb), stages.by_name(), said)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


class _Process(NamedTuple):
    """What one look shows of a process."""

    parent: int
    began: int  # ticks; a number may be given again, but not at the same time
    cpu_seconds: float
    mb: float
    peak_mb: float


Key = tuple[int, int]  # of a process: its number and its begin


class _Seen:
    """What was seen of a stage, or of the whole command, so far."""

    def __init__(self) -> None:
        self.first = self.last = time.perf_counter()
        self.peak_mb = 0.0
        self.cpu_seconds: defaultdict[Key, float] = defaultdict(float)

    def add_memory(self, processes: Iterable[_Process]) -> None:
        """Take in the processes that there are now."""
        processes = list(processes)
        at_once = sum(process.mb for process in processes)
        # Between two looks one process may have had more than all of them have now.
        self.peak_mb = max(self.peak_mb, at_once, *(process.peak_mb for process in processes))

    def cost(self) -> Cost:
        return Cost(self.last - self.first, sum(self.cpu_seconds.values()), self.peak_mb)


class StageCosts:
    """The costs of the stages below a process, and of all processes together."""

    def __init__(self, pid: int) -> None:
        self.whole = _Seen()
        self._stage_of = {pid: ""}  # of each process below it; "" for what is of no stage
        self._strangers: set[int] = set()  # that are not below it, and never will be
        self._stages: dict[str, _Seen] = {}

    def look(self) -> None:
        """See which processes there are now."""
        members: defaultdict[str, dict[Key, _Process]] = defaultdict(dict)
        for pid in self._pids():
            with suppress(OSError, ValueError, IndexError):  # it has ended meanwhile
                process = _process(pid)
                if pid not in self._stage_of and process.parent not in self._stage_of:
                    self._strangers.add(pid)
                    continue
                members[self._stage(pid, process.parent)][pid, process.began] = process
        running = set(members)
        for name, processes in members.items():
            if name.startswith(SERVER):
                served = name.removeprefix(SERVER).split()
                self._add_served(next((stage for stage in served if stage in running), IMPORTS), processes)
            elif name:
                seen = self._stages[name]
                seen.add_memory(processes.values())
                seen.cpu_seconds |= {key: process.cpu_seconds for key, process in processes.items()}
        everything = {key: each for processes in members.values() for key, each in processes.items()}
        if everything:
            self.whole.add_memory(everything.values())
            self.whole.cpu_seconds |= {key: process.cpu_seconds for key, process in everything.items()}

    def _add_served(self, name: str, processes: dict[Key, _Process]) -> None:
        """Take in what a server and its processes have done for a stage since the look before."""
        seen = self._stages.setdefault(name, _Seen())
        seen.add_memory(processes.values())
        for key, process in processes.items():
            seen.cpu_seconds[key] += process.cpu_seconds - self.whole.cpu_seconds[key]
        if name == IMPORTS:
            seen.last = time.perf_counter()

    def by_name(self) -> dict[str, Cost]:
        return {name: seen.cost() for name, seen in self._stages.items()}

    def _pids(self) -> list[int]:
        """Return the processes that may be below it, a parent, as a rule, before what it starts."""
        pids = {int(name) for name in os.listdir(PROC) if name.isdecimal()}
        self._strangers &= pids  # as numbers are given again
        self._stage_of = {pid: name for pid, name in self._stage_of.items() if pid in pids}
        return sorted(pids - self._strangers)

    def _stage(self, pid: int, parent: int) -> str:
        """Return the stage of a process, or its server.

        The process that `make` has started for a stage says how long the stage takes. It is a shell, which
        becomes Python, so that its name may come at a later look. What it starts may outlive it, without the
        user waiting for that.
        """
        own = _stage_name(pid)
        if own and not own.startswith(SERVER):
            self._stages.setdefault(own, _Seen()).last = time.perf_counter()
        name = own or self._stage_of.get(pid) or self._stage_of.get(parent, "")
        self._stage_of[pid] = name
        return name


def _process(pid: int) -> _Process:
    # The name, in parentheses, may hold blanks; what follows it are the fields from 3 in proc(5).
    fields = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    status = (PROC / str(pid) / "status").read_bytes()
    peak_kb = int(status.partition(b"VmHWM:")[2].split(maxsplit=1)[0]) if b"VmHWM:" in status else 0
    cpu_seconds = (int(fields[11]) + int(fields[12])) / TICKS  # user and system
    return _Process(int(fields[1]), int(fields[19]), cpu_seconds, int(fields[21]) * PAGE_MB, peak_kb / 2**10)


def _stage_name(pid: int) -> str:
    """Return the stage that a process was started for, SERVER and a server's stages, WRITER, or nothing."""
    words = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    for place, verb in enumerate(words):
        match verb, words[place + 1 :]:
            case "stage", [name, *_]:
                return name
            case "serve", [_, *stages]:
                return SERVER + " ".join(stages)
            case "write-runs", [_]:
                return WRITER
    return ""

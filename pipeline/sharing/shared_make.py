"""The make of goals that several processes reach together: each is made by one, while the others go on."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ..artifacts import RunFolder, lease_folder
from ..environment.cores import ONE_THREAD
from ..graph.inner_make import Goal, make, make_side_by_side
from ..options import CRITERIA, Criterion
from ..reading import read_json
from ..terminal import say
from .lease import POLL_SECONDS, Lease, Waiting


def make_alone(goal: Goal, what: str, jobs: int = 1) -> dict[str, float]:
    """Make a goal as `make` does, once no other process makes files of the same folder.

    `what` is what the line calls it that says who is waited for. Where another process has made all, nothing
    is left to do.
    """
    lease = Lease(lease_folder(goal.folder.path), what)
    while True:
        with lease.held():
            seconds = make(replace(goal, is_lost=lease.is_lost), jobs)
            if not lease.is_lost():
                return seconds


def make_unless_taken(goal: Goal) -> None:
    """Make a goal as `make` does, unless another process makes files of the same folder."""
    lease = Lease(lease_folder(goal.folder.path), goal.folder.path.name)
    if lease.acquire():
        try:
            make(goal)
        finally:
            lease.release()


def make_runs(runs: Sequence[RunFolder], jobs: int) -> None:
    """Make the result of each run, so many at once, and print its score by the criterion as it comes.

    Other processes may make the same runs: each takes the next that nobody makes, and waits for the rest. The
    stages' own lines are held back. Raises as `make_side_by_side` does.
    """
    remedy = "; JOBS=1 needs less, as one training at a time runs" if jobs > 1 else ""
    goals = [Goal(run, (run.metrics,), ONE_THREAD) for run in runs]
    with ExitStack() as stack:
        turns = _Turns(goals, stack)
        for goal in make_side_by_side(turns, jobs, remedy=remedy, output=subprocess.DEVNULL):
            if not turns.end(goal):
                continue
            path = Path(goal.targets[0])
            metrics = read_json(path)
            criterion: Criterion = metrics["criterion"]
            say(f"  {path.parents[1].name}: {CRITERIA[criterion]} {metrics[criterion]:.4f}")


class _Turns:
    """The runs that are still to be made, of which each comes once nobody else makes it.

    A run's lease is that of its fold or subset, as other models' runs make the same files there. Whether it
    has been made is only looked at by who has the lease: a network file system may be late in showing it.
    """

    def __init__(self, goals: Sequence[Goal], stack: ExitStack) -> None:
        """Take the goals, and the stack that gives back the leases of those that are not ended."""
        self._waiting = [(goal, _lease(goal)) for goal in goals]
        self._running: dict[tuple[Path | str, ...], tuple[Goal, Lease]] = {}
        stack.callback(self._end_all)

    def __iter__(self) -> Iterator[Goal | None]:
        waiting, looked = Waiting(), float("-inf")
        while self._waiting or self._running:
            goal = None
            if time.monotonic() - looked >= POLL_SECONDS:
                goal = self._take()
                looked = looked if goal else time.monotonic()
            if not goal and not self._running:
                _, lease = self._waiting[0]
                waiting.wait(lease)
            yield goal

    def end(self, goal: Goal) -> bool:
        """Give back the lease of a goal that no stage is at any more; return whether it is made.

        One that another process has taken over is waited for anew, with a lease of its own.
        """
        _, lease = self._running.pop(goal.targets)
        lease.release()
        if lease.is_lost():
            self._waiting.append((goal, _lease(goal)))
        return not lease.is_lost()

    def _take(self) -> Goal | None:
        for entry in self._waiting:
            goal, lease = entry
            if lease.acquire():
                self._waiting.remove(entry)
                self._running[goal.targets] = entry
                return replace(goal, is_lost=lease.is_lost)
        return None

    def _end_all(self) -> None:
        for goal, _ in list(self._running.values()):
            self.end(goal)


def _lease(goal: Goal) -> Lease:
    fold = goal.folder.path.parent
    return Lease(lease_folder(fold), fold.name)

"""The winner of a search and its start, each trained again with the same new seeds, and compared in pairs.

The best of many trials beats one run of the start by luck alone: the best of 20 that are no better by 2.7
points on 300 rows and 1.5 on 1,000. Over new seeds 0.4 and 0.2 remain, as the rows are still those by which
the search, and each epoch, was chosen (`tests/benchmarks/tuning_luck.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from ..arrays import Doubles, Labels
from ..errors import is_interrupt
from ..measures.row_values import row_values
from ..options import CRITERIA, Criterion
from .search import Clock, fault_of
from .settings import Settings
from .t_tests import Difference, over_rows

BUDGET_SHARE = 0.4  # of a search's budget
MAX_PAIRS = 5
MIN_PAIRS = 2  # one has no spread
NO_TIME = "there was no time for two pairs of runs"

IsOver = Callable[[], bool]  # asked after each epoch
Training = Callable[[str, Settings, int, IsOver], Labels]  # the title, settings and seed to train with


class Confirmation:
    """Pairs of runs, winner and start, that only share a seed; `truth` are the validation rows' labels."""

    def __init__(self, truth: Labels, criterion: Criterion) -> None:
        self._cause = "it was interrupted"  # of its end, as long as there was no other
        self._truth, self._criterion = truth, criterion
        self._differences: list[Doubles] = []  # of each row's contribution to the score, a seed each

    @property
    def pairs(self) -> int:
        return len(self._differences)

    @property
    def difference(self) -> Difference | None:
        """The winner's score minus the start's, with its interval over rows and seeds; None of few pairs."""
        return over_rows(np.stack(self._differences)) if self.pairs >= MIN_PAIRS else None

    def run(
        self,
        train: Training,
        winner: Settings,
        start: Settings,
        seed: int,
        budget: float,
        expected: float,
        clock: Clock = time.monotonic,
    ) -> Iterator[int]:
        """Yield the seeds, those that follow `seed`, as their pairs end, within `budget` seconds.

        `train` returns the labels that what it trained gives the validation rows, int64 [rows]; once the
        budget is spent, it is told so and the pair is dropped. A pair is not begun if it would exceed the
        budget by taking as long as the one before; the first is `expected` to take so many seconds.
        An error ends the comparison and is noted, unless it is an interrupt.
        """
        deadline = clock() + budget

        def is_over() -> bool:
            return clock() > deadline

        for number in range(1, MAX_PAIRS + 1):
            began = clock()
            if began + expected > deadline:
                self._cause = NO_TIME
                return
            try:
                labels = [
                    train(title, settings, seed + number, is_over)
                    for title, settings in (("winner", winner), ("start", start))
                ]
            except Exception as error:
                if is_interrupt(error):
                    raise
                self._cause = f"a run failed: {fault_of(error)}"
                return
            if is_over():
                self._cause = NO_TIME
                return
            winners, starts = (row_values(self._truth, predicted, self._criterion) for predicted in labels)
            self._differences.append(winners - starts)
            expected = clock() - began
            yield seed + number

    def verdict(self, start: str) -> str:
        """Return what the pairs show, in a sentence without its end; `start` is the name of that model."""
        if (difference := self.difference) is None:
            return f"not compared with {start} over new seeds, as {self._cause}"
        points, low, high = (100 * value for value in (difference.mean, difference.low, difference.high))
        relation, consequence = "no better", ": nothing to change"
        if difference.is_significant:
            relation, consequence = ("better", "") if difference.mean > 0 else ("worse", consequence)
        return (
            f"{relation} than {start} over {self.pairs} new seeds, {points:+.1f} points of "
            f"{CRITERIA[self._criterion]} [{low:+.1f}, {high:+.1f}]{consequence}"
        )

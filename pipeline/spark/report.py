"""What jobs have labelled, counted in their tasks and told by the driver."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyspark.accumulators import AccumulatorParam

from ..errors import InputError
from ..prediction.labeller import LabelCounts, Labeller
from ..tables.rejects import Rejects


@dataclass
class RowCounts:
    """Counts of rows: those labelled, those with texts that were not UTF-8, and those that cannot be read."""

    labelled: LabelCounts
    mended: int = 0
    rejects: Rejects = field(default_factory=Rejects)

    def add(self, other: RowCounts) -> None:
        """Add the counts of other rows."""
        self.labelled.add(other.labelled)
        self.mended += other.mended
        self.rejects.update(other.rejects)


class _Sum(AccumulatorParam[RowCounts]):  # type: ignore[misc]  # pyspark is not imported by mypy
    def zero(self, value: RowCounts) -> RowCounts:
        return RowCounts(LabelCounts.zero(len(value.labelled.classes)))

    def addInPlace(self, value1: RowCounts, value2: RowCounts) -> RowCounts:
        value1.add(value2)
        return value1


class Report:
    """The rows that jobs on one labelled data frame have labelled, to be read when they are done.

    Each job on the frame counts its rows anew. Where nothing that shuffles rows (`orderBy`, `repartition`, a
    join) stands between `label` and the writer, a row counts once, even if its task has to run again.
    """

    def __init__(self) -> None:
        self._labeller: Labeller | None = None
        self._accumulator: Any = None

    def start(self, session: Any, labeller: Labeller) -> Any:
        """Return the accumulator for the tasks' `RowCounts`.

        Raises InputError for a report that is in use, and where Spark has no accumulators.
        """
        if self._labeller:
            raise InputError("the report counts another data frame: make one for each")
        try:
            context = session.sparkContext
        except Exception as error:  # of a kind that differs by version
            raise InputError("Spark Connect has no accumulators: leave the report out") from error
        self._labeller = labeller
        classes = len(labeller.classifier.labels)
        self._accumulator = context.accumulator(RowCounts(LabelCounts.zero(classes)), _Sum())
        return self._accumulator

    @property
    def rows(self) -> int:
        """The rows that were labelled."""
        return self._counts.labelled.rows

    @property
    def rejected(self) -> int:
        """The rows that could not be read: see `rejects`."""
        return self._counts.rejects.total

    @property
    def _counts(self) -> RowCounts:
        if self._accumulator is None:
            raise InputError("the report counts nothing: give it to `label` as `report=`")
        counts: RowCounts = self._accumulator.value
        return counts

    def lines(self) -> list[str]:
        """Return lines as `predict` prints them, with what is unlike the validation part."""
        counts = self._counts
        assert self._labeller
        lines = self._labeller.lines_on_rows(counts.labelled)
        if counts.mended:
            lines.append(f"  texts with invalid UTF-8, replaced by U+FFFD: {counts.mended:,}")
        if counts.rejects.total:
            lines.append(f"  rows that could not be read: {counts.rejects.total:,}")
            lines += counts.rejects.lines()
        return lines + self._labeller.lines_on_drift(counts.labelled)

    def __str__(self) -> str:
        return "\n".join([f"{self.rows:,} rows labelled", *self.lines()])


def reject_counts(problems: list[str]) -> Rejects:
    """Return the counts of rows by the kind of their problem, but for those without, which have ""."""
    rejects = Rejects()
    for problem in filter(None, problems):
        rejects.add(problem, 0)
    return rejects

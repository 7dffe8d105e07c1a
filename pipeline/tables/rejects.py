"""Rows that are set aside: their reasons, counted, and the share of the rows that they may be."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..delimited.faults import kind_of, option_of
from ..errors import InputError
from ..stores.remote_file import Location
from ..terminal import TERMINAL_WIDTH, shorten

KINDS_SHOWN = 4


class _Kind(NamedTuple):
    rows: int
    line: int  # of the first
    reason: str  # of the first


class Rejects:
    """Counts of the rows that are set aside, by the kind of their reason."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def add(self, reason: str, line: int, rows: int = 1) -> None:
        """Count rows; `line` is that of the first of them."""
        kind = kind_of(reason)
        before = self._kinds.get(kind, _Kind(0, line, reason))
        self._kinds[kind] = before._replace(rows=before.rows + rows)

    def update(self, other: Rejects) -> None:
        """Add the rows that another has counted."""
        for kind in other._kinds.values():
            self.add(kind.reason, kind.line, kind.rows)

    @property
    def total(self) -> int:
        """All rows that were counted."""
        return sum(kind.rows for kind in self._kinds.values())

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes equal counts."""
        return dict(self._kinds)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Rejects:
        """Make counts of what `to_json` gave."""
        rejects = cls()
        rejects._kinds = {kind: _Kind(*counts) for kind, counts in values.items()}
        return rejects

    def lines(self, indent: str = "    ") -> list[str]:
        """Return a line for each kind of reason and its rows, the most frequent first."""
        ordered = sorted(self._kinds.items(), key=lambda item: -item[1].rows)
        shown = [(name, kind.rows) for name, kind in ordered[:KINDS_SHOWN]]
        if rest := sum(kind.rows for _, kind in ordered[KINDS_SHOWN:]):
            shown.append(("other reasons", rest))
        width = TERMINAL_WIDTH - len(indent)
        return [indent + shorten(f"{name}: {rows:,}", width) for name, rows in shown]

    def check_unreadable(self, rows: int, allowed: float, file: str, listed: Location | None) -> None:
        """Raise InputError if more than a share of `rows` cannot be read; `listed` is the list of them.

        The option is the one that mends the commonest fault, if there is one, else the share's.
        """
        if self._share(rows) <= allowed:
            return
        option = option_of(self._commonest.reason)
        remedy = {
            "source.encoding": "mend them, or, if the file is in another encoding, give that",
            "source.quoting": "mend them, or, if a quote is a character like others in this file, say so",
        }.get(option) or f"mend them, or allow a share of {self._offered(rows)}"
        message = self._beyond(rows, allowed, file, listed, "cannot be read")
        raise InputError(f"{message}: {remedy}", option=option or "source.unreadable_rows")

    def check_blank(
        self, rows: int, allowed: float, file: str, listed: Location | None, columns: str
    ) -> None:
        """Raise InputError if more than a share of `rows` lack a text or a label, or if all of them do.

        `columns` says in which columns they were expected.
        """
        if not self.total or (self._share(rows) <= allowed and self.total < rows):
            return
        first = self._commonest
        if self.total == rows:
            raise InputError(
                f"{file}, line {first.line}: {first.reason}, and so in all {rows:,} rows: check {columns}",
                option="source.time" if first.reason.startswith("no time") else "source.text",
            )
        message = self._beyond(rows, allowed, file, listed, "have no text or no label")
        remedy = f"mend them, or allow a share of {self._offered(rows)}"
        raise InputError(f"{message}: {remedy}", option="source.blank_rows")

    def _share(self, rows: int) -> float:
        """Return the share of `rows`: 29 of 100 are within 0.29, where 0.29 * 100 is less than 29."""
        return self.total / rows if rows else 0.0

    @property
    def _commonest(self) -> _Kind:
        return max(self._kinds.values(), key=lambda kind: kind.rows)

    def _beyond(self, rows: int, allowed: float, file: str, listed: Location | None, what: str) -> str:
        count, first = f"{self.total:,} of {rows:,} rows ({self._share(rows):.2%})", self._commonest
        where = f" (all are listed in {listed})" if listed else ""
        return (
            f"{file}: {count} {what} where {100 * allowed:.4g}% are allowed, most often as in line "
            f"{first.line}: {first.reason}{where}"
        )

    def _offered(self, rows: int) -> float:
        """Return a share, in hundredths, within which the rows are."""
        return min(0.999, (int(self._share(rows) * 100) + 1) / 100)

"""What every table of rows has, whatever the kind of its file: by this, rows are read and written again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..arrays import Bytes, Offsets
from ..delimited.faults import BadRow
from ..delimited.records import Place
from ..errors import InputError
from .columns import Column

if TYPE_CHECKING:
    import pyarrow as pa


class Batch(NamedTuple):
    """Some rows of a table, n of them: text i is `data[texts[i, 0]:texts[i, 1]]`, in UTF-8."""

    data: Bytes
    texts: Offsets  # [n, 2]
    lines: Offsets  # [n, 2]: the first and the last line of each row, or twice its number, from 1
    rows: Any  # what they were read from: a Block, a pyarrow table, or a list of `row_table.Row`
    bad: list[BadRow]  # rows between them that cannot be read
    place: Place  # where the next batch begins
    read: int  # bytes of the file that were consumed


def named_columns(given: str, header: Sequence[str]) -> list[str]:
    """Return the columns that a text such as `title,body` names: the one of that very name, or several.

    Raises InputError if one is named twice.
    """
    if given in header:
        return [given]
    names = [name for name in map(str.strip, given.split(",")) if name] or [given]
    if repeated := [name for place, name in enumerate(names) if name in names[:place]]:
        raise InputError(f"column '{repeated[0]}' is named twice in '{given}'", option="source.text")
    return names


class Table(Protocol):
    """A table of rows with a header, open for one pass."""

    @property
    def name(self) -> str: ...
    @property
    def header(self) -> list[str]: ...
    @property
    def harmless(self) -> bool:
        """True if no cell that is written may begin like a spreadsheet's formula."""
        ...

    @property
    def bytes_total(self) -> int:
        """The size of the file, 0 where it is not known."""
        ...

    def column(self, name: str, option: str) -> int:
        """Return the position of a column. Raises InputError, with the option that names it, without one."""
        ...

    def select_columns(self, names: Sequence[str]) -> None:
        """Have batches take the texts from these columns, with a BOUNDARY between those of several.

        Raises InputError if one is missing or holds none.
        """
        ...

    def batches(self, place: Place | None = None) -> Iterator[Batch]:
        """Yield the rows, from the place on at which an earlier pass stopped."""
        ...

    def values(self, batch: Batch) -> Iterator[list[str]]:
        """Yield the fields of each row of a batch; one that is missing is empty."""
        ...

    def without(self, batch: Batch, problems: list[str]) -> Batch:
        """Return the batch with those rows that have a problem, not "", moved to the bad ones."""
        ...

    def csv_header(self, added: Sequence[str]) -> bytes:
        """Return what stands in a CSV above its rows: the names of the columns, and those added."""
        ...

    def to_json(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        """Return the batch's rows as lines of a JSON object each, with the cells of the columns."""
        ...

    def to_cells(self, batch: Batch, columns: Sequence[Column]) -> list[list[Any]]:
        """Return the batch's rows as values for a sheet, each followed by its cells of the columns."""
        ...

    def to_csv(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        """Return the batch's rows as lines of CSV, each followed by its cells of the columns."""
        ...

    def to_arrow(self, batch: Batch, columns: Sequence[Column]) -> pa.Table:
        """Return the batch's rows with the columns as a pyarrow table."""
        ...

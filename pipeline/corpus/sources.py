"""The labelled texts of a corpus's files, with file and line, and the checks on them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..delimited.faults import BadRow
from ..delimited.layout import Layout
from ..errors import InputError
from ..inputs import BOUNDARY
from ..labels.classes import Classes
from ..labels.spelling import clean_label
from ..options import Source
from ..progress import Bar
from ..tables.formats import open_table
from ..tables.rejects import Rejects
from ..tables.table import named_columns
from .times import parse_times

_VISIBLE = re.compile(r"[^\s\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


class Example(NamedTuple):
    """A labelled text as it stands in its file; `label` is the name shown.

    `group` and `time` are what the columns of `source.group` and `source.time` have, "" without them; `order`
    is the time as a number (see `times`).
    """

    file: str
    line: int
    text: str
    label: str
    group: str = ""
    time: str = ""
    order: float = 0.0


class Rejected(NamedTuple):
    """A row set aside, with its first and last physical line."""

    file: str
    line: int
    last_line: int
    reason: str

    @property
    def is_blank(self) -> bool:
        """True if the row was read, and has no text, no label or no time."""
        return self.reason.startswith(("no text", "no label", "no time"))

    @property
    def rows(self) -> int:
        """How many it counts for: one if it was read, else its lines, as of a quote that is never closed."""
        return 1 if self.is_blank else self.last_line - self.line + 1

    @property
    def has_no_text(self) -> bool:
        """True if the text was missing, with or without the label."""
        return self.reason.startswith("no text")


class _Raw(NamedTuple):
    line: int
    last_line: int
    text: str
    label: str
    group: str = ""
    time: str = ""


class _File(NamedTuple):
    """What a file holds, and the columns that its texts are of."""

    rows: list[_Raw | BadRow]
    text_columns: list[str]


class Part(NamedTuple):
    """The rows of a file, those set aside, and the columns whose texts are joined to one, if several."""

    examples: list[Example]
    rejected: list[Rejected]
    text_columns: list[str]


def read_part(path: Path, source: Source, is_official: bool = False) -> Part:
    """Return the rows of one file of format "csv" or "lines", and those set aside.

    These cannot be read, or have no text, no label or, where `source.time` orders the rows, no time that can
    be read. Texts are kept as they are, those of several columns with a BOUNDARY between them; groups lose
    the blanks around them, labels all from `source.label_until` on, and what cannot be seen (see
    `clean_label`). `check_rejected` checks that not too many rows were set aside, once the caller has listed
    them.

    A file that is an official part is not split: it may have no column of groups, and times are not read.

    Raises InputError for a file that cannot be read, a label that `source.labels` does not know, times that
    are ambiguous, and a file without rows.
    """
    file = str(path)
    source = source.model_copy(update={"time": None}) if is_official else source
    raw: list[_Raw] = []
    rejected: list[Rejected] = []
    read = _READERS[source.format](path, source, is_official)
    for found in read.rows:
        if isinstance(found, BadRow):
            rejected.append(Rejected(file, found.first_line, found.last_line, found.reason))
        else:
            raw.append(found)
    moments: Iterable[float] = itertools.repeat(0.0, len(raw))
    if source.time:
        moments = parse_times([row.time for row in raw], source.time).tolist()
    examples: list[Example] = []
    names: dict[str, str] = {}  # one string for all rows of a label, as millions of their own fill the memory
    raw.reverse()
    for moment in moments:
        row = raw.pop()
        label = row.label.partition(source.label_until)[0] if source.label_until else row.label
        label = clean_label(label)
        given = {"text": row.text, "label": label}
        missing = [name for name, value in given.items() if not _VISIBLE.search(value)]
        if math.isnan(moment):
            missing.append("time" if not _VISIBLE.search(row.time) else f"time in '{row.time[:40]}'")
        if missing:
            rejected.append(Rejected(file, row.line, row.last_line, f"no {' and no '.join(missing)}"))
        else:
            shown = displayed_label(label, source, f"{file}, line {row.line}")
            shown = names.setdefault(shown, shown)
            examples.append(Example(file, row.line, row.text, shown, row.group.strip(), row.time, moment))
    if not examples and not rejected:
        expected = "labelled texts were expected" + (" below the header" if source.format == "csv" else "")
        raise InputError(f"{file} has no rows: {expected}")
    return Part(examples, sorted(rejected), read.text_columns)


def displayed_label(label: str, source: Source, place: str) -> str:
    """Return the name that `source.labels` gives a label of a file; without `source.labels`, the label.

    Raises InputError, beginning with `place`, for a label that it does not know.
    """
    if source.labels is None:
        return label
    if label not in source.labels:
        known = ", ".join(f"'{known}'" for known in source.labels)
        raise InputError(
            f"{place}: unknown label '{label[:80]}' where one of {known} was expected: mend it, or add the "
            "label to source.labels"
        )
    return source.labels[label]


def check_rejected(rejected: Sequence[Rejected], good: int, source: Source, listed: Path) -> None:
    """Raise InputError if too many rows of a file were set aside beside the `good` ones, or all of them.

    `listed` is the file that lists them.
    """
    blank, unreadable = Rejects(), Rejects()
    for row in rejected:
        (blank if row.is_blank else unreadable).add(row.reason, row.line, row.rows)
    total = good + blank.total + unreadable.total
    file = rejected[0].file if rejected else ""
    unreadable.check_unreadable(total, source.unreadable_rows, file, listed)
    columns = f"the column of the text, '{source.text}', and that of the label, '{source.label}'"
    columns += f", or of the time, '{source.time}'" if source.time else ""
    blank.check_blank(good + blank.total, source.blank_rows, file, listed, columns)


def without_other(
    examples: Mapping[str, Sequence[Example]], source: Source
) -> tuple[dict[str, list[Example]], list[Example]]:
    """Return the examples of each part without those of the label `source.other`, and these.

    They are those of the test part if it has any, as test rows may differ from others in more than their
    class; else those of all parts. Raises InputError if there are none, and if a part has no others.
    """
    spelled = str.casefold if source.case == "ignore" else str
    other = clean_label(source.other or "")

    def is_other(row: Example) -> bool:
        return spelled(row.label) == spelled(other)

    known = {part: [row for row in rows if not is_other(row)] for part, rows in examples.items()}
    others = {part: [row for row in rows if is_other(row)] for part, rows in examples.items()}
    compared = others.get("test") or [row for rows in others.values() for row in rows]
    if not compared:
        raise InputError(f"no row has the label '{other[:80]}', as source.other says", option="source.other")
    for part, rows in examples.items():
        if rows and not known[part]:
            raise InputError(
                f"{rows[0].file}: all {len(rows):,} rows have the label '{other[:80]}' of source.other where "
                f"rows of the classes were expected in part '{part}': add such rows, or give another label",
                option="source.other",
            )
    return known, compared


def sort_into_classes(
    rows: Sequence[Example], classes: Classes, part: str
) -> tuple[Sequence[Example], list[Rejected]]:
    """Return the rows of a part with the names of their classes, and those set aside with the reason."""
    labels = {row.label for row in rows}
    problems = {label: classes.problem(classes.name(label), part) for label in labels}
    problems = {label: problem for label, problem in problems.items() if problem}
    set_aside = [
        Rejected(row.file, row.line, row.line, problems[row.label]) for row in rows if row.label in problems
    ]
    kept = [row for row in rows if row.label not in problems] if problems else rows
    if names := {label: classes.name(label) for label in labels & classes.names.keys()}:
        kept = [row._replace(label=names[row.label]) if row.label in names else row for row in kept]
    return kept, set_aside


def check_learned_classes(labels: Sequence[str], column: str | None) -> None:
    """Raise InputError unless the `labels` of the training part are two classes or more.

    A split by chance has all classes in each part; one by the groups or the times of a column may not.
    """
    if len(set(labels)) < 2:
        raise InputError(
            f"column '{column}': split by it, all {len(labels):,} training rows have the label "
            f"'{labels[0][:80]}' where two classes were expected: add rows, or split by chance"
        )


def label_names(labels: Iterable[str], source: Source) -> list[str]:
    """Return the distinct labels in the order shown: of `source.labels`, of numbers, or of characters."""
    distinct = set(labels)
    if source.labels is not None:
        return [name for name in dict.fromkeys(source.labels.values()) if name in distinct]
    if all(_NUMBER.fullmatch(label) for label in distinct):
        return sorted(distinct, key=lambda label: (float(label), label))
    return sorted(distinct)


def _layout(source: Source) -> Layout:
    is_csv_quoting = source.quoting == "csv"
    return Layout(source.encoding, source.separator or "", is_csv_quoting, source.skip, source.sheet)


def _read_csv(path: Path, source: Source, is_official: bool) -> _File:
    rows: list[_Raw | BadRow] = []
    with open_table(path, _layout(source)) as table:
        names = named_columns(source.text, table.header)
        if source.label in names:
            raise InputError(f"{path}: column '{source.label}' is both text and label", option="source.text")
        texts = [table.column(name, "source.text") for name in names]
        label = table.column(source.label, "source.label")
        group, time = (
            [table.column(name, option)] if name and not (is_official and name not in table.header) else []
            for name, option in ((source.group, "source.group"), (source.time, "source.time"))
        )
        table.select_columns(names)
        with Bar(path.name, table.bytes_total or None, unit="B", unit_scale=True) as bar:
            for batch in table.batches():
                rows += batch.bad
                for first, last, values in zip(*batch.lines.T.tolist(), table.values(batch), strict=True):
                    text = BOUNDARY.join([values[column] for column in texts])
                    more = ("".join(values[column] for column in columns) for columns in (group, time))
                    rows.append(_Raw(first, last, text, values[label], *more))
                bar.update(batch.read - bar.n)
    return _File(rows, names)


def _read_lines(path: Path, source: Source, _is_official: bool) -> _File:
    return _File(list(_line_rows(path, source)), [source.text])


def _line_rows(path: Path, source: Source) -> Iterator[_Raw | BadRow]:
    r"""Yield lines of the form `<label> <text>\n`: no other character ends one, as texts hold them."""
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    row = line.removesuffix(b"\n").decode(source.encoding)
                except UnicodeDecodeError as error:
                    byte = f"0x{error.object[error.start]:02x} at position {error.start + 1} of line {number}"
                    yield BadRow(number, number, f"byte {byte} is not {source.encoding}", "")
                    continue
                if "\0" in row:
                    yield BadRow(number, number, "a NUL character", "")
                    continue
                label, _, text = (row.removeprefix("\ufeff") if number == 1 else row).partition(" ")
                yield _Raw(number, number, text, label)
    except LookupError as error:
        raise InputError(
            f"{path}: '{source.encoding}' is not a text encoding known to Python: expected, for example, "
            "utf-8, windows-1252 or ascii",
            option="source.encoding",
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): check the file and its permissions"
        ) from error


_READERS: dict[str, Callable[[Path, Source, bool], _File]] = {"csv": _read_csv, "lines": _read_lines}

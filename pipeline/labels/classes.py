"""The classes of a corpus: which one each row counts for, what is set aside, and what to tell of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..errors import InputError
from ..options import Source
from ..terminal import shorten
from .spelling import near_name, several_labels, spellings

NAMED, CHARACTERS = 4, 30  # labels that a caution names, and of each
LOOKED_AT = 50  # unknown labels for which a near one is searched for
Counts = Mapping[str, Counter[str]]  # of the rows of each label, by part


class Labelled(Protocol):
    """An example of any kind: a label and where it comes from."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def label(self) -> str: ...


class Caution(NamedTuple):
    """A sentence on the classes; and the option, if one does, which with this value has that effect."""

    sentence: str
    option: str = ""
    value: str = ""
    effect: str = ""


@dataclass(frozen=True)
class Classes:
    """How the labels of a corpus's files become classes.

    `names` are of labels that count for another's class, `lone` the classes whose only row is set aside, and
    `learned` those of the training part. `cautions` are for the user.
    """

    names: Mapping[str, str]
    lone: frozenset[str]
    learned: frozenset[str]
    cautions: Sequence[Caution]

    @classmethod
    def of_labels(cls, labels: Mapping[str, Iterable[str]], source: Source) -> Classes:
        """Sort the labels of the rows of each part, of which "train" is one.

        A class is lone if its single training row is its only row: it can be learned or tested, not both.
        Raises InputError where a column of other things was taken for the labels, as most rows are of lone
        classes, and where no test row has a label that was learned.
        """
        counts = {part: Counter(part_labels) for part, part_labels in labels.items()}
        groups = spellings(_training_first(counts))
        names = (
            {label: name for name, *others in groups for label in others} if source.case == "ignore" else {}
        )
        counts = {part: _renamed(of_part, names) for part, of_part in counts.items()}
        total = Counter[str]()
        for of_part in counts.values():
            total.update(of_part)
        single = [label for label, rows in counts["train"].items() if rows == total[label] == 1]
        lone = frozenset(single if source.rare == "drop" else ())
        _check_lone(lone, counts["train"].total(), source)
        learned = frozenset(counts["train"].keys() - lone)
        cautions = [
            *_of_case(groups, total, source),
            *_of_several(total),
            *_of_single(single, source),
            *_of_unknown(counts, learned, source),
        ]
        return cls(names, lone, learned, cautions)

    def name(self, label: str) -> str:
        """Return the class that a label counts for."""
        return self.names.get(label, label)

    def problem(self, name: str, part: str) -> str:
        """Return why a row of a part, of the class of that name, is set aside, or ""."""
        if name in self.lone:
            return f"the only row of class '{name[:80]}'"
        if part == "validation" and name not in self.learned:
            return f"no training row has the label '{name[:80]}', and nothing can be chosen by it"
        return ""


def check_classes(examples: Sequence[Labelled], classes: Classes, source: Source) -> None:
    """Raise InputError unless the training examples (one or more) have two classes or more.

    With `source.rare: error` also for the only row of a class.
    """
    counts = Counter(example.label for example in examples)
    first = examples[0]
    if len(counts) == 1:
        but = f" but for {len(classes.lone):,} that are the only ones of theirs" if classes.lone else ""
        raise InputError(
            f"{first.file}: all {len(examples):,} rows have the label '{first.label[:80]}'{but} where two "
            "classes were expected: add rows of another class, or check the column of the label",
            option="source.label",
        )
    if source.rare != "error":
        return
    single = [example for example in examples if counts[example.label] == 1]
    if single:
        more = f", and {len(single) - 1:,} more classes have a single row," if len(single) > 1 else ""
        raise InputError(
            f"{single[0].file}, line {single[0].line}: this is the only row of class "
            f"'{single[0].label[:80]}'{more} where two were expected: remove it, add rows, merge it with "
            "another class, or have such rows set aside",
            option="source.rare",
        )


def _training_first(counts: Counts) -> dict[str, int]:
    """Return counts by which a spelling of the training part comes before all others."""
    others = sum((of_part.total() for of_part in counts.values()), 1)
    weighed: Counter[str] = Counter()
    for part, of_part in counts.items():
        for label, rows in of_part.items():
            weighed[label] += rows * (others if part == "train" else 1)
    return weighed


def _renamed(counts: Counter[str], names: Mapping[str, str]) -> Counter[str]:
    renamed: Counter[str] = Counter()
    for label, rows in counts.items():
        renamed[names.get(label, label)] += rows
    return renamed


def _check_lone(lone: frozenset[str], rows: int, source: Source) -> None:
    if 2 * len(lone) <= rows:
        return
    file = source.train.path if source.train else source.format
    of_csv = source.format == "csv"
    raise InputError(
        f"{file}: {len(lone):,} of {rows:,} rows are the only one of their class, such as "
        f"{listed(sorted(lone))}: "
        + (f"check the column of the label, '{source.label}'" if of_csv else "add rows of these classes"),
        option="source.label" if of_csv else "",
    )


def _of_case(groups: list[list[str]], total: Counter[str], source: Source) -> list[Caution]:
    if not groups:
        return []
    if source.case == "ignore":
        told = [f"{_quoted(name)} (also {', '.join(map(_quoted, others))})" for name, *others in groups]
        return [Caution(f"labels that differ in case alone are one class: {_some(told)}")]
    told = [", ".join(f"{_quoted(label)} ({total[label]:,})" for label in group) for group in groups]
    sentence = f"labels that differ in case alone: {_some(told, '; ')}"
    return [Caution(sentence, "source.case", "ignore", "makes one class of each")]


def _of_several(total: Counter[str]) -> list[Caution]:
    found = several_labels(total)
    if not found:
        return []
    return [
        Caution(
            f"{found.rows:,} of {total.total():,} labels look like several in one cell, such as "
            f"{_quoted(found.example)}: one label a row is learned, so each combination is a class of its own"
        )
    ]


def _of_single(single: list[str], source: Source) -> list[Caution]:
    if not single or source.rare == "error":
        return []
    number = "1 class has" if len(single) == 1 else f"{len(single):,} classes have"
    if source.rare == "keep":
        sentence = f"{number} a single row, learned and never tested: {listed(single)}"
        return [Caution(sentence, "source.rare", "drop", "sets such rows aside")]
    sentence = f"{number} a single row, set aside, as it cannot be both learned and tested: {listed(single)}"
    return [Caution(sentence, "source.rare", "keep", "learns it")]


def _of_unknown(counts: Counts, learned: frozenset[str], source: Source) -> list[Caution]:
    """Return cautions on labels that training lacks. Raises InputError if all rows of a part have such."""
    cautions = []
    for part, fate in {"validation": "set aside", "test": "wrong for every classifier"}.items():
        of_part = counts.get(part, Counter())
        unknown = Counter({label: rows for label, rows in of_part.items() if label not in learned})
        if not unknown:
            continue
        if unknown.total() == of_part.total():
            raise _all_unknown(part, unknown, learned, source)
        of_all = f"{unknown.total():,} of {of_part.total():,} {part} rows"
        verb = "has" if unknown.total() == 1 else "have"
        told = _some(_with_near_names(unknown, learned), number=len(unknown))
        cautions.append(Caution(f"{of_all} {verb} a label that no training row has, {fate}: {told}"))
    return cautions


def _all_unknown(part: str, unknown: Counter[str], learned: frozenset[str], source: Source) -> InputError:
    in_other_case = {label.casefold() for label in unknown} & {label.casefold() for label in learned}
    of_column = "source.label" if source.format == "csv" else ""
    return InputError(
        f"no {part} row has a label of the training rows: {listed([*unknown])} where "
        f"{listed(sorted(learned))} were expected"
        + (", of which some differ in case alone" if in_other_case else ": check the file and its labels"),
        option="source.case" if in_other_case else of_column,
    )


def _with_near_names(unknown: Counter[str], learned: frozenset[str]) -> list[str]:
    """Return the most frequent labels with their counts, those first that a known one is near to."""
    looked_at = [(label, rows, near_name(label, learned)) for label, rows in unknown.most_common(LOOKED_AT)]
    return [
        f"{_quoted(label)} ({rows:,}{f'; near {_quoted(near)}' if near else ''})"
        for label, rows, near in sorted(looked_at, key=lambda entry: not entry[2])
    ]


def _quoted(label: str) -> str:
    return f"'{shorten(label, CHARACTERS)}'"


def listed(labels: Sequence[str]) -> str:
    """Return the first labels in quotes, and how many there are more, for people."""
    return _some([_quoted(label) for label in labels])


def _some(items: Sequence[str], separator: str = ", ", number: int = 0) -> str:
    """Return the first items; of the rest, or of so many in all, their number."""
    rest = max(number, len(items)) - NAMED
    return separator.join(items[:NAMED]) + (f"{separator}and {rest:,} more" if rest > 0 else "")

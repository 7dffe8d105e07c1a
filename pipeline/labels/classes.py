"""The classes of a corpus: which one each row counts for, and what is set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import InputError
from ..options import Source
from . import cautions
from .cautions import Caution, Counts, listed, without
from .spelling import spellings


class LabelledRow(Protocol):
    """An example of any kind: a label and where it comes from."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def label(self) -> str: ...


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
        classes, and where no row of the test or validation part has a label that was learned.
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
        _check_known(counts, learned, source)
        told = [
            *cautions.differing_case(groups, total, source),
            *cautions.several_in_one(total),
            *cautions.single_rows(single, source),
            *cautions.unknown_labels(counts, learned),
        ]
        return cls(names, lone, learned, told)

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


def check_classes(examples: Sequence[LabelledRow], classes: Classes, source: Source) -> None:
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


def _check_known(counts: Counts, learned: frozenset[str], source: Source) -> None:
    """Raise InputError if no row of a part has a label that is learned."""
    for part in ("validation", "test"):
        of_part = counts.get(part, Counter())
        unknown = without(of_part, learned)
        if unknown and unknown.total() == of_part.total():
            raise _all_unknown(part, unknown, learned, source)


def _all_unknown(part: str, unknown: Counter[str], learned: frozenset[str], source: Source) -> InputError:
    in_other_case = {label.casefold() for label in unknown} & {label.casefold() for label in learned}
    of_column = "source.label" if source.format == "csv" else ""
    return InputError(
        f"no {part} row has a label of the training rows: {listed([*unknown])} where "
        f"{listed(sorted(learned))} were expected"
        + (", of which some differ in case alone" if in_other_case else ": check the file and its labels"),
        option="source.case" if in_other_case else of_column,
    )

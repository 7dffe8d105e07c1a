"""What a user is told of the labels of a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..options import Source
from ..terminal import shorten
from .spelling import near_name, several_labels

NAMED, CHARACTERS = 4, 30  # labels that a caution names, and of each
LOOKED_AT = 50  # unknown labels for which a near one is searched for
Counts = Mapping[str, Counter[str]]  # of the rows of each label, by part


class Caution(NamedTuple):
    """A sentence on the classes; and the option, if one does, which with this value has that effect."""

    sentence: str
    option: str = ""
    value: str = ""
    effect: str = ""


def differing_case(groups: list[list[str]], total: Counter[str], source: Source) -> list[Caution]:
    """Return a caution on the groups of labels that differ in case alone, if there are any."""
    if not groups:
        return []
    if source.case == "ignore":
        told = [f"{_quoted(name)} (also {', '.join(map(_quoted, others))})" for name, *others in groups]
        return [Caution(f"labels that differ in case alone are one class: {_some(told)}")]
    told = [", ".join(f"{_quoted(label)} ({total[label]:,})" for label in group) for group in groups]
    sentence = f"labels that differ in case alone: {_some(told, '; ')}"
    return [Caution(sentence, "source.case", "ignore", "makes one class of each")]


def several_in_one(total: Counter[str]) -> list[Caution]:
    """Return a caution on cells that look like several labels, if there are any."""
    found = several_labels(total)
    if not found:
        return []
    return [
        Caution(
            f"{found.rows:,} of {total.total():,} labels look like several in one cell, such as "
            f"{_quoted(found.example)}: one label a row is learned, so each combination is a class of its own"
        )
    ]


def single_rows(single: list[str], source: Source) -> list[Caution]:
    """Return a caution on classes with a single row, if there are any."""
    if not single or source.rare == "error":
        return []
    number = "1 class has" if len(single) == 1 else f"{len(single):,} classes have"
    if source.rare == "keep":
        sentence = f"{number} a single row, learned and never tested: {listed(single)}"
        return [Caution(sentence, "source.rare", "drop", "sets such rows aside")]
    sentence = f"{number} a single row, set aside, as it cannot be both learned and tested: {listed(single)}"
    return [Caution(sentence, "source.rare", "keep", "learns it")]


def unknown_labels(counts: Counts, learned: frozenset[str]) -> list[Caution]:
    """Return cautions on labels that training lacks."""
    cautions = []
    for part, fate in {"validation": "set aside", "test": "wrong for every classifier"}.items():
        of_part = counts.get(part, Counter())
        unknown = without(of_part, learned)
        if not unknown:
            continue
        of_all = f"{unknown.total():,} of {of_part.total():,} {part} rows"
        verb = "has" if unknown.total() == 1 else "have"
        told = _some(_with_near_names(unknown, learned), number=len(unknown))
        cautions.append(Caution(f"{of_all} {verb} a label that no training row has, {fate}: {told}"))
    return cautions


def without(counts: Counter[str], learned: frozenset[str]) -> Counter[str]:
    """Return the counts of labels that are not learned."""
    return Counter({label: rows for label, rows in counts.items() if label not in learned})


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

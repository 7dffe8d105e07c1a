"""A fitted baseline in one of its settings, and the form in which libraries for text take token ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from ..arrays import Labels
from ..inputs import Sequences


class Candidate(Protocol):
    """A fitted classifier and its setting in words, such as `C = 10`."""

    @property
    def setting(self) -> str: ...
    def predict(self, inputs: Any, /) -> Labels:
        """Return a label for each row, int64 [rows]."""
        ...


@dataclass(frozen=True)
class FittedCandidate:
    """A candidate made of a setting and a function."""

    setting: str
    predict: Callable[[Any], Labels]


def setting(text: str, balanced: bool) -> str:
    """Return the text of a setting, which names that every class has the same weight if `balanced`."""
    return f"{text}, balanced" if balanced else text


def documents(sequences: Sequences) -> list[str]:
    """Return the token ids of each row as a text of numbers between blanks."""
    ids, offsets = sequences.ids.astype(str), sequences.offsets
    return [" ".join(ids[start:end]) for start, end in pairwise(offsets)]

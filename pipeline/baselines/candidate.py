"""A fitted baseline in one of its settings, and the forms in which baselines take texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..arrays import Labels
from ..inputs import Sequences

# For scikit-learn: single tokens and pairs of `documents`.
NGRAMS = {"ngram_range": (1, 2), "tokenizer": str.split, "token_pattern": None, "lowercase": False}


class Rows(Protocol):
    """Rows of a corpus in the form that a baseline takes."""

    def __len__(self) -> int: ...

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each row, int64 [rows]; 0 for one that nothing can be learned from."""

    def select(self, rows: NDArray[np.integer], /) -> Any:
        """Return the given rows in the given order."""


@dataclass(frozen=True, eq=False)
class Texts:
    """Rows as they are written, and as the network's tokens."""

    texts: pd.Series[str]
    tokens: Sequences

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The tokens of each row, int64 [rows]."""
        return self.tokens.lengths

    def select(self, rows: NDArray[np.integer]) -> Texts:
        """Return the given rows in the given order."""
        return Texts(self.texts.iloc[rows], self.tokens.select(rows))


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
    """Return the token ids of each row as a text of numbers between blanks, the boundary's among them."""
    ids, offsets = sequences.ids.astype(str), sequences.offsets
    return [" ".join(ids[start:end]) for start, end in pairwise(offsets)]

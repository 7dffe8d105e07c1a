"""The encoder of a classifier, which turns raw rows into inputs: all that sets texts and images apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .inputs import Images, Kind, Sequences

if TYPE_CHECKING:
    import pandas as pd


class TokenCounts(NamedTuple):
    """Numbers of tokens, int64 [rows] each.

    They are those of the whole text, those within the length that the network reads, and those of the whole
    text that are outside the vocabulary.
    """

    total: NDArray[np.int64]
    kept: NDArray[np.int64]
    unknown: NDArray[np.int64]

    @classmethod
    def none(cls) -> TokenCounts:
        """Return those of no rows."""
        return cls(*np.empty((3, 0), np.int64))


class EncodedRows(NamedTuple):
    """Raw rows as inputs.

    `inputs` and `tokens` are of the rows that could be read; an image counts as one known token. `problems`
    says for each row why it could not be read, or "", and is empty if all could.
    """

    inputs: Sequences | Images
    tokens: TokenCounts
    problems: list[str]

    @property
    def lack_known_words(self) -> NDArray[np.bool_]:
        """Which rows have no known word among those that are read, and none that is like one, bool [rows]."""
        lacking: NDArray[np.bool_] = self.tokens.unknown >= self.tokens.kept
        # Few texts have as many words outside the vocabulary as are read; some of these are like one in it.
        if len(outside := np.flatnonzero(lacking)):
            lacking[outside] = self.inputs.as_sequences().select(outside).lack_known_words
        return lacking


class ServedColumn(NamedTuple):
    """The column that a served model takes: its name, its MLflow type, and values as an example."""

    name: str
    type: str
    examples: list[Any]


class Encoder(Protocol):
    """A text encoder or an image encoder; it is saved with the classifier and shared by threads."""

    @property
    def kind(self) -> Kind: ...

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape of one row of its inputs, as `Inputs.shape`."""

    @property
    def vocabulary(self) -> int:
        """The number of token ids; 0 for images, which have none."""

    @property
    def words(self) -> list[str]:
        """The words of the ids from 2 on; none for images."""

    @property
    def by_character(self) -> bool:
        """Whether a token is a character, as in scripts without spaces; not so for images."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that encoding rows of this kind needs, besides those of every classifier."""

    def encode(self, values: Iterable[str], /) -> Sequences | Images:
        """Return texts, or the image files at these paths, as inputs.

        Raises InputError for a file that cannot be read.
        """

    def encode_bytes(
        self, data: NDArray[np.uint8], bounds: NDArray[np.int64], folder: Path | None
    ) -> Iterator[EncodedRows]:
        """Yield rows as inputs, in batches that fit into memory.

        Row i is `data[bounds[i, 0]:bounds[i, 1]]`: a text in UTF-8, or the path of an image file relative to
        `folder`; if that is None, the image file's own bytes.
        """

    def last_input(self) -> Sequences | Images:
        """Return a row that a network for this encoder must take, of the highest values."""

    def encode_table(self, table: pd.DataFrame, inputs: Sequences | Images) -> Sequences | Images:
        """Return rows of a corpus as inputs of this encoder.

        `table` has their texts in the column text; `inputs` are the rows as another encoder of this kind and
        shape gave them, which images can be taken from.
        """

    def count_tokens(self, table: pd.DataFrame) -> TokenCounts | None:
        """Count the tokens of a corpus's rows, whose texts are in the column text; None for images."""

    def pieces(self, text: str, /) -> list[str]:
        """Return the tokens that are encoded, one for each id, after a blank where the text has one.

        Raises TypeError for images.
        """

    def served_column(self, column: str) -> ServedColumn:
        """Describe the input of a served model that was trained on the given column."""

    def to_bytes(self, value: object) -> bytes:
        """Return a value of the served column as `encode_bytes` takes it. Raises InputError if it is none."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes an equal encoder."""

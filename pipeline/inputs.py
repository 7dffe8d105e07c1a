"""The rows of a corpus as networks take them: token sequences, or images of one size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

PADDING = 0
UNKNOWN = 1
# Between the texts of two columns in one: Unicode's unit separator, and among ids PADDING. No window and no
# n-gram has tokens of both sides.
BOUNDARY = "\x1f"
SHOWN_BOUNDARY = " | "
_SHOWN_BOUNDARIES = re.compile(r"(?:^| )\|(?: |$)")
SHOWN_CHARACTERS = 40  # of a value in an error
PIXELS_PER_TOKEN = 32  # in `Images.lengths`: a batch of 16,384 tokens is 512 images of 32 x 32
Kind = Literal["text", "image"]
# A network is built on vectors of tokens [vocabulary, dimensions], or on an image's height, width, channels.
Start = NDArray[np.float32] | tuple[int, int, int]


def shown(text: str) -> str:
    """Return the text of several columns as a person reads it."""
    return text.replace(BOUNDARY, SHOWN_BOUNDARY)


def parse_shown(text: str, columns: int) -> str:
    """Return the text of so many columns that a person writes as `shown` shows it."""
    return _SHOWN_BOUNDARIES.sub(BOUNDARY, text, columns - 1) if columns > 1 else text


def check_strings(values: Iterable[object]) -> None:
    """Raise InputError for one text in place of several, and with its place for a value that is none."""
    if isinstance(values, str):
        raise InputError("one text was given where a list of texts was expected: write [text]")
    for place, value in enumerate(values):
        if not isinstance(value, str):
            shown = f"{value!r}"[:SHOWN_CHARACTERS]
            raise InputError(f"text {place} is {shown}, a {type(value).__name__}, where str was expected")


class Inputs(Protocol):
    """Rows of a corpus that can be turned into one array."""

    def __len__(self) -> int: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The cost of each row for a network, in tokens: int64 [rows]."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape of one row in `padded`; None for a dimension that differs from batch to batch."""

    def select(self, rows: NDArray[np.integer], /) -> Self:
        """Return the given rows in the given order."""

    def padded(self) -> NDArray[Any]:
        """Return the rows as an array in memory, [rows, *shape]."""

    def as_sequences(self) -> Sequences:
        """Return the rows as token sequences. Raises TypeError if they are images."""


class UnseenWords:
    """Distinct words outside a vocabulary, in the order in which they were met; it only grows."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.words: list[str] = []
        self.letters = 0  # of all words
        self._places: dict[str, int] = {}
        for word in words:
            self.add(word)

    def __len__(self) -> int:
        return len(self.words)

    def add(self, word: str) -> int:
        """Return the place of a word, which is appended if it is new."""
        place = self._places.setdefault(word, len(self.words))
        if place == len(self.words):
            self.words.append(word)
            self.letters += len(word)
        return place


@dataclass(frozen=True)
class Sequences:
    """Rows of tokens laid end to end: row i is `ids[offsets[i]:offsets[i + 1]]`.

    `ids` int32 [tokens] is what networks read: 0 is the boundary between the texts of two columns, which no
    window crosses as none crosses the padding at the end, 1 is any word outside the vocabulary that is like
    none in it, and another such word has the id of one that is like it.
    `words` int32 [tokens] tells these words apart: it is the id of a word in the vocabulary, and the size of
    the vocabulary plus i for word i of `unseen`. `offsets` is int64 [rows + 1].
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    words: NDArray[np.int32]
    unseen: UnseenWords

    kind: ClassVar[Literal["text"]] = "text"

    @classmethod
    def from_rows(cls, rows: list[list[int]]) -> Sequences:
        """Lay rows of ids of words in the vocabulary end to end."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        ids = np.fromiter((i for row in rows for i in row), np.int32, offsets[-1])
        return cls(ids, offsets, ids, UnseenWords())

    @classmethod
    def joined(cls, pieces: Sequence[Sequences], vocabulary: int) -> Sequences:
        """Return the rows of all pieces, whose `words` count unseen ones from `vocabulary` on."""
        lengths = np.concatenate([np.zeros(1, np.int64), *(piece.lengths for piece in pieces)])
        joined = np.empty((2, sum(len(piece.ids) for piece in pieces)), np.int32)
        unseen, end, earlier = UnseenWords(), 0, None
        numbers = np.arange(vocabulary)
        for piece in pieces:
            start, end = end, end + len(piece.ids)
            if piece.unseen is not earlier:  # pieces share what only grows
                earlier = piece.unseen
                places = np.array([unseen.add(word) for word in earlier.words], np.int64)
                numbers = np.concatenate([np.arange(vocabulary), vocabulary + places])
            joined[0, start:end] = piece.ids
            joined[1, start:end] = numbers[piece.words]
        return cls(joined[0], np.cumsum(lengths), joined[1], unseen)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    @property
    def shape(self) -> tuple[None]:
        """The shape of one row in `padded`: as long as the longest of its batch."""
        return (None,)

    @property
    def lack_known_words(self) -> NDArray[np.bool_]:
        """Which rows have no word of the vocabulary, and none that is like one, bool [rows]."""
        known = np.concatenate([[0], np.cumsum(self.ids > UNKNOWN)])
        lack: NDArray[np.bool_] = known[self.offsets[1:]] == known[self.offsets[:-1]]
        return lack

    def select(self, rows: NDArray[np.integer]) -> Sequences:
        """Return the given rows in the given order."""
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts  # of these alone, as a batch must not cost a corpus
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        positions = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Sequences(self.ids[positions], offsets, self.words[positions], self.unseen)

    def spell(self, numbers: NDArray[np.integer], vocabulary: Sequence[str]) -> list[str]:
        """Return the words of these numbers, as `words` has them; id 2 is the vocabulary's first word.

        PADDING is the boundary.
        """
        names = [BOUNDARY, "", *vocabulary]  # "" of UNKNOWN, which is no word's number
        return [
            names[number] if number < len(names) else self.unseen.words[number - len(names)]
            for number in numbers.tolist()
        ]

    def padded(self) -> NDArray[np.int32]:
        """Return int32 [rows, longest row, at least 1], filled with PADDING on the right."""
        lengths = self.lengths
        matrix = np.full((len(self), max(1, int(lengths.max(initial=0)))), PADDING, np.int32)
        matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = self.ids
        return matrix

    def as_sequences(self) -> Sequences:
        """Return the rows themselves."""
        return self


@dataclass(frozen=True)
class Images:
    """Rows of `pixels`, uint8 [all images, height, width, channels], which may be mapped from a file.

    Selecting copies no pixels; `padded` reads those of its rows.
    """

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]

    kind: ClassVar[Literal["image"]] = "image"

    @classmethod
    def from_pixels(cls, pixels: NDArray[np.uint8]) -> Images:
        """Return all images as rows."""
        return cls(pixels, np.arange(len(pixels)))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The height, width and channels of an image."""
        height, width, channels = self.pixels.shape[1:]
        return height, width, channels

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The cost of each row for a network, in tokens: int64 [rows], all the same."""
        height, width, _ = self.shape
        return np.full(len(self), -(-height * width // PIXELS_PER_TOKEN), np.int64)

    def select(self, rows: NDArray[np.integer]) -> Images:
        """Return the given rows in the given order."""
        return Images(self.pixels, self.rows[rows])

    def padded(self) -> NDArray[np.uint8]:
        """Return uint8 [rows, height, width, channels]; images of one size need no padding."""
        pixels = self.pixels
        if isinstance(pixels, np.memmap):
            # A map of its own, closed with the batch: one that stays open keeps every page it has read.
            pixels = np.memmap(str(pixels.filename), pixels.dtype, "r", pixels.offset, pixels.shape)
        return np.asarray(pixels[self.rows])

    def as_sequences(self) -> Sequences:
        """Raise TypeError: images have no tokens."""
        raise TypeError("expected token sequences, not images")


class LabelledInputs(NamedTuple):
    """Rows with their labels, integers [rows].

    `weights`, float32 [rows], are those of the rows in the loss of what is fitted to them; None: all are 1.
    """

    inputs: Sequences | Images
    labels: NDArray[np.integer[Any]]
    weights: NDArray[np.float32] | None = None

    def select(self, rows: NDArray[np.integer]) -> LabelledInputs:
        """Return the given rows in the given order."""
        weights = None if self.weights is None else self.weights[rows]
        return LabelledInputs(self.inputs.select(rows), self.labels[rows], weights)

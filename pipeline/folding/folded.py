"""The folded form of a trained text network: look-ups, additions and a running maximum.

Embeddings and filters are frozen at prediction, and a filter's offset k gives a token the same number
wherever it stands. So all products are one table [vocabulary, sum of windows x filters], computed once, and
what is left of the convolution is to add h of its entries a window. Nothing here needs TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ..arrays import Floats, Ints, check_array, check_finite
from ..errors import InputError
from ..inputs import Sequences
from ..options import Positive, Section
from . import kernels

Form = Literal["float32", "int16"]
FORMS: tuple[Form, ...] = ("float32", "int16")
INT16_MAX = 32767
ROUNDED_WORDS = 4096  # at a time: a temporary of the whole table would be as large as it
ACTIVATIONS = {"linear": 0, "relu": kernels.RELU, "tanh": kernels.TANH}


class ConvolutionShape(Section):
    """The banks of a network's filters, each over windows of one size, and its activation."""

    windows: Annotated[list[Positive], Field(min_length=1)]  # tokens, of each bank
    filters: list[Positive]
    activation: Literal["linear", "relu", "tanh"]

    @model_validator(mode="after")
    def _has_filters_of_each_window(self) -> ConvolutionShape:
        if len(self.filters) != len(self.windows):
            raise ValueError(f"{len(self.windows)} windows and {len(self.filters)} counts of filters")
        return self

    @property
    def columns(self) -> int:
        """The width of the table: the sum of windows x filters."""
        return sum(h * count for h, count in zip(self.windows, self.filters, strict=True))

    @property
    def banks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The windows and the filters, int64 [banks] each."""
        return np.array(self.windows), np.array(self.filters)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The window of each feature: int64 [features]."""
        return np.repeat(self.windows, self.filters)

    @property
    def features(self) -> NDArray[np.int64]:
        """The feature that each column of the table adds to: int64 [sum of windows x filters]."""
        numbers = np.split(np.arange(len(self.sizes)), np.cumsum(self.filters)[:-1])
        return np.concatenate([np.tile(bank, h) for bank, h in zip(numbers, self.windows, strict=True)])


@dataclass(frozen=True)
class FoldedNetwork:
    """logits = weights f(scale * max over t of the windows' sums + bias) + offset.

    `table` float32 or int16 [vocabulary, sum of windows x filters], see `kernels.features`; `scale`
    and `bias` float32 [features], `weights` float32 [classes, features], `offset` float32 [classes]; all but
    the table are finite. Arrays that do not fit one another are an InputError.
    """

    shape: ConvolutionShape
    table: NDArray[Any]
    scale: Floats
    bias: Floats
    weights: Floats
    offset: Floats

    ARRAYS = ("bias", "weights", "offset")  # whatever the table's form

    def __post_init__(self) -> None:
        form = np.int16 if self.table.dtype == np.int16 else np.float32
        check_array("table", self.table, form, (None, self.shape.columns))  # first: it bounds the features
        features = len(self.shape.sizes)
        check_array("scale", self.scale, np.float32, (features,))
        check_array("bias", self.bias, np.float32, (features,))
        check_array("weights", self.weights, np.float32, (self.classes, features))
        check_array("offset", self.offset, np.float32, (self.classes,))
        for name in ("scale", *self.ARRAYS):
            check_finite(name, getattr(self, name))

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.offset.size

    def features(self, sequences: Sequences) -> Floats:
        """Return float32 [rows, features], before the activation."""
        result: Floats = kernels.features(
            sequences.ids, sequences.offsets, self.table, *self.shape.banks, self.scale, self.bias
        )
        return result

    def winning_windows(self, sequences: Sequences) -> tuple[Ints, Ints, Ints]:
        """Return each winning window: its first place, its first token and the one after its last.

        All are int32 [rows, features], see `kernels.winning_windows`.
        """
        windows: tuple[Ints, Ints, Ints] = kernels.winning_windows(
            sequences.ids, sequences.offsets, self.table, *self.shape.banks
        )
        return windows

    def activated(self, features: Floats) -> Floats:
        """Return f of the features [rows, features]."""
        if self.shape.activation == "relu":
            return np.maximum(features, np.float32(0))
        return np.tanh(features) if self.shape.activation == "tanh" else features

    def logits(self, sequences: Sequences) -> Floats:
        """Return float32 [rows, classes]."""
        activation = ACTIVATIONS[self.shape.activation]
        result: Floats = kernels.dense(self.features(sequences), activation, self.weights, self.offset)
        return result

    def rounded(self) -> FoldedNetwork:
        """Return the network with its table in 16-bit integers, whose steps let no window's sum overflow.

        With s the step, a feature is wrong by h s / 2 at most; s is the greatest sum that the table's entries
        could make over the h offsets of the filter, divided by 32767 - h.
        """
        features, sizes = self.shape.features, self.shape.sizes
        greatest = np.bincount(features, np.abs(self.table).max(axis=0))
        step = (np.maximum(greatest, np.finfo(np.float32).tiny) / (INT16_MAX - sizes)).astype(np.float32)
        table = np.empty(self.table.shape, np.int16)
        for start in range(0, len(table), ROUNDED_WORDS):
            block = slice(start, start + ROUNDED_WORDS)
            np.rint(self.table[block] / step[features], out=table[block], casting="unsafe")
        return replace(self, table=table, scale=step * self.scale)

    @property
    def bound(self) -> Floats:
        """The largest error of a feature of an int16 table, float32 [features].

        It leaves out the rounding of float32 itself.
        """
        bound: Floats = self.shape.sizes.astype(np.float32) * self.scale / np.float32(2)
        return bound


@dataclass(frozen=True)
class FoldedModel:
    """One network, or several that differ in their seed, whose logits are averaged.

    Networks of different numbers of classes are an InputError.
    """

    members: Sequence[FoldedNetwork]

    def __post_init__(self) -> None:
        classes = [member.classes for member in self.members]
        if len(set(classes)) != 1:
            raise InputError(f"its networks are of {classes} classes, expected equal numbers")

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.members[0].classes

    def logits(self, sequences: Sequences) -> Floats:
        """Return float32 [rows, classes]; a row's bits depend on nothing but its tokens."""
        logits = self.members[0].logits(sequences)
        for member in self.members[1:]:
            logits += member.logits(sequences)
        return logits if len(self.members) == 1 else logits / np.float32(len(self.members))

    def rounded(self) -> FoldedModel:
        return FoldedModel([member.rounded() for member in self.members])

    @property
    def shapes(self) -> list[ConvolutionShape]:
        return [member.shape for member in self.members]

    @property
    def bytes(self) -> int:
        """The size of the tables."""
        return sum(member.table.nbytes for member in self.members)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays except the tables and scales, which differ by form: see `from_arrays`."""
        return {
            f"{number}.{name}": getattr(member, name)
            for number, member in enumerate(self.members)
            for name in FoldedNetwork.ARRAYS
        }

    @classmethod
    def from_arrays(
        cls,
        shapes: Sequence[ConvolutionShape],
        tables: Sequence[NDArray[Any]],
        scales: Sequence[Floats],
        arrays: Mapping[str, NDArray[Any]],
    ) -> FoldedModel:
        """Make a model of the `shapes`, the tables and scales of a form, and what `arrays` gave."""
        return cls(
            [
                FoldedNetwork(
                    shape, table, scale, *(arrays[f"{number}.{name}"] for name in FoldedNetwork.ARRAYS)
                )
                for number, (shape, table, scale) in enumerate(zip(shapes, tables, scales, strict=True))
            ]
        )

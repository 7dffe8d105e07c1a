"""What the rows of a corpus are to whoever batches, trains and scores: token sequences or images alike."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Some = TypeVar("Some", bound="Inputs")


class Inputs(Protocol):
    """Rows of a corpus, each of which can be had as an array."""

    def __len__(self) -> int: ...

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64 [rows]: what each costs a network, in tokens."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Of one row as an array; None where that differs from batch to batch."""

    def select(self: Some, rows: NDArray[np.integer], /) -> Some:
        """The given rows, in the given order."""

    def padded(self) -> NDArray[Any]:
        """[rows, *shape], in memory."""

"""The comparison of an exported model with the classifier, on rows that no member was fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..errors import InputError
from ..inputs import Images, Sequences
from ..networks.batches import SortedBatches

TOLERANCE = 1e-4  # of a logit
TEXTS = 64  # that are labelled at a time


@dataclass(frozen=True)
class Agreement:
    """How two sets of logits [rows, classes] compare."""

    rows: int
    largest: float  # difference of a logit
    within: float  # the share of rows that are within TOLERANCE
    same_labels: float  # the share of rows

    @classmethod
    def between(cls, ours: Floats, theirs: Floats) -> Agreement:
        """Compare logits of one row or more."""
        differences = np.abs(ours - theirs).max(axis=1)
        same = ours.argmax(axis=1) == theirs.argmax(axis=1)
        within = float((differences <= TOLERANCE).mean())
        return cls(len(ours), float(differences.max()), within, float(same.mean()))


def require_equal(agreement: Agreement) -> None:
    """Raise InputError unless all logits are within TOLERANCE."""
    if not agreement.largest <= TOLERANCE:
        raise InputError(
            f"the exported model's logits differ from the classifier's by up to {agreement.largest:.2g}, "
            f"expected {TOLERANCE:g} at most: nothing is written"
        )


def logits_of_inputs(run: Callable[[NDArray[Any]], Floats], inputs: Sequences | Images) -> Floats:
    """Return a model's logits of rows, [rows, classes]."""
    batches = SortedBatches(inputs)
    restored: Floats = batches.restore(np.concatenate([run(batch) for batch, *_ in batches]))
    return restored


def logits_of_texts(run: Callable[[list[str]], Floats], texts: Sequence[str]) -> Floats:
    """Return a model's logits of texts, [rows, classes]."""
    batches = [list(texts[start : start + TEXTS]) for start in range(0, len(texts), TEXTS)]
    return np.concatenate([run(batch) for batch in batches])

"""Softmax over the classes of each row, and its logarithm.

In two precisions: `softmax` and `log_softmax` compute in the type of their logits, as training and measures
do; the compiled one, for prediction, takes float32 logits, adds up in float64 and is faster.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..compilation.kernel import prebuilt_kernel


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Return the softmax of `logits / temperature`, [rows, classes]; a high temperature flattens rows."""
    exponentials = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def log_softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """Return the logarithms of softmax(logits), [rows, classes]."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logarithms: NDArray[Any] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logarithms


@prebuilt_kernel("f4[:, ::1], f8")
def compiled_softmax(logits: Floats, temperature: float) -> Floats:
    """Return softmax(logits / temperature), float32 [rows, classes]."""
    probabilities = np.empty_like(logits)
    for row in range(len(logits)):
        highest, total = logits[row, 0], 0.0
        for c in range(1, logits.shape[1]):
            highest = max(highest, logits[row, c])
        for c in range(logits.shape[1]):
            total += math.exp((logits[row, c] - highest) / temperature)
        for c in range(logits.shape[1]):
            probabilities[row, c] = math.exp((logits[row, c] - highest) / temperature) / total
    return probabilities

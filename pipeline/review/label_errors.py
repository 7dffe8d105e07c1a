"""Rows whose label is probably wrong, by confident learning (Northcutt et al. 2021, arXiv 1911.00068)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels

Probabilities = NDArray[np.float32]


class SuspectRows(NamedTuple):
    """Rows whose label is probably wrong, int64 [suspects], the most suspicious first.

    `suggested` and `probability` [suspects] are the class that fits the row better, and its probability.
    """

    rows: NDArray[np.int64]
    suggested: Labels
    probability: Probabilities


def suspect_rows(probabilities: Probabilities, labels: Labels) -> SuspectRows:
    """Return the rows whose confident class differs from their label, int64 [rows].

    `probabilities` float32 [rows, classes] come from models that were not trained on these rows. A row's
    confident class is the most probable of the classes whose probability reaches the class's threshold, the
    mean probability among the rows labelled so (equation 2 of the paper). The lower the probability of a
    row's own label, the more suspicious it is.
    """
    rows, classes = probabilities.shape
    counts = np.bincount(labels, minlength=classes)
    of_label = probabilities[np.arange(rows), labels]
    thresholds = np.bincount(labels, of_label, classes) / np.maximum(1, counts)
    # A class without rows, or without a probability, has no threshold: no row can be assigned to it.
    is_confident = (probabilities >= thresholds) & (thresholds > 0)
    confident = np.where(is_confident, probabilities, np.float32(-1))
    suggested = confident.argmax(axis=1)
    suspects = np.flatnonzero((confident.max(axis=1) >= 0) & (suggested != labels))
    suspects = suspects[np.argsort(of_label[suspects], kind="stable")]
    suggested = suggested[suspects]
    return SuspectRows(suspects, suggested, probabilities[suspects, suggested])

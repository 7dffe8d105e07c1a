"""Naive Bayes' weights of features, as the logarithms of ratios of counts (Wang & Manning 2012)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Doubles, Flags, Floats, Labels

# Added to each sum, for naive Bayes on the SVM's TF-IDF. On 45 splits of MR, SST-2, TREC, banking77,
# ChnSentiCorp and docstrings the pool has 0.05 points less with 0.03, 0.12 with 0.1, 0.26 with 0.3, and 0.03
# with 0.003.
SMOOTHING = 0.01
BLOCK = 1 << 24  # values that are summed at a time: they take 16 bytes each meanwhile


def log_count_ratio(
    features: Any, positive: Flags, smoothing: float = 1.0, total: Doubles | None = None
) -> Doubles:
    """Return log((p / |p|) / (q / |q|)), float64 [features], where |.| is the sum of magnitudes.

    With `positive` bool [rows], p is the smoothing + the sum of these rows of the sparse matrix, and q of all
    others. `total` is `sums` of the matrix, for whoever has it already.
    """
    p = sums(features[positive])
    q = (sums(features) if total is None else total) - p
    for counts in (p, q):  # in place, as there may be 50 million of them
        counts += smoothing
        counts /= counts.sum()
    p /= q
    return np.log(p, out=p)


def sums(matrix: Any) -> Doubles:
    """Return the sums of a sparse matrix's columns, float64 [features]."""
    columns = np.zeros(matrix.shape[1])
    for start in range(0, matrix.nnz, BLOCK):
        block = slice(start, start + BLOCK)
        columns += np.bincount(matrix.indices[block], matrix.data[block], len(columns))
    return columns


def naive_bayes(matrix: Any, labels: Labels, classes: int, weights: Floats | None = None) -> Floats:
    """Return the weights of each class against all others, float32 [features, classes].

    `matrix` is sparse, of [rows, features] at or above 0, and `labels` int64 [rows]; `weights` above 0 [rows]
    multiply the rows. A class that no row has gets the least weight of any class, so that no row is more
    likely to be of it than of another; where there is one class alone, all weights are 0.
    """
    from scipy.sparse import diags

    found = np.zeros((matrix.shape[1], classes), np.float32)
    is_present = np.bincount(labels, minlength=classes) > 0
    if np.count_nonzero(is_present) < 2:
        return found
    if weights is not None:
        matrix = (diags(weights) @ matrix).tocsr()
    total = sums(matrix)
    for label in np.flatnonzero(is_present):
        found[:, label] = log_count_ratio(matrix, labels == label, SMOOTHING, total)
    if not is_present.all():
        found[:, ~is_present] = found[:, is_present].min(axis=1, keepdims=True)
    return found

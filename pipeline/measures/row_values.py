"""A score as the mean of one value for each row, from whose spread its standard error follows."""

from __future__ import annotations

import numpy as np

from ..arrays import Doubles, Flags, Labels
from ..options import Criterion


def row_values(truth: Labels, predicted: Labels, criterion: Criterion) -> Doubles:
    """Return a value for each row, float64 [rows], with the score of `predicted` as their mean.

    Both arguments are int64 [rows]. Accuracy is the mean of 1 for a row that is right and 0 for one that is
    wrong. Macro-F1 (see `metrics.scores`) is no mean, and is linearized: a value is the score plus the row's
    influence on it, which is its derivative by the row's weight times the rows (Efron 1982, The jackknife,
    the bootstrap and other resampling plans, chapter 6: the infinitesimal jackknife). The variance of the
    values over the number of rows is that of the score, the better the more rows the classes have.
    """
    right: Flags = truth == predicted
    if criterion == "accuracy":
        return right.astype(np.float64)
    classes = 1 + int(max(truth.max(), predicted.max()))
    rows, predictions, correct = (
        np.bincount(labels, minlength=classes) for labels in (truth, predicted, truth[right])
    )
    occurs = rows > 0
    size = np.maximum(1, rows + predictions)
    f1 = np.where(occurs, 2 * correct / size, 0.0)
    # F1 of a class is 2 correct / size, where a row adds to the size of its true and of its predicted class.
    influence = (2 * right - f1[truth]) / size[truth] - (f1 / size)[predicted]
    values: Doubles = (f1.sum() + len(truth) * influence) / occurs.sum()
    return values

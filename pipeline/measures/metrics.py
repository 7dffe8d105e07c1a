"""Accuracy, F1 and the confusion of classes, with their 95 % intervals."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..options import Criterion
from .paired import SIGNIFICANCE_LEVEL

Interval = tuple[float, float]  # of 95 %: its low and its high end
RESAMPLES = 1_000  # of a bootstrap
NORMAL_QUANTILE = 1.959963984540054  # of 0.975


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class in 0..1, and its number of rows."""

    label: str
    precision: float
    recall: float
    f1: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Scores:
    """Accuracy and macro-F1 of one classifier on the rows of one part, in 0..1, and its scores by class."""

    accuracy: float
    macro_f1: float
    classes: list[ClassScores]

    def value(self, criterion: Criterion) -> float:
        """Return the one that models are chosen by."""
        return self.accuracy if criterion == "accuracy" else self.macro_f1


def scores(
    truth: Labels, predicted: Labels, names: list[str], weights: NDArray[np.float32] | None = None
) -> Scores:
    """Return the scores of `predicted` int64 [rows], indices into `names` like `truth`.

    `weights` [rows] are those of the rows, by default all 1.

    A class that is never predicted has precision 0. Macro-F1 is the unweighted mean over the classes that
    occur in `truth`. A class that is predicted and does not occur has F1 0 and is left out, unlike in
    `sklearn.metrics.f1_score`: its rows already lower the recall of the classes that they belong to.
    """
    rows, correct, predictions = _counts(truth, predicted, len(names), weights)
    precision, recall = (correct / np.where(all_ > 0, all_, 1) for all_ in (predictions, rows))
    f1 = _f1(rows, correct, predictions)
    return Scores(
        accuracy=float(np.average(truth == predicted, weights=weights)),
        macro_f1=float(f1[rows > 0].mean()),
        classes=[
            ClassScores(name, *values)
            for name, *values in zip(
                names, precision.tolist(), recall.tolist(), f1.tolist(), rows.tolist(), strict=True
            )
        ],
    )


def _counts(
    truth: Labels, predicted: Labels, classes: int, weights: NDArray[Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return each class's rows, its correctly predicted rows and the rows predicted as it: [classes] each."""
    of_correct = truth == predicted
    return (
        np.bincount(truth, weights, classes),
        np.bincount(truth[of_correct], None if weights is None else weights[of_correct], classes),
        np.bincount(predicted, weights, classes),
    )


def _f1(rows: NDArray[Any], correct: NDArray[Any], predictions: NDArray[Any]) -> NDArray[np.float64]:
    """Return the F1 of each class [classes], 0 for a class that neither occurs nor is predicted."""
    both = rows + predictions
    f1: NDArray[np.float64] = 2 * correct / np.where(both > 0, both, 1)
    return f1


def confusion(truth: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """Return the confusion matrix, int64 [classes, classes]: true classes in rows, predicted in columns."""
    return np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)


def confusion_order(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the classes int64 [classes] in an order that puts those that are confused side by side.

    The order of the leaves under average linkage, for the distance of two classes falls as the share of
    their rows that `matrix` (see `confusion`) has confused rises.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage  # imported late: only reports need it
    from scipy.spatial.distance import squareform

    if len(matrix) < 3:
        return np.arange(len(matrix))
    shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    distance = 2 - (shares + shares.T)  # parenthesised, so that it is symmetric to the last bit
    np.fill_diagonal(distance, 0)
    order: NDArray[np.int64] = leaves_list(linkage(squareform(distance), "average")).astype(np.int64)
    return order


def confused_pairs(matrix: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return (true class, predicted class, rows) for all pairs that are confused, most rows first."""
    wrong = matrix - np.diag(np.diag(matrix))
    pairs = np.argwhere(wrong > 0)
    counts = wrong[tuple(pairs.T)]
    order = np.argsort(-counts, kind="stable")
    return [(*pairs[place].tolist(), int(counts[place])) for place in order.tolist()]


def wilson_interval(correct: int, rows: int) -> Interval:
    """Return the 95 % interval of the share correct / rows (Wilson 1927), which also holds for few rows.

    `rows` is 1 or more.
    """
    share, squared = correct / rows, NORMAL_QUANTILE**2
    centre = (correct + squared / 2) / (rows + squared)
    spread = NORMAL_QUANTILE / (rows + squared) * math.sqrt(share * (1 - share) * rows + squared / 4)
    return min(share, max(0.0, centre - spread)), max(share, min(1.0, centre + spread))  # rounding


def macro_f1_interval(truth: Labels, predicted: Labels, opponent: Labels, seed: int) -> Interval:
    """Return the 95 % interval of the macro-F1 of `predicted` minus that of `opponent` on the same rows.

    A paired bootstrap over rows (Efron 1979, percentile method). Macro-F1 depends only on how often each
    triple (truth, predicted, opponent) is drawn; these counts are multinomial, so they are drawn directly.

    The interval holds 0 where too few rows have other labels: where all of a few rows speak for one
    classifier, so does every resample of them. As of accuracies, a sign test of the rows must be able to be
    significant, which takes six.
    """
    triples, counts = np.unique(np.stack([truth, predicted, opponent]), axis=1, return_counts=True)
    random, differences = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        drawn = random.multinomial(len(truth), counts / len(truth))
        differences.append(
            _macro_f1(triples[0], triples[1], drawn) - _macro_f1(triples[0], triples[2], drawn)
        )
    low, high = np.percentile(differences, [2.5, 97.5]).tolist()
    if 2 * 0.5 ** int((predicted != opponent).sum()) >= SIGNIFICANCE_LEVEL:
        return min(low, 0.0), max(high, 0.0)
    return low, high


def _macro_f1(truth: Labels, predicted: Labels, counts: Labels) -> float:
    """Return the macro-F1, as `scores` has it, of rows that each stand for `counts` rows."""
    rows, *others = _counts(truth, predicted, int(max(truth.max(), predicted.max())) + 1, counts)
    return float(_f1(rows, *others)[rows > 0].mean())

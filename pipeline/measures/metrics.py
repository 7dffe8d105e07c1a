"""How good a classifier is, and whether it differs from another on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from .paired import paired

Labels = NDArray[np.int64]
RESAMPLES = 1_000
FEW = 100  # test rows
WIDTH = 79


def scores(truth: Labels, predicted: Labels, names: list[str]) -> dict[str, Any]:
    """Accuracy, macro-F1, and precision, recall, F1 and rows per class, all in 0..1.

    `truth` and `predicted` are int64 [rows], indices into `names`. A class that is never predicted has
    precision 0. Macro-F1 is the plain mean over the classes that occur in `truth`.
    """
    classes = np.arange(len(names))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=classes, zero_division=0
    )
    return {
        "accuracy": float(np.mean(truth == predicted)),
        "macro_f1": float(f1[support > 0].mean()),
        "classes": [
            {"label": name, "precision": float(p), "recall": float(r), "f1": float(f), "rows": int(n)}
            for name, p, r, f, n in zip(names, precision, recall, f1, support, strict=True)
        ],
    }


def confusion(truth: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """int64 [classes, classes]: rows are the true class, columns the predicted one."""
    matrix: NDArray[np.int64] = confusion_matrix(truth, predicted, labels=np.arange(classes))
    return matrix


def by_confusion(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 [classes]: the classes in an order in which those that are confused stand together.

    `matrix` is that of `confusion`. Average linkage by how seldom two classes are confused, of which the
    leaves are read off.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage  # here, as a fold has no use for it
    from scipy.spatial.distance import squareform

    if len(matrix) < 3:
        return np.arange(len(matrix))
    shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    distance = 2 - (shares + shares.T)  # in brackets, as rounding must be the same on both sides
    np.fill_diagonal(distance, 0)
    order: NDArray[np.int64] = leaves_list(linkage(squareform(distance), "average")).astype(np.int64)
    return order


def confused_pairs(matrix: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """True class, predicted class and rows, of all that was confused, the most rows first."""
    wrong = matrix - np.diag(np.diag(matrix))
    pairs = np.argwhere(wrong > 0)
    counts = wrong[tuple(pairs.T)]
    order = np.argsort(-counts, kind="stable")
    return [(*pairs[place].tolist(), int(counts[place])) for place in order.tolist()]


def wilson_interval(right: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of one row or more (Wilson 1927), which holds where rows are few."""
    share, square = right / rows, 1.959964**2 / rows
    middle = share + square / 2
    reach = np.sqrt(square * (share * (1 - share) + square / 4))
    low, high = (middle - reach) / (1 + square), (middle + reach) / (1 + square)
    return min(share, max(0.0, float(low))), max(share, min(1.0, float(high)))  # whatever rounding does


def macro_f1_interval(truth: Labels, predicted: Labels, other: Labels, seed: int) -> tuple[float, float]:
    """The 95 % interval of macro-F1 minus the other's on the same rows: a paired bootstrap over rows (Efron
    1979, percentile method), as none is known that holds where rows are few.

    Macro-F1 depends only on how often each (truth, predicted, other) is drawn, and these counts are
    multinomial: drawing them is drawing the rows.
    """
    kinds, counts = np.unique(np.stack([truth, predicted, other]), axis=1, return_counts=True)
    random, found = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        drawn = random.multinomial(len(truth), counts / len(truth))
        found.append(_macro_f1(kinds[0], kinds[1], drawn) - _macro_f1(kinds[0], kinds[2], drawn))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def _macro_f1(truth: Labels, predicted: Labels, counts: Labels) -> float:
    """Of rows that stand for `counts` rows each."""
    classes = int(max(truth.max(), predicted.max())) + 1
    rows = np.bincount(truth, counts, classes)
    right = np.bincount(truth, counts * (truth == predicted), classes)
    said = np.bincount(predicted, counts, classes)
    return float((2 * right / np.maximum(1, rows + said))[rows > 0].mean())


def compare(truth: Labels, predictions: dict[str, Labels], names: list[str], seed: int) -> dict[str, Any]:
    """The network beside its opponents on the same rows; shares are in 0..1.

    `predictions` holds int64 [rows] by `network`, `baseline` and `majority`. Intervals of 95 %: Wilson's of
    an accuracy, that of `paired.interval` of the difference of accuracies, and by a bootstrap with `seed`
    that of the difference of macro-F1.
    """
    network = scores(truth, predictions["network"], names)
    baseline = scores(truth, predictions["baseline"], names)
    majority = scores(truth, predictions["majority"], names)
    correct = {name: predicted == truth for name, predicted in predictions.items()}
    both, beside_majority = (paired(correct["network"], correct[name]) for name in ("baseline", "majority"))
    intervals = {name: wilson_interval(int(right.sum()), len(truth)) for name, right in correct.items()}
    of_macro_f1 = macro_f1_interval(truth, predictions["network"], predictions["baseline"], seed)
    return {
        "accuracy": network["accuracy"],
        "accuracy_interval": intervals["network"],
        "macro_f1": network["macro_f1"],
        "baseline_accuracy": baseline["accuracy"],
        "baseline_accuracy_interval": intervals["baseline"],
        "baseline_macro_f1": baseline["macro_f1"],
        "majority_accuracy": majority["accuracy"],
        "majority_accuracy_interval": intervals["majority"],
        "majority_macro_f1": majority["macro_f1"],
        "difference": both.difference,
        "difference_interval": (both.low, both.high),
        "macro_f1_difference": network["macro_f1"] - baseline["macro_f1"],
        "macro_f1_difference_interval": of_macro_f1,
        "majority_difference_interval": (beside_majority.low, beside_majority.high),
        "test_rows": len(truth),
        "classes": network["classes"],
        "confusion": confusion(truth, predictions["network"], len(names)).tolist(),
    }


def verdict(result: Mapping[str, Any]) -> str:
    """Of what `compare` found, whether the difference is clear: whether its interval holds no 0, which is
    whether McNemar's exact p is below 0.05."""
    low, high = result["difference_interval"]
    if low <= 0 <= high:
        return "no clear difference"
    return f"the {'network' if low > 0 else 'baseline'} is better"


def summary(result: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What `compare` found, as a small table, a verdict and what qualifies it; `names` are those of
    `contestants`."""
    wide = max(30, *(len(name) + 1 for name in names))
    lines = [f"  {'':<{wide}}{'accuracy':>8}  {'95 % interval':<16}{'macro-F1':>9}"]
    for name, key in names.items():
        low, high = result[f"{key}accuracy_interval"]
        spread = f"[{low:5.1%}, {high:5.1%}]"
        accuracy, f1 = result[f"{key}accuracy"], result[f"{key}macro_f1"]
        lines.append(f"  {name:<{wide}}{accuracy:8.1%}  {spread:<16}{f1:9.1%}")
    lines.append(f"  difference: {_difference(result)}")
    for one in cautions(result, names):
        lines.append(fill(one, WIDTH, initial_indent="  ", subsequent_indent="  "))
    return "\n".join(lines)


def cautions(result: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Sentences that qualify the verdict; none where there is nothing to say. `names` are those of
    `contestants`."""
    found = []
    network, baseline, _ = names
    if result["majority_difference_interval"][0] <= 0:
        found.append(
            f"The majority class is not really beaten: it has {result['majority_accuracy']:.1%} of the rows "
            f"right, the {network} {result['accuracy']:.1%}."
        )
    by_rows, by_classes = (round(100 * result[key], 1) for key in ("difference", "macro_f1_difference"))
    if by_rows * by_classes < 0:
        low, high = (100 * bound for bound in result["macro_f1_difference_interval"])
        found.append(
            f"By macro-F1, in which every class counts the same, it is the other way round: the {network} "
            f"has {result['macro_f1']:.1%}, {baseline} {result['baseline_macro_f1']:.1%}, "
            f"{by_classes:+.1f} points [{low:+.1f}, {high:+.1f}]."
        )
    return found + few_rows(result["test_rows"])


def few_rows(rows: int) -> list[str]:
    """What one test row is worth, if that is much."""
    return [f"There are only {rows} test rows: one of them is {100 / rows:.1f} points."] if rows < FEW else []


def headline(result: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The same in Markdown."""
    _, baseline, _ = names
    low, high = result["accuracy_interval"]
    return (
        f"**Accuracy {result['accuracy']:.1%}** [{low:.1%}, {high:.1%}] on {result['test_rows']:,} "
        f"test rows; {baseline} has {result['baseline_accuracy']:.1%}.  \n"
        + "  \n".join([f"Difference: {_difference(result)}.", *cautions(result, names)])
    )


def contestants(baseline: str, members: int = 1, ngrams: bool = False) -> dict[str, str]:
    """Their titles, and what their keys begin with in what `compare` gives. `members` and `ngrams` say what
    is pooled with the network; `baseline` is that opponent's title."""
    network = "network" if members == 1 else f"ensemble of {members} networks"
    return {network + " + n-grams" * ngrams: "", baseline: "baseline_", "majority class": "majority_"}


def _difference(result: Mapping[str, Any]) -> str:
    """With its interval, in points, and whether it is one."""
    low, high = (100 * bound for bound in result["difference_interval"])
    return f"{100 * result['difference']:+.1f} points [{low:+.1f}, {high:+.1f}]: {verdict(result)}"

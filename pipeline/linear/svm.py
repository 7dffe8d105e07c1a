"""Linear support vector machines for a rising C, one class against all others for each class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Floats, Labels
from .descent import WIDTHS, Group, descend, squared_lengths
from .naive_bayes import log_count_ratio, sums

C_VALUES = (0.03, 0.1, 0.3, 1.0, 3.0)  # of the squared hinge, as in scikit-learn's LinearSVC
LINE = 64  # bytes of the processor's cache


class Stop(NamedTuple):
    """When a fit ends: after so many epochs, or where all projected gradients are below `tolerance`."""

    epochs: int
    tolerance: float


# On 34 splits of MR, SST-2, TREC, banking77, ChnSentiCorp, NSMC and docstrings both members together have
# 0.02 points (standard error 0.02) less with 30 epochs than with 20, 0.05 (0.03) less with a tenth of the
# tolerance and up to 100, and 0.10 (0.06) less with 15 and twice the tolerance. At the largest C, 20 are too
# few to come near the optimum's labels.
ROUGH = Stop(30, 0.1)


class Machine(NamedTuple):
    """The scores of rows x are weights'x + bias: `weights` float32 [features, classes], `bias` [classes]."""

    C: float
    weights: Floats
    bias: Floats


def machines(
    matrix: Any,
    labels: Labels,
    classes: int,
    by_ratio: bool,
    balanced: bool,
    seed: int,
    values: Sequence[float] = C_VALUES,
    on_epochs: Callable[[int], None] = lambda epochs: None,
    stop: Stop = ROUGH,
    weights: Floats | None = None,
) -> Iterator[Machine]:
    """Fit a machine for each C, on a sparse matrix float32 [rows, features] and labels int64 [rows].

    Each starts from the one before, whose dual is feasible for any larger C. With two classes one machine
    serves both: half its score for the second and half against the first. If `by_ratio`, each feature stands
    twice, once as it is and once multiplied by the class's `log_count_ratio` (Wang & Manning 2012), both over
    the root of 2; the weights are the sum of both. If `balanced`, C is larger for rows of rare classes, so
    that every class has the same weight; `weights`, above 0 and [rows], multiply that of each row. The same
    seed gives the same bits. `stop` says when a fit is near enough to its optimum; `on_epochs` is called
    with 1 before each epoch and then with the number of those that were not needed, which makes
    `most_epochs` in all.
    """
    counts = np.bincount(labels, minlength=classes)
    costs = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)) if balanced else np.ones(classes)
    costs = costs[labels] if weights is None else costs[labels] * weights
    count = _fitted(classes)
    positives = labels - 1 if classes == 2 else labels
    groups = _groups(matrix, positives, count, by_ratio)
    random = np.random.default_rng(seed)
    for strength in values:
        slacks = (1 / (2 * strength * costs)).astype(np.float32)
        for group in groups:
            one = group._replace(slacks=slacks)
            for epoch in range(stop.epochs):
                on_epochs(1)
                if descend(one, random.permutation(len(labels))) < stop.tolerance:
                    on_epochs(stop.epochs - epoch - 1)
                    break
        normals, bias = _joined(groups, count)
        if classes == 2:
            half = np.float32(0.5)
            yield Machine(strength, half * np.hstack([-normals, normals]), half * np.hstack([-bias, bias]))
        else:
            yield Machine(strength, normals, bias)


def most_epochs(classes: int, values: Sequence[float] = C_VALUES, stop: Stop = ROUGH) -> int:
    """Return the most epochs that `machines` takes for so many classes, of all groups and C together."""
    return len(_widths(_fitted(classes))) * len(values) * stop.epochs


def _fitted(classes: int) -> int:
    """Return how many of the classes have a machine of their own: of two, the second alone."""
    return 1 if classes == 2 else classes


def _groups(matrix: Any, positives: Labels, classes: int, by_ratio: bool) -> list[Group]:
    """Return the classes in groups, not yet fitted; `positives` int64 [rows] is the class of each row."""
    rows, features = matrix.shape
    starts, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False)
    values = matrix.data.astype(np.float32, copy=False)
    lengths = 1 + np.asarray(matrix.multiply(matrix).sum(axis=1), np.float32)
    widths = _widths(classes)
    squares = {width: lengths.repeat(width, 1) for width in set(widths) if not by_ratio}
    total = sums(matrix) if by_ratio else None
    groups, first = list[Group](), 0
    for width in widths:
        scales = np.empty((0, width), np.float32)
        if by_ratio:
            scales = _zeros(features, width)
            scales[:] = 1
            for number in range(min(width, classes - first)):
                # Two copies of a feature are one whose square is the sum of theirs. The ratio alone has a
                # point less on average of TREC, SST-2, ChnSentiCorp and NSMC, and 4 points on 300 rows of
                # the third.
                ratio = log_count_ratio(matrix, positives == first + number, total=total)
                scales[:, number] = (1 + np.square(ratio)) / 2
        groups.append(
            Group(
                starts,
                columns,
                values,
                positives - first,
                squared_lengths(starts, columns, values, scales) if by_ratio else squares[width],
                slacks=np.empty(0, np.float32),
                scales=scales,
                dual=_zeros(rows, width),
                weights=_zeros(features, width),
                bias=np.zeros(width, np.float32),
            )
        )
        first += width
    return groups


def _zeros(rows: int, width: int) -> Floats:
    """Return zeros, float32 [rows, width], aligned to a cache line.

    A row of the widest group fills one: an epoch takes a fifth less time than with rows in two of them.
    """
    zeros = np.zeros(rows * width + LINE // 4, np.float32)
    start = -zeros.ctypes.data % LINE // 4
    return zeros[start : start + rows * width].reshape(rows, width)


def _widths(classes: int) -> list[int]:
    """Return the sizes of groups for so many classes: the largest, and of the last as small as can be."""
    full, rest = divmod(classes, WIDTHS[-1])
    last = [next(width for width in WIDTHS if width >= rest)] if rest else []
    return [WIDTHS[-1]] * full + last


def _joined(groups: list[Group], left: int) -> tuple[Floats, Floats]:
    """Return the weights and the bias of `left` classes, without what fills up the last group."""
    weights, bias = list[Floats](), list[Floats]()
    for group in groups:
        weights.append(group.weights[:, :left])
        bias.append(group.bias[:left])
        left -= len(group.bias)
    return np.concatenate(weights, axis=1), np.concatenate(bias)

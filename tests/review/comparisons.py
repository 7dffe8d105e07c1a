"""A comparison of a network with its opponents on made-up rows, for tests of figures."""

from __future__ import annotations

import numpy as np

from pipeline.measures.comparison import Comparison, Opponent, compare


def compared(classes: int) -> Comparison:
    """Ten rows of each class, every third taken for the next one; the baseline is wrong on half."""
    truth = np.repeat(np.arange(classes), 10)
    wrong = np.arange(len(truth)) % 3 == 0
    network = np.where(wrong, (truth + 1) % classes, truth)
    baseline = np.where(np.arange(len(truth)) % 2, 0, truth)
    names = [f"$class$ {number}\n" + "x" * 99 for number in range(classes)]
    opponents = {"linear": Opponent(baseline, 0.8), "majority": Opponent(np.zeros_like(truth), 0.5)}
    return compare(truth, network, opponents, names, "accuracy", seed=1)

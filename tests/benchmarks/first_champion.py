"""How often the gate calls a first champion significantly better by macro-F1 that is as good as its rival.

    .venv/bin/python -m tests.benchmarks.first_champion

Two classifiers of 40 rows in two classes have other labels on a few rows, on each of which a coin says who is
right: they are equals, so that one side should be significantly better in at most 2.5 %. Beside the interval
that the gate takes stands that of the bootstrap alone.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import f1_score

from pipeline.measures.metrics import RESAMPLES, macro_f1_interval
from pipeline.terminal import say

ROWS, TRIALS = 40, 500


def pair(random: np.random.Generator, changed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = random.permutation(np.repeat([0, 1], ROWS // 2))
    new, old = truth.copy(), truth.copy()
    coins = random.random(changed) < 0.5
    new[:changed] = np.where(coins, truth[:changed], 1 - truth[:changed])
    old[:changed] = np.where(coins, 1 - truth[:changed], truth[:changed])
    return truth, new, old


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the macro-F1 of each resample, float64 [resamples], of labels int64 [resamples, rows]."""
    by_class = []
    for label in (0, 1):
        right = ((truth == label) & (predicted == label)).sum(axis=1)
        by_class.append(
            2 * right / np.maximum(1, (truth == label).sum(axis=1) + (predicted == label).sum(axis=1))
        )
    return np.mean(by_class, axis=0)


def bootstrap_low(truth: np.ndarray, new: np.ndarray, old: np.ndarray, random: np.random.Generator) -> float:
    drawn = random.integers(0, ROWS, (RESAMPLES, ROWS))
    gains = macro_f1(truth[drawn], new[drawn]) - macro_f1(truth[drawn], old[drawn])
    return float(np.percentile(gains, 2.5))


def main() -> None:
    random = np.random.default_rng(1)
    truth, new, _ = pair(random, 8)
    assert np.isclose(macro_f1(truth[None], new[None])[0], f1_score(truth, new, average="macro"))
    say(f"{'other labels':>12}{'bootstrap alone':>18}{'the gate':>12}")
    for changed in (3, 4, 5, 6):
        alone, gate = 0, 0
        for trial in range(TRIALS):
            labels = pair(random, changed)
            alone += bootstrap_low(*labels, random) > 0
            gate += macro_f1_interval(*labels, seed=trial)[0] > 0
        say(f"{changed:>12}{alone / TRIALS:>18.1%}{gate / TRIALS:>12.1%}")


if __name__ == "__main__":
    main()

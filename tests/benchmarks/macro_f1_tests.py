"""How often the intervals of a difference in macro-F1 hold the true difference: 95 % is right.

    .venv/bin/python -m tests.benchmarks.macro_f1_tests

Two naive Bayes classifiers read ten features each of twenty, which are all alike. The rare of two classes
has 10 or 30 % of the rows. The true difference of two fitted classifiers is that on 20,000 rows; that of
seeds (the first classifier on other draws of its training rows) is the mean over 20 of them; over folds it
is 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from pipeline.measures.comparison import Opponent, compare
from pipeline.measures.metrics import scores
from pipeline.studies.cross_validation import over_seeds
from pipeline.studies.t_tests import Difference, over_folds
from pipeline.terminal import say

NAMES = ["frequent", "rare"]
TRIALS, LEARNED, SEEDS, FOLDS = 150, 300, 3, 10
FEATURES = (slice(0, 10), slice(10, 20))
Rows = tuple[np.ndarray, np.ndarray]  # float64 [rows, 20], int64 [rows]
Label = Callable[[np.ndarray], np.ndarray]


def drawn(random: np.random.Generator, rows: int, share: float) -> Rows:
    labels = (np.arange(rows) < round(share * rows)).astype(int)
    return random.normal(size=(rows, 20)) + 0.5 * labels[:, None], labels


def fitted(rows: Rows, which: int) -> Label:
    model = GaussianNB().fit(rows[0][:, FEATURES[which]], rows[1])
    return lambda features: model.predict(features[:, FEATURES[which]])


def again(random: np.random.Generator, rows: Rows) -> Rows:
    chosen = random.integers(0, len(rows[1]), len(rows[1]))
    return rows[0][chosen], rows[1][chosen]


def macro_f1(rows: Rows, label: Label) -> float:
    return scores(rows[1], label(rows[0]), NAMES).macro_f1


def holds(interval: tuple[float, float], true: float) -> bool:
    return interval[0] <= true <= interval[1]


def of_one_part(random: np.random.Generator, share: float, test: Rows, everyone: Rows) -> bool:
    training = drawn(random, LEARNED, share)
    first, second = fitted(training, 0), fitted(training, 1)
    opponents = {"b": Opponent(second(test[0]), 1.0), "majority": Opponent(np.zeros_like(test[1]), 0.0)}
    found = compare(test[1], first(test[0]), opponents, NAMES, "macro_f1", seed=1)
    return holds(found.lead.interval, macro_f1(everyone, first) - macro_f1(everyone, second))


def of_seeds(random: np.random.Generator, share: float, test: Rows, everyone: Rows) -> tuple[bool, bool]:
    """Whether the interval over rows and seeds holds the true difference, and a t-test's over seeds alone."""
    training = drawn(random, LEARNED, share)
    second = fitted(training, 1)
    seeds = [fitted(again(random, training), 0) for _ in range(20)]
    true = np.mean([macro_f1(everyone, seed) for seed in seeds]) - macro_f1(everyone, second)
    network = [seed(test[0]) for seed in seeds[:SEEDS]]
    found = over_seeds([test[1]] * SEEDS, network, [second(test[0])] * SEEDS, "macro_f1")
    gains = np.array([macro_f1(test, seed) - macro_f1(test, second) for seed in seeds[:SEEDS]])
    alone = over_folds(gains, 10**9)  # without the correction for folds
    return holds(ends(found), true), holds(ends(alone), true)


def of_folds(random: np.random.Generator, share: float, rows: int) -> bool:
    features, labels = drawn(random, rows, share)
    gains = []
    for learned, tested in StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(features, labels):
        training, test = (features[learned], labels[learned]), (features[tested], labels[tested])
        gains.append(macro_f1(test, fitted(training, 0)) - macro_f1(test, fitted(training, 1)))
    return holds(ends(over_folds(np.array(gains), FOLDS)), 0)


def ends(difference: Difference) -> tuple[float, float]:
    return difference.low, difference.high


def main() -> None:
    say(f"{'rows':>6}{'rare':>6}{'one part':>12}{'seeds, rows':>14}{'seeds alone':>14}{'folds':>8}")
    for rows in (200, 1000):
        for share in (0.1, 0.3):
            random = np.random.default_rng(1)
            everyone = drawn(random, 20_000, share)
            one, seeds, folds = [], [], []
            for _ in range(TRIALS):
                test = drawn(random, rows, share)
                one.append(of_one_part(random, share, test, everyone))
                folds.append(of_folds(random, share, rows))
                seeds.append(of_seeds(random, share, test, everyone))
            both, alone = np.mean(seeds, axis=0)
            say(
                f"{rows:>6}{share:>6.0%}{np.mean(one):>12.1%}{both:>14.1%}{alone:>14.1%}{np.mean(folds):>8.1%}"
            )


if __name__ == "__main__":
    main()

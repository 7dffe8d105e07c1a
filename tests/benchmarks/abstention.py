"""How often `ABSTAIN=precision:` and `precision-by-class:` miss their target, and what they label.

And how often the interval of the AUROC of out-of-scope rows holds the true one.

.venv/bin/python -m tests.benchmarks.abstention        # a minute

Validation parts are drawn of classifiers whose precision from every probability on is known. A target of
0.95 is missed where the labels from the chosen probability on are less precise in truth; it may be so in 5 %
of the draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from pipeline.measures import abstention
from pipeline.measures.abstention import Outcomes
from pipeline.measures.unseen import Separation

DRAWS, PRECISION = 2000, 0.95
SIZES = (100, 300, 1000, 5000)
PLACES = 20_000  # at which a classifier's precision is known, the surest first
# The chance that a label is right, by the share of rows that are surer.
CLASSIFIERS = {
    "94.9 % of any rows right": lambda place: np.full_like(place, 0.949),
    "94.9 % of the surest half": lambda place: np.where(place < 0.5, 0.949, 0.7),
    "97 %, then 94 %": lambda place: np.where(place < 0.3, 0.97, 0.94),
    "falls evenly to 60 %": lambda place: 1 - 0.4 * place,
    "falls late to 75 %": lambda place: 1 - 0.25 * place**2,
    "surest rows not the best": lambda place: np.where(place < 0.1, 0.93, 0.99 - 0.2 * place),
}
Chance = Callable[[np.ndarray], np.ndarray]
CLASSES = 4  # of `precision-by-class`, of 8/15, 4/15, 2/15 and 1/15 of the rows


def main() -> None:
    print(f"{DRAWS:,} validation parts each; precision {PRECISION}; labelled: mean share, at best, none")
    print(f"{'':28}{'rows':>6}{'missed':>9}{'labelled':>10}{'at best':>9}{'none':>7}")
    for name, chance in CLASSIFIERS.items():
        for rows in SIZES:
            missed, labelled, best, none = simulated(chance, rows)
            print(f"{name:28}{rows:6,}{missed:9.1%}{labelled:10.1%}{best:9.1%}{none:7.1%}")
    print(f"\nby class, {CLASSES} classes that fall late to 75 %: targets missed of those of each class")
    for rows in SIZES:
        shares = " ".join(f"{share:7.1%}" for share in by_class(CLASSIFIERS["falls late to 75 %"], rows))
        print(f"{rows:6,} rows: {shares}")
    print("\nAUROC of normal scores: how often its interval of 95 % holds the true one")
    for true in (0.6, 0.8, 0.95):
        for known, unseen in ((400, 20), (400, 200), (3000, 1000)):
            print(f"  {true:5.2f} of {known:5,} and {unseen:5,} rows: {held(true, known, unseen):.1%}")


def held(true: float, known: int, unseen: int) -> float:
    """Return how often the interval holds the true area."""
    random, distance = np.random.default_rng(1), 2**0.5 * norm.ppf(true)
    intervals = [
        Separation.of_rows(
            "",
            (random.normal(size=known) + distance).astype(np.float32),
            random.normal(size=unseen).astype(np.float32),
        ).interval
        for _ in range(DRAWS // 2)
    ]
    return float(np.mean([low <= true <= high for low, high in intervals]))


def simulated(chance: Chance, rows: int) -> tuple[float, ...]:
    """Return the shares of missed targets, of labelled rows, of those at best, and of draws without any."""
    true = _true_precision(chance)
    best = np.flatnonzero(true >= PRECISION).max(initial=-1) + 1
    random = np.random.default_rng(1)
    found = [_labelled(chance, random.random(rows), random) for _ in range(DRAWS)]
    missed = [share > 0 and true[math.ceil(share * PLACES) - 1] < PRECISION - 1e-9 for share in found]
    shares = np.array(found)
    return float(np.mean(missed)), float(shares.mean()), best / PLACES, float((shares == 0).mean())


def by_class(chance: Chance, rows: int) -> list[float]:
    true, random = _true_precision(chance), np.random.default_rng(1)
    weights = 0.5 ** np.arange(CLASSES)
    missed = np.zeros(CLASSES)
    for _ in range(DRAWS // 4):
        place, label = random.random(rows), random.choice(CLASSES, rows, p=weights / weights.sum())
        found = abstention.class_thresholds(_outcomes(chance, place, label, random), PRECISION, CLASSES)
        for number, threshold in enumerate(found.tolist()):
            share = 1 - threshold
            missed[number] += share > 0 and true[math.ceil(share * PLACES) - 1] < PRECISION - 1e-9
    return (missed / (DRAWS // 4)).tolist()


def _labelled(chance: Chance, place: np.ndarray, random: np.random.Generator) -> float:
    threshold = abstention.threshold(_outcomes(chance, place, np.zeros(len(place)), random), PRECISION)
    return 0.0 if threshold is None else max(1 / PLACES, 1 - threshold)


def _outcomes(chance: Chance, place: np.ndarray, label: np.ndarray, random: np.random.Generator) -> Outcomes:
    """Return rows whose probability orders them as their places do."""
    correct = random.random(len(place)) < chance(place)
    return Outcomes((1 - place).astype(np.float32), label.astype(np.int32), correct)


def _true_precision(chance: Chance) -> np.ndarray:
    """Return the precision of the labels of the surest rows, [PLACES]."""
    right = chance((np.arange(PLACES) + 0.5) / PLACES)
    return np.cumsum(right) / np.arange(1, PLACES + 1)


if __name__ == "__main__":
    main()

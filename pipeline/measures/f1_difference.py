"""Two classifiers' F1 on the same rows, and how far it would differ by chance if both were equally good."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from ..arrays import Doubles, Labels

EXCHANGES = 1_000


class F1Difference(NamedTuple):
    """F1 of two classifiers in 0..1, and the standard deviation of the difference if they were equal."""

    new: float
    old: float
    standard_error: float

    @property
    def difference(self) -> float:
        """New minus old."""
        return self.new - self.old

    @property
    def one_sided_p(self) -> float:
        """How often, of two equals, the new one is as far behind or farther (normal approximation)."""
        return float(ndtr(self.difference / self.standard_error)) if self.standard_error else 1.0


def compare_f1(
    truth: Labels, new: Labels, old: Labels, seed: int
) -> tuple[F1Difference, dict[int, F1Difference]]:
    """Compare macro-F1, and the F1 of each class in `truth`; all three are int64 [rows].

    If the two were equally good, their labels could be exchanged on any row: for each row a coin is tossed,
    EXCHANGES times over (approximate randomization: Noreen 1989; for F1, Yeh 2000, COLING). The mean of
    such differences is 0; their root mean square is the standard error. Of accuracies it would be
    sqrt(changed rows) / rows.
    """
    names, codes = np.unique(np.concatenate([truth, new, old]), return_inverse=True)
    truth, new, old = codes.reshape(3, -1)
    rows = np.bincount(truth, minlength=len(names))
    present = np.flatnonzero(rows)
    triples, counts = np.unique(np.stack([truth, new, old]), axis=1, return_counts=True)

    def f1(kept: Labels) -> Doubles:
        """Return the F1 of each class where so many of a triple's rows have the new label, others the old."""
        labels, weights = np.concatenate([triples[1], triples[2]]), np.concatenate([kept, counts - kept])
        right = np.bincount(labels, weights * (labels == np.tile(triples[0], 2)), len(names))
        predicted = np.bincount(labels, weights, len(names))
        return 2 * right[present] / (rows + predicted)[present]

    random = np.random.default_rng(seed)
    tosses = (random.binomial(counts, 0.5) for _ in range(EXCHANGES))
    by_class = np.stack([f1(kept) - f1(counts - kept) for kept in tosses])
    own, others = f1(counts), f1(np.zeros_like(counts))
    macro = F1Difference(float(own.mean()), float(others.mean()), _root_mean_square(by_class.mean(axis=1)))
    classes = {
        int(names[code]): F1Difference(
            float(own[place]), float(others[place]), _root_mean_square(by_class[:, place])
        )
        for place, code in enumerate(present)
    }
    return macro, classes


def _root_mean_square(values: Doubles) -> float:
    return float(np.sqrt(np.mean(values**2)))

"""How often an equal opponent is called better or worse, if folds in time order are counted several times.

`python -m tests.benchmarks.repeated_folds` simulates the differences on folds that the corrected resampled
t-test assumes: of two classifiers that are as good in truth, correlated by 1/folds. The share of significant
differences, which should be 5 %, is printed with each fold counted once, and repeated by other seeds. Those
make other folds by chance, but the same ones in time order, where only the training differs: `crossval`
refuses REPEATS= there.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from pipeline.studies.t_tests import over_folds

EXPERIMENTS = 4000


def main() -> None:
    print("folds  share of chance in training   once   3 times   10 times")
    for folds, chance in product((3, 5, 10), (0.0, 0.3)):
        shares = "".join(f"{false_claims(folds, repeats, chance):10.1%}" for repeats in (1, 3, 10))
        print(f"{folds:5} {chance:24.1f} {shares}")


def false_claims(folds: int, repeats: int, chance: float) -> float:
    """Return the share of the experiments whose difference is significant.

    `chance` is the share of the variance of a fold's difference that comes anew with each training.
    """
    random = np.random.default_rng(0)
    correlation = 1 / folds
    claims = 0
    for _ in range(EXPERIMENTS):
        common = random.normal(0, np.sqrt(correlation))
        of_fold = random.normal(0, np.sqrt(1 - correlation - min(chance, 1 - correlation)), folds)
        trained = random.normal(0, np.sqrt(min(chance, 1 - correlation)), (repeats, folds))
        claims += over_folds((common + of_fold + trained).ravel(), folds).is_significant
    return claims / EXPERIMENTS


if __name__ == "__main__":
    main()

"""How often an ensemble is called better or worse, over seeds, than an opponent that is as good in truth.

`python -m tests.benchmarks.shared_members` simulates cross-validations on one test part. A run's ensemble has
members whose seeds are those that follow the run's, which the runs then share, or that are derived from it.
The share of significant differences, which should be 5 %, is printed for both. A member's margin on a row is
the row's own, plus what its training was worth on all rows, plus chance.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from pipeline.options import derived_seed
from pipeline.studies.t_tests import over_rows

EXPERIMENTS = 1000
TRAINING = (0.03, 0.1)  # standard deviations of its worth: 0.7 and 2.3 points; that of rows' margins is 1
CHANCE = 0.3  # of a member on one row


def main() -> None:
    print("training  test rows  runs  members   seeds that follow   derived seeds")
    for training, rows, runs, members in product(TRAINING, (500, 5000), (3, 10), (3, 10)):
        follow, derived = (
            false_claims(training, rows, runs, members, seed) for seed in (_next, derived_seed)
        )
        print(f"{training:8} {rows:10,} {runs:5} {members:8} {follow:19.1%} {derived:15.1%}")


def _next(seed: int, number: int) -> int:
    return seed + number


def false_claims(
    training: float, rows: int, runs: int, members: int, member_seed: Callable[[int, int], int]
) -> float:
    """Return the share of the experiments whose difference is significant."""
    seeds = [[member_seed(run, number) for number in range(members)] for run in range(1, runs + 1)]
    distinct, member_of = np.unique(seeds, return_inverse=True)
    member_of = member_of.reshape(runs, members)
    random = np.random.default_rng(1)
    claims = 0
    for _ in range(EXPERIMENTS):
        margins = random.normal(1, 1, rows)
        worth = random.normal(0, training, (len(distinct), 1)).astype(np.float32)
        networks = worth + CHANCE * random.standard_normal((len(distinct), rows), np.float32)
        pooled = networks[member_of].mean(axis=1)
        # The opponent's margin on a row is distributed as the ensemble's, so it is right as often.
        opponent = random.normal(0, np.hypot(training, CHANCE) / np.sqrt(members), rows)
        gains = (margins + pooled > 0).astype(float) - (margins + opponent > 0)
        claims += over_rows(gains).is_significant
    return claims / EXPERIMENTS


if __name__ == "__main__":
    main()

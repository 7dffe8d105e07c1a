"""How often the intervals of `make curve` hold the truth, by simulation.

    .venv/bin/python -m tests.benchmarks.learning_curve

Each of 400 corpora has four normal classes, 400 rows to learn from and its own test rows. The classifier is
that of the nearest centroid, on a random half of the features, which stands for the seed of a network. The
truth is the mean accuracy, on 3,000 other test rows, over 40 draws of half of the same rows and as many
seeds. Prints the share of intervals of 95 % that hold it, for the gain of the last doubling and for the
accuracies on both sides of it: as `make curve` has them, and as the test rows alone would give them, from the
first draw.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.corpus.subset import entry_shares
from pipeline.measures.metrics import wilson_interval
from pipeline.studies.learning_curve import score
from pipeline.studies.t_tests import over_rows

CORPORA, ROWS, CLASSES, FEATURES, DRAWS = 400, 400, 4, 40, 3
TRUTH_DRAWS, TRUTH_ROWS = 40, 3000

Rows = tuple[NDArray[np.float64], NDArray[np.int64]]  # features [rows, features] and labels [rows]


def main() -> None:
    for test_rows in (100, 1000):
        found = [simulate(test_rows, seed) for seed in range(CORPORA)]
        print(f"{test_rows} test rows           held by `make curve`   by rows alone   mean width, points")
        for name in found[0]:
            ours, alone, width = np.mean([one[name] for one in found], axis=0)
            print(f"  {name:<22} {ours:19.1%} {alone:15.1%} {100 * width:16.1f}")


def simulate(test_rows: int, seed: int) -> dict[str, tuple[bool, bool, float]]:
    """Return whether each interval holds the truth, whether that of one draw does, and the width of ours."""
    random = np.random.default_rng(seed)
    centres = random.normal(0, 0.35, (CLASSES, FEATURES))

    def drawn(rows: int) -> Rows:
        labels = random.integers(0, CLASSES, rows)
        return centres[labels] + random.normal(0, 1, (rows, FEATURES)), labels

    pool, test, other = drawn(ROWS), drawn(test_rows), drawn(TRUTH_ROWS)
    learned = [_networks(pool, draw) for draw in range(TRUTH_DRAWS)]
    half, full = (
        np.array([networks[size](test) for networks in learned[:DRAWS]], float) for size in range(2)
    )
    truth = [np.mean([networks[size](other).mean() for networks in learned]) for size in range(2)]
    gain, gain_alone = over_rows(full - half), over_rows((full - half)[:1])
    result = {
        "gain of the doubling": (
            gain.low <= truth[1] - truth[0] <= gain.high,
            gain_alone.low <= truth[1] - truth[0] <= gain_alone.high,
            gain.high - gain.low,
        )
    }
    for name, right, true in (("accuracy at 50 %", half, truth[0]), ("accuracy at 100 %", full, truth[1])):
        found, (low, high) = score(right), wilson_interval(int(right[0].sum()), test_rows)
        result[name] = (found.low <= true <= found.high, low <= true <= high, found.high - found.low)
    return result


def _networks(pool: Rows, draw: int) -> list[Callable[[Rows], NDArray[np.bool_]]]:
    """Return what tells which rows are right, learned from half of the pool and from all of it."""
    features, labels = pool
    enters = entry_shares(np.arange(len(labels)), labels, draw)
    return [_nearest_centroid(features[enters <= share], labels[enters <= share], draw) for share in (0.5, 1)]


def _nearest_centroid(
    features: NDArray[np.float64], labels: NDArray[np.int64], seed: int
) -> Callable[[Rows], NDArray[np.bool_]]:
    used = np.random.default_rng([seed, len(labels)]).permutation(FEATURES)[: FEATURES // 2]
    centroids = np.array([features[labels == label].mean(axis=0) for label in range(CLASSES)])[:, used]

    def is_right(rows: Rows) -> NDArray[np.bool_]:
        scores = rows[0][:, used] @ centroids.T - (centroids**2).sum(axis=1) / 2
        right: NDArray[np.bool_] = scores.argmax(axis=1) == rows[1]
        return right

    return is_right


if __name__ == "__main__":
    main()

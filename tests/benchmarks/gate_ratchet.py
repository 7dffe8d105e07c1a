"""What the gate's limit does to a champion that equally good runs challenge, and to runs that are better.

.venv/bin/python -m tests.benchmarks.gate_ratchet

Runs are drawn, not trained: each row has a probability of being right, drawn from a beta distribution by
which a run has 80 % right and two equal ones differ on 13 % of the rows; a better run has a higher one on
every row. "Any row more" was the gate's limit before; "one standard error" is `Decision.is_enough`; "and the
luck of N" also demands more than what luck gives the best of the N runs so far. About a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.paired import PairedDifference
from pipeline.release.decision import Decision, by_accuracy

TRIES = 1_500
RUNS = 20
GAINS = (1, 2, 3)  # points
DIFFICULTY = (0.53, 0.1325)  # of the beta distribution
Correct = NDArray[np.bool_]  # [rows]
Limit = Callable[[Correct, Correct, int], bool]


def any_row_more(new: Correct, champion: Correct, looks: int) -> bool:
    return int(new.sum()) > int(champion.sum())


def decision(new: Correct, champion: Correct, looks: int) -> Decision:
    fixed, broken, rows = int((new & ~champion).sum()), int((champion & ~new).sum()), len(new)
    difference = (fixed - broken) / rows  # its interval and p decide nothing
    paired = PairedDifference(
        rows=rows, fixed=fixed, broken=broken, difference=difference, low=-1, high=1, p=1
    )
    return by_accuracy(paired, looks)


def one_standard_error(new: Correct, champion: Correct, looks: int) -> bool:
    return decision(new, champion, looks).is_enough


def and_the_luck_of_many(new: Correct, champion: Correct, looks: int) -> bool:
    decided = decision(new, champion, looks)
    return decided.is_enough and decided.difference > decided.luck


def draw(random: np.random.Generator, right: NDArray[np.float64], gain: int = 0) -> Correct:
    """Return a run's rows; one that is better by so many points closes the same share of every row's gap."""
    share = gain / 100 / (1 - right.mean())
    drawn: Correct = random.random(len(right)) < right + (1 - right) * share
    return drawn


def measure(rows: int, limits: dict[str, Limit]) -> None:
    random = np.random.default_rng(1)
    inflation, promotions = defaultdict[str, float](float), defaultdict[str, int](int)
    at_first, at_last = defaultdict[tuple[str, int], int](int), defaultdict[tuple[str, int], int](int)
    for _ in range(TRIES):
        right = random.beta(*DIFFICULTY, rows)
        runs = [draw(random, right) for _ in range(RUNS)]
        better = {gain: (draw(random, right, gain), draw(random, right, gain)) for gain in GAINS}
        for title, is_enough in limits.items():
            champion = runs[0]
            for gain, (early, _) in better.items():
                at_first[title, gain] += is_enough(early, champion, 2)
            for looks, run in enumerate(runs[1:], 2):
                if is_enough(run, champion, looks):
                    champion = run
                    promotions[title] += 1
            inflation[title] += 100 * (champion.mean() - right.mean())
            for gain, (_, late) in better.items():
                at_last[title, gain] += is_enough(late, champion, RUNS + 1)
    for title in limits:
        shares = (
            f"{100 * found[title, gain] / TRIES:5.0f}" for found in (at_first, at_last) for gain in GAINS
        )
        print(
            f"{rows:5,}  {title:<20}{inflation[title] / TRIES:9.2f}{promotions[title] / TRIES:12.1f}  ",
            *shares,
        )


def main() -> None:
    print(f"{'':27}after {RUNS} equals    % promoted that are +1 +2 +3 points better")
    print(
        f"{'rows':>5}  {'limit':<20}{'inflation':>9}{'promotions':>12}   as second run     as run {RUNS + 1}"
    )
    for rows in (300, 2_000):
        measure(
            rows,
            {
                "any row more": any_row_more,
                "one standard error": one_standard_error,
                "and the luck of N": and_the_luck_of_many,
            },
        )


if __name__ == "__main__":
    main()

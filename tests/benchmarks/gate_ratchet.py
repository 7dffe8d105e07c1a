"""What the gate's limit does to a champion that equally good runs challenge, and to runs that are better.

.venv/bin/python -m tests.benchmarks.gate_ratchet

Runs are drawn, not trained: each row has a probability of being right, drawn from a beta distribution by
which a run has 80 % right and two equal ones differ on 13 % of the rows; a better run has a higher one on
every row. "Spent over all" is `Decision.is_enough`, which asks more of each challenger of one champion; one
standard error was the gate's limit before, for each of them, and one row before that. Ten seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.paired import PairedDifference
from pipeline.release.decision import ROUNDING, Decision, by_accuracy

TRIES = 1_500
CHALLENGERS = 20
GAINS = (1, 2, 3)  # points
DIFFICULTY = (0.53, 0.1325)  # of the beta distribution
Correct = NDArray[np.bool_]  # [rows]
Limit = Callable[[Correct, Correct, int], bool]


def any_row_more(new: Correct, champion: Correct, challenger: int) -> bool:
    return int(new.sum()) > int(champion.sum())


def decision(new: Correct, champion: Correct, challenger: int) -> Decision:
    fixed, broken, rows = int((new & ~champion).sum()), int((champion & ~new).sum()), len(new)
    difference = (fixed - broken) / rows  # its interval and p decide nothing
    paired = PairedDifference(
        rows=rows, fixed=fixed, broken=broken, difference=difference, low=-1, high=1, p=1
    )
    return by_accuracy(paired, looks=challenger + 1, challenger=challenger)


def one_standard_error(new: Correct, champion: Correct, challenger: int) -> bool:
    decided = decision(new, champion, challenger)
    return decided.difference > decided.standard_error + ROUNDING


def spent_over_all(new: Correct, champion: Correct, challenger: int) -> bool:
    return decision(new, champion, challenger).is_enough


def draw(random: np.random.Generator, right: NDArray[np.float64], gain: int = 0) -> Correct:
    """Return a run's rows; one that is better by so many points closes the same share of every row's gap."""
    share = gain / 100 / (1 - right.mean())
    drawn: Correct = random.random(len(right)) < right + (1 - right) * share
    return drawn


def measure(rows: int, limits: dict[str, Limit]) -> None:
    random = np.random.default_rng(1)
    inflation, deposed, promotions = defaultdict[str, float](float), Counter[str](), Counter[str]()
    at_first, at_last = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for _ in range(TRIES):
        right = random.beta(*DIFFICULTY, rows)
        runs = [draw(random, right) for _ in range(1 + CHALLENGERS)]
        better = {gain: (draw(random, right, gain), draw(random, right, gain)) for gain in GAINS}
        for title, is_enough in limits.items():
            champion, challenger = runs[0], 0
            for gain, (early, _) in better.items():
                at_first[title, gain] += is_enough(early, champion, 1)
            for run in runs[1:]:
                challenger += 1
                if is_enough(run, champion, challenger):
                    champion, challenger = run, 0
                    promotions[title] += 1
            deposed[title] += champion is not runs[0]
            inflation[title] += 100 * (champion.mean() - right.mean())
            for gain, (_, late) in better.items():
                at_last[title, gain] += is_enough(late, champion, challenger + 1)
    for title in limits:
        shares = (
            f"{100 * found[title, gain] / TRIES:5.0f}" for found in (at_first, at_last) for gain in GAINS
        )
        print(
            f"{rows:5,}  {title:<20}{100 * deposed[title] / TRIES:8.0f} %{promotions[title] / TRIES:12.2f}"
            f"{inflation[title] / TRIES:11.2f}  ",
            *shares,
        )


def main() -> None:
    print(f"{'':27}after {CHALLENGERS} equals{'':21}% promoted that are +1 +2 +3 points better")
    print(
        f"{'rows':>5}  {'limit':<20}{'deposed':>10}{'promotions':>12}{'inflation':>11}   first challenger  "
        f"after {CHALLENGERS}"
    )
    for rows in (300, 2_000):
        measure(
            rows,
            {
                "any row more": any_row_more,
                "one standard error": one_standard_error,
                "spent over all": spent_over_all,
            },
        )


if __name__ == "__main__":
    main()

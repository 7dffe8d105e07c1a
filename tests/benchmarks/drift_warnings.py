"""How often `predict` warns of drift where there is none, and where the shares moved by five points.

`python -m tests.benchmarks.drift_warnings` draws validation rows and files of new rows, and prints the share
of the files with a warning: of labels by the numbers of classes, validation rows and new rows, and of unknown
words by the rows, whose shares vary from row to row and whose lengths are skewed. Without drift, one file in
a thousand should warn. Five points of the rows move from the other classes to one of them, or from the first
half of the classes to the second.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from pipeline.encoder import TokenCounts
from pipeline.prediction.drift import Reference, drift_lines, histogram

FILES = 200
VALIDATED = (50, 300, 1000, 5000)
NEW = (300, 100_000)
MOVED = 0.05


def main() -> None:
    random = np.random.default_rng(1)
    print("classes  validated       new    no drift   5 points to one class   to half of the classes")
    falsely = 0
    cells = [*product((2, 10, 50, 150), VALIDATED, NEW)]
    for classes, validated, new in cells:
        usual = np.full(classes, 1 / classes)
        to_one = usual + MOVED * (np.eye(classes)[-1] - usual) / (1 - usual[-1])
        to_half = usual + MOVED * np.where(np.arange(classes) < classes // 2, -1, 1) * 2 / classes
        none, one, half = (
            _label_warnings(usual, shares, validated, new, random) for shares in (usual, to_one, to_half)
        )
        falsely += none
        print(
            f"{classes:7} {validated:10,} {new:9,} {none / FILES:11.1%} {one / FILES:23.0%}"
            f" {half / FILES:24.0%}"
        )
    print(f"without drift, {falsely} of {FILES * len(cells):,} files warn\n")

    print("unknown words\nvalidated       new   no drift   5 % become 10 %")
    for validated, new in product(VALIDATED, (300, 10_000)):
        none, drift = (_word_warnings(share, validated, new, random) for share in (0.05, 0.1))
        print(f"{validated:9,} {new:9,} {none / FILES:10.1%} {drift / FILES:17.0%}")


def _label_warnings(
    usual: np.ndarray, shares: np.ndarray, validated: int, new: int, random: np.random.Generator
) -> int:
    """Return the number of files that warn of labels whose shares are `usual` when validated."""
    labels = [str(number) for number in range(len(usual))]
    count = 0
    for _ in range(FILES):
        reference = Reference.from_counts(random.multinomial(validated, usual), None)
        classes = random.multinomial(new, shares)
        lines = drift_lines(reference, labels, classes, 0, 0, histogram(TokenCounts.none()))
        count += any("warning" in line for line in lines)
    return count


def _word_warnings(share: float, validated: int, new: int, random: np.random.Generator) -> int:
    """Return the number of files that warn of unknown words, 5 % of which are unknown when validated."""
    count = 0
    for _ in range(FILES):
        reference = Reference.from_counts(np.array([validated]), _tokens(0.05, validated, random))
        tokens = _tokens(share, new, random)
        totals = int(tokens.total.sum()), int(tokens.unknown.sum())
        lines = drift_lines(reference, ["a"], np.array([new]), *totals, histogram(tokens))
        count += any("warning" in line for line in lines)
    return count


def _tokens(share: float, rows: int, random: np.random.Generator) -> TokenCounts:
    """Return rows of a median of 15 tokens, of which a share that varies by row is unknown."""
    total = np.ceil(random.lognormal(np.log(15), 1, rows)).astype(np.int64)
    unknown = random.binomial(total, random.beta(share, 1 - share, rows))
    return TokenCounts(total, total, unknown)


if __name__ == "__main__":
    main()

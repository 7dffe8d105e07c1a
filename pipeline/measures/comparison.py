"""The network compared with the baseline and the majority class on the same test rows."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..terminal import TERMINAL_WIDTH
from .metrics import Interval, Scores, confusion, macro_f1_interval, scores, wilson_interval
from .paired import compare_paired, format_p

FEW_ROWS = 100  # of a test part, below which one row is worth a point or more


@dataclass(frozen=True)
class Titles:
    """Names of the three classifiers, for people."""

    network: str
    baseline: str
    majority: str = "majority class"


def network_title(members: int = 1, ngrams: bool = False) -> str:
    """Return the title of `members` networks, pooled with the baseline's n-grams if `ngrams`."""
    network = "network" if members == 1 else f"ensemble of {members} networks"
    return f"{network} + n-grams" if ngrams else network


@dataclass(frozen=True)
class Performance:
    """Scores of one classifier on the test rows, and the 95 % interval of its accuracy."""

    scores: Scores
    accuracy_interval: Interval

    @classmethod
    def from_predictions(cls, truth: Labels, predicted: Labels, names: list[str]) -> Performance:
        """Measure `predicted` int64 [rows], indices into `names` like `truth`."""
        correct = int((predicted == truth).sum())
        return cls(scores(truth, predicted, names), wilson_interval(correct, len(truth)))

    def to_json(self, prefix: str = "") -> dict[str, Any]:
        """Return its entries in metrics.json, whose keys begin with `prefix`."""
        return {
            f"{prefix}accuracy": self.scores.accuracy,
            f"{prefix}accuracy_interval": self.accuracy_interval,
            f"{prefix}macro_f1": self.scores.macro_f1,
        }


@dataclass(frozen=True)
class Comparison:
    """Performances on the same test rows, and the network's minus its opponents'; shares are in 0..1.

    Intervals are of 95 %: of a difference of accuracies that of `paired.interval`, of macro-F1 a bootstrap's.
    """

    network: Performance
    baseline: Performance
    majority: Performance
    difference: float  # of accuracies, network minus baseline
    difference_interval: Interval
    p: float  # of the difference of accuracies: McNemar's exact two-sided test
    macro_f1_difference_interval: Interval
    majority_difference_interval: Interval  # of accuracies, network minus majority class
    test_rows: int
    confusion: NDArray[np.int64]  # of the network, see `metrics.confusion`

    @property
    def macro_f1_difference(self) -> float:
        """The network's macro-F1 minus the baseline's."""
        return self.network.scores.macro_f1 - self.baseline.scores.macro_f1

    @property
    def verdict(self) -> str:
        """The verdict on the network in a few words, with McNemar's p."""
        p = f"(p {format_p(self.p)})"
        if not self.is_significant:
            return f"no significant difference {p}"
        return f"significantly {'better' if self.difference > 0 else 'worse'} {p}"

    @property
    def is_significant(self) -> bool:
        """True if the interval of the difference of accuracies excludes 0, which is where p < 0.05."""
        low, high = self.difference_interval
        return not low <= 0 <= high

    def to_json(self) -> dict[str, Any]:
        """Return its entries in metrics.json."""
        return {
            **self.network.to_json(),
            **self.baseline.to_json("baseline_"),
            **self.majority.to_json("majority_"),
            "difference": self.difference,
            "difference_interval": self.difference_interval,
            "macro_f1_difference": self.macro_f1_difference,
            "macro_f1_difference_interval": self.macro_f1_difference_interval,
            "majority_difference_interval": self.majority_difference_interval,
            "test_rows": self.test_rows,
            "classes": [entry.to_json() for entry in self.network.scores.classes],
            "confusion": self.confusion.tolist(),
        }


def compare(
    truth: Labels, network: Labels, baseline: Labels, majority: Labels, names: list[str], seed: int
) -> Comparison:
    """Compare the labels that were predicted for the same rows, all int64 [rows], indices into `names`.

    `seed` is that of the bootstrap.
    """
    opponent = compare_paired(network == truth, baseline == truth)
    floor = compare_paired(network == truth, majority == truth)
    return Comparison(
        network=Performance.from_predictions(truth, network, names),
        baseline=Performance.from_predictions(truth, baseline, names),
        majority=Performance.from_predictions(truth, majority, names),
        difference=opponent.difference,
        difference_interval=(opponent.low, opponent.high),
        p=opponent.p,
        macro_f1_difference_interval=macro_f1_interval(truth, network, baseline, seed),
        majority_difference_interval=(floor.low, floor.high),
        test_rows=len(truth),
        confusion=confusion(truth, network, len(names)),
    )


def summary(comparison: Comparison, titles: Titles) -> str:
    """Return a small table of the three, the verdict, and the cautions, within 79 columns."""
    rows = [
        (titles.network, comparison.network),
        (titles.baseline, comparison.baseline),
        (titles.majority, comparison.majority),
    ]
    width = max(30, *(len(title) + 1 for title, _ in rows))
    lines = [f"  {'':<{width}}{'accuracy':>8}  {'95 % interval':<16}{'macro-F1':>9}"]
    for title, performance in rows:
        low, high = performance.accuracy_interval
        spread = f"[{low:5.1%}, {high:5.1%}]"
        accuracy, macro_f1 = performance.scores.accuracy, performance.scores.macro_f1
        lines.append(f"  {title:<{width}}{accuracy:8.1%}  {spread:<16}{macro_f1:9.1%}")
    for sentence in [f"difference: {_difference(comparison)}", *cautions(comparison, titles)]:
        lines.append(fill(sentence, TERMINAL_WIDTH, initial_indent="  ", subsequent_indent="  "))
    return "\n".join(lines)


def headline(comparison: Comparison, titles: Titles) -> str:
    """Return the accuracy, the difference and the cautions in Markdown."""
    network, baseline = comparison.network, comparison.baseline
    low, high = network.accuracy_interval
    return (
        f"**Accuracy {network.scores.accuracy:.1%}** [{low:.1%}, {high:.1%}] on {comparison.test_rows:,} "
        f"test rows; {titles.baseline} has {baseline.scores.accuracy:.1%}.  \n"
        + "  \n".join([f"Difference: {_difference(comparison)}.", *cautions(comparison, titles)])
    )


def cautions(comparison: Comparison, titles: Titles) -> list[str]:
    """Return sentences that qualify the verdict, none if there is nothing to add."""
    sentences = []
    network, baseline, majority = comparison.network, comparison.baseline, comparison.majority
    if comparison.majority_difference_interval[0] <= 0:
        sentences.append(
            f"The {titles.network} is not significantly better than the majority class: "
            f"{network.scores.accuracy:.1%} against {majority.scores.accuracy:.1%} accuracy."
        )
    by_rows = round(100 * comparison.difference, 1)
    by_classes = round(100 * comparison.macro_f1_difference, 1)
    if by_rows * by_classes < 0:
        low, high = (100 * bound for bound in comparison.macro_f1_difference_interval)
        sentences.append(
            f"By macro-F1, in which every class counts the same, it is the other way round: the "
            f"{titles.network} has {network.scores.macro_f1:.1%}, {titles.baseline} "
            f"{baseline.scores.macro_f1:.1%}, {by_classes:+.1f} points [{low:+.1f}, {high:+.1f}]."
        )
    return sentences + few_rows(comparison.test_rows)


def few_rows(rows: int) -> list[str]:
    """Return a caution on what one test row is worth, none if that is little."""
    if rows >= FEW_ROWS:
        return []
    return [f"There are only {rows} test rows: one of them is {100 / rows:.1f} points."]


def _difference(comparison: Comparison) -> str:
    """Return the difference of accuracies in points, with its interval and verdict."""
    low, high = (100 * bound for bound in comparison.difference_interval)
    return f"{100 * comparison.difference:+.1f} points [{low:+.1f}, {high:+.1f}]: {comparison.verdict}"

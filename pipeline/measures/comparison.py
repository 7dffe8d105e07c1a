"""The network compared with its opponents on the same test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..options import CRITERIA, Criterion
from ..terminal import wrapped
from .metrics import Interval, Scores, confusion, macro_f1_interval, scores, wilson_interval
from .paired import compare_paired, format_p

MAJORITY = "majority"  # the key of the opponent that each corpus has
FEW_ROWS = 100  # of a test part, below which one row is worth a point or more


@dataclass(frozen=True)
class Titles:
    """Names of the network and of its opponents, by their keys, for people."""

    network: str
    opponents: Mapping[str, str]


def network_title(members: int = 1, ngrams: bool = False) -> str:
    """Return the title of `members` networks, pooled with the linear model's n-grams if `ngrams`."""
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
class Opponent:
    """The labels that an opponent predicts for the test rows, int64 [rows].

    `validation_score` is its score on held-out rows by the criterion that the network was chosen by.
    """

    predicted: Labels
    validation_score: float


@dataclass(frozen=True)
class Lead:
    """The network's score minus an opponent's, in 0..1, with its 95 % interval.

    Of accuracies, p is that of McNemar's exact two-sided test, and the interval that of `paired.interval`. Of
    macro-F1 there is a bootstrap's interval alone.
    """

    difference: float
    interval: Interval
    p: float | None = None

    @property
    def is_significant(self) -> bool:
        """True if the interval excludes 0, which of accuracies is where p < 0.05."""
        low, high = self.interval
        return not low <= 0 <= high

    @property
    def verdict(self) -> str:
        """The verdict on the network in a few words."""
        p = "" if self.p is None else f" (p {format_p(self.p)})"
        if not self.is_significant:
            return f"no significant difference{p}"
        return f"significantly {'better' if self.difference > 0 else 'worse'}{p}"


@dataclass(frozen=True)
class Comparison:
    """Performances on the same test rows, and the network's leads over its opponents.

    The verdict is by the `criterion` that the network was chosen by. `strongest` is the key of the opponent
    with the highest validation score, so that the test rows have no part in the choice.
    """

    criterion: Criterion
    network: Performance
    opponents: dict[str, Performance]
    strongest: str
    leads: dict[Criterion, Lead]  # over the strongest
    majority_lead: Lead  # over the majority class, by the criterion
    test_rows: int
    confusion: NDArray[np.int64]  # of the network, see `metrics.confusion`

    @property
    def baseline(self) -> Performance:
        """The performance of the strongest opponent."""
        return self.opponents[self.strongest]

    @property
    def lead(self) -> Lead:
        """The lead over the strongest opponent by the criterion."""
        return self.leads[self.criterion]

    def to_json(self) -> dict[str, Any]:
        """Return its entries in metrics.json.

        Those of each opponent begin with its key. Those of the strongest, which `baseline` names, are there a
        second time as `baseline_*`: whatever opponents a run has, these compare it with others.
        """
        accuracy, macro_f1 = self.leads["accuracy"], self.leads["macro_f1"]
        entries = {"criterion": self.criterion, **self.network.to_json(), "baseline": self.strongest}
        for key, performance in {"baseline": self.baseline, **self.opponents}.items():
            entries |= performance.to_json(f"{key}_")
        return entries | {
            "difference": accuracy.difference,
            "difference_interval": accuracy.interval,
            "macro_f1_difference": macro_f1.difference,
            "macro_f1_difference_interval": macro_f1.interval,
            "majority_difference_interval": self.majority_lead.interval,
            "test_rows": self.test_rows,
            "classes": [entry.to_json() for entry in self.network.scores.classes],
            "confusion": self.confusion.tolist(),
        }


def compare(
    truth: Labels,
    network: Labels,
    opponents: Mapping[str, Opponent],
    names: list[str],
    criterion: Criterion,
    seed: int,
) -> Comparison:
    """Compare the labels that were predicted for the same rows, all int64 [rows], indices into `names`.

    `opponents` are by their keys, of which `MAJORITY` is the last. Of several that are equally good on the
    held-out rows, the first is the strongest. `seed` is that of the bootstrap.
    """
    strongest = max(opponents, key=lambda key: opponents[key].validation_score)

    def lead(key: str, measure: Criterion) -> Lead:
        over = _accuracy_lead if measure == "accuracy" else _macro_f1_lead
        return over(truth, network, opponents[key].predicted, names, seed)

    return Comparison(
        criterion=criterion,
        network=Performance.from_predictions(truth, network, names),
        opponents={
            key: Performance.from_predictions(truth, opponent.predicted, names)
            for key, opponent in opponents.items()
        },
        strongest=strongest,
        leads={measure: lead(strongest, measure) for measure in CRITERIA},
        majority_lead=lead(MAJORITY, criterion),
        test_rows=len(truth),
        confusion=confusion(truth, network, len(names)),
    )


def _accuracy_lead(truth: Labels, network: Labels, opponent: Labels, names: list[str], seed: int) -> Lead:
    paired = compare_paired(network == truth, opponent == truth)
    return Lead(paired.difference, (paired.low, paired.high), paired.p)


def _macro_f1_lead(truth: Labels, network: Labels, opponent: Labels, names: list[str], seed: int) -> Lead:
    difference = scores(truth, network, names).macro_f1 - scores(truth, opponent, names).macro_f1
    return Lead(difference, macro_f1_interval(truth, network, opponent, seed))


def summary(comparison: Comparison, titles: Titles) -> str:
    """Return a small table of all classifiers, the verdict, and the cautions, within 79 columns."""
    rows = [(titles.network, comparison.network)]
    rows += [(titles.opponents[key], performance) for key, performance in comparison.opponents.items()]
    width = max(30, *(len(title) + 1 for title, _ in rows))
    lines = [f"  {'':<{width}}{'accuracy':>8}  {'95 % interval':<16}{'macro-F1':>9}"]
    for title, performance in rows:
        low, high = performance.accuracy_interval
        spread = f"[{low:5.1%}, {high:5.1%}]"
        accuracy, macro_f1 = performance.scores.accuracy, performance.scores.macro_f1
        lines.append(f"  {title:<{width}}{accuracy:8.1%}  {spread:<16}{macro_f1:9.1%}")
    for sentence in [f"difference: {_difference(comparison, titles)}", *cautions(comparison, titles)]:
        lines.append(wrapped(sentence))
    return "\n".join(lines)


def headline(comparison: Comparison, titles: Titles) -> str:
    """Return the score by the criterion, the difference and the cautions in Markdown."""
    network, baseline, criterion = comparison.network, comparison.baseline, comparison.criterion
    title = titles.opponents[comparison.strongest]
    low, high = network.accuracy_interval
    score, opposite = (performance.scores.value(criterion) for performance in (network, baseline))
    spread = f" [{low:.1%}, {high:.1%}]" if criterion == "accuracy" else ""
    return (
        f"**{capitalized(CRITERIA[criterion])} {score:.1%}**{spread} on {comparison.test_rows:,} test rows; "
        f"{title} has {opposite:.1%}.  \n"
        + "  \n".join([f"Difference: {_difference(comparison, titles)}.", *cautions(comparison, titles)])
    )


def cautions(comparison: Comparison, titles: Titles) -> list[str]:
    """Return sentences that qualify the verdict, none if there is nothing to add."""
    sentences = []
    network, criterion = comparison.network.scores, comparison.criterion
    if comparison.strongest != MAJORITY and comparison.majority_lead.interval[0] <= 0:
        majority = comparison.opponents[MAJORITY].scores
        sentences.append(
            f"The {titles.network} is not significantly better than the majority class: "
            f"{network.value(criterion):.1%} against {majority.value(criterion):.1%} {CRITERIA[criterion]}."
        )
    other: Criterion = "macro_f1" if criterion == "accuracy" else "accuracy"
    chosen, contrary = comparison.lead, comparison.leads[other]
    if round(100 * chosen.difference, 1) * round(100 * contrary.difference, 1) < 0:
        meaning = "macro-F1, in which every class counts the same," if other == "macro_f1" else "accuracy"
        sentences.append(
            f"By {meaning} it is the other way round: the {titles.network} has {network.value(other):.1%}, "
            f"{titles.opponents[comparison.strongest]} {comparison.baseline.scores.value(other):.1%}, "
            f"{_points(contrary)}."
        )
    return sentences + few_rows(comparison.test_rows)


def few_rows(rows: int) -> list[str]:
    """Return a caution on what one test row is worth, none if that is little."""
    if rows >= FEW_ROWS:
        return []
    return [f"There are only {rows} test rows: one of them is {100 / rows:.1f} points."]


def unknown_labels(unknown: int, rows: int) -> str:
    """Return a sentence on test rows whose label no training row has."""
    has = "row has" if unknown == 1 else "rows have"
    return (
        f"{unknown:,} of {rows:,} test {has} a label that no training row has: every classifier is wrong "
        "there, and macro-F1 counts such a label as a class of F1 0"
    )


def capitalized(name: str) -> str:
    """Return the name with a capital at its beginning, and as it is from there on."""
    return name[:1].upper() + name[1:]


def _difference(comparison: Comparison, titles: Titles) -> str:
    """Return the difference by the criterion in points, with its interval, its opponent and the verdict."""
    measure = "" if comparison.criterion == "accuracy" else f" of {CRITERIA[comparison.criterion]}"
    return (
        f"{_points(comparison.lead, measure)} from {titles.opponents[comparison.strongest]}, the strongest "
        f"opponent on held-out rows: {comparison.lead.verdict}"
    )


def _points(lead: Lead, measure: str = "") -> str:
    low, high = (100 * bound for bound in lead.interval)
    return f"{100 * lead.difference:+.1f} points{measure} [{low:+.1f}, {high:+.1f}]"

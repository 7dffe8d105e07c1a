"""Comparison of a network with its opponents over the folds or seeds of one cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..measures.metrics import scores
from ..options import Criterion, Section
from ..terminal import shorten
from . import t_tests
from .t_tests import Difference

MAX_TITLE_COLUMNS = 29  # as long as the longest title of an opponent
MEASURES: dict[Criterion, str] = {"accuracy": "Accuracy", "macro_f1": "Macro-F1"}

Scores = dict[Criterion, NDArray[np.float64]]  # [folds], in 0..1


@dataclass(frozen=True)
class FoldPredictions:
    """The true labels of one fold's test part, and those that each contestant predicts, int64 [rows].

    `predicted` has the key "network" first, then the keys of the opponents in `BASELINES`.
    """

    truth: Labels
    predicted: Mapping[str, Labels]


@dataclass(frozen=True)
class ContestantResult:
    """The scores of one classifier on each fold, and the network's accuracy minus its own.

    `key` is that of `FoldPredictions`. `difference` is None for the network itself.
    """

    key: str
    title: str
    scores: Scores
    difference: Difference | None

    def mean(self, measure: Criterion) -> float:
        """Return the mean score over folds, in 0..1."""
        return float(self.scores[measure].mean())


class ContestantScores(Section):
    """A `ContestantResult` as crossval.json holds it."""

    accuracy: list[float]
    macro_f1: list[float]
    difference: dict[str, float] | None

    @classmethod
    def from_result(cls, contestant: ContestantResult) -> ContestantScores:
        return cls(
            accuracy=contestant.scores["accuracy"].tolist(),
            macro_f1=contestant.scores["macro_f1"].tolist(),
            difference=asdict(contestant.difference) if contestant.difference else None,
        )


class CrossValidation(Section):
    """The content of crossval.json; scores and errors are in 0..1.

    `contestants` are keyed by title: the network's is `model`, which includes what was set on the command
    line.
    """

    corpus: str
    model: str
    folds: int
    runs: int
    test_rows: int
    rows: str  # a digest of what the opponents depend on
    criterion: Criterion  # by which the opponents were chosen, too
    published: float | None  # the accuracy in the model's paper, in %
    contestants: dict[str, ContestantScores]
    calibration_error_before: list[float]  # of each fold, at temperature 1
    calibration_error: list[float]  # at the fitted temperature
    verdict: str


def contestant_results(
    folds: Sequence[FoldPredictions], titles: Mapping[str, str], names: list[str], fold_count: int
) -> list[ContestantResult]:
    """Return every contestant's scores and its difference to the network, the network first.

    `titles` maps the contestants' keys to titles, `names` are those of the classes, and `fold_count` is 1
    where seeds were run on one test part.
    """
    truth = [fold.truth for fold in folds]
    labels = {key: [fold.predicted[key] for fold in folds] for key in folds[0].predicted}
    return [
        ContestantResult(
            key,
            titles[key],
            fold_scores(truth, predicted, names),
            None if key == "network" else difference(truth, labels["network"], predicted, fold_count),
        )
        for key, predicted in labels.items()
    ]


def fold_scores(truth: Sequence[Labels], predicted: Sequence[Labels], names: list[str]) -> Scores:
    """Return the scores of one contestant; both arguments hold int64 [rows] for each fold or seed."""
    by_fold = [scores(*labels, names) for labels in zip(truth, predicted, strict=True)]
    return {measure: np.array([fold.value(measure) for fold in by_fold]) for measure in MEASURES}


def difference(
    truth: Sequence[Labels], network: Sequence[Labels], opponent: Sequence[Labels], fold_count: int
) -> Difference:
    """Return the network's accuracy minus the opponent's; `fold_count` is 1 for seeds on one test part."""
    gains = [
        (network_labels == true).astype(float) - (opponent_labels == true)
        for true, network_labels, opponent_labels in zip(truth, network, opponent, strict=True)
    ]
    if fold_count > 1:
        return t_tests.over_folds(np.array([gain.mean() for gain in gains]), fold_count)
    return t_tests.over_rows(np.array(gains))


def verdict(contestants: Sequence[ContestantResult], criterion: Criterion) -> str:
    """Return which contestant to ship, and whether it differs significantly from its strongest rival.

    The network comes first in `contestants`. The rival is the opponent of the highest mean accuracy; it is
    shipped unless the network is significantly better, as it costs less. If the contestants were chosen by
    macro-F1, a second sentence compares that.
    """
    network, *opponents = contestants
    rival = max(opponents, key=lambda opponent: opponent.mean("accuracy"))
    lead, name = rival.difference, shown(network.title)
    assert lead is not None
    points = f"{abs(100 * lead.mean):.1f} points"
    if not lead.is_significant:
        sentence = (
            f"Ship {rival.title}, which costs less: no significant difference ({lead.formatted_p}) "
            f"from {name}, {points}."
        )
    elif lead.mean > 0:
        sentence = f"Ship {name}: significantly better ({lead.formatted_p}) than {rival.title}, by {points}."
    else:
        sentence = f"Ship {rival.title}: {name} is significantly worse ({lead.formatted_p}), by {points}."
    if criterion == "macro_f1":
        best = max(opponents, key=lambda opponent: opponent.mean("macro_f1"))
        sentence += (
            f" By macro-F1, which they were selected by, {name} has {100 * network.mean('macro_f1'):.1f} %"
            f" and {best.title} {100 * best.mean('macro_f1'):.1f} %."
        )
    return sentence


def shown(title: str) -> str:
    """Return a title cut to the width of a table's column; a model's continues with what was set."""
    return shorten(title, MAX_TITLE_COLUMNS)


def table(contestants: Sequence[ContestantResult]) -> str:
    """Return mean and standard deviation of each contestant, in lines of at most 79 columns."""
    width = max(len(shown(contestant.title)) for contestant in contestants)
    lines = [f"  {'':<{width}}{'accuracy, %':>13}{'macro-F1, %':>13}  network - it, points"]
    for contestant in contestants:
        accuracy, f1 = (
            f"{100 * values.mean():5.1f} ± {100 * values.std(ddof=1):4.1f}"
            for values in (contestant.scores[measure] for measure in MEASURES)
        )
        lead = str(contestant.difference or "")
        lines.append(f"  {shown(contestant.title):<{width}}{accuracy:>13}{f1:>13}  {lead}".rstrip())
    return "\n".join(lines)

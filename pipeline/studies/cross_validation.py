"""Comparison of a network with its opponents over the folds or seeds of one cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..baselines.catalogue import BASELINES
from ..measures.metrics import scores
from ..measures.row_values import row_values
from ..options import CRITERIA, Criterion, Section
from ..terminal import shorten
from . import t_tests
from .t_tests import Difference

MAX_TITLE_COLUMNS = 29  # as long as the longest title of an opponent

Scores = dict[Criterion, NDArray[np.float64]]  # [folds], in 0..1


@dataclass(frozen=True)
class FoldPredictions:
    """The true labels of one fold's test part, and those that each contestant predicts, int64 [rows].

    `predicted` has the key "network" first, then the keys of the opponents in `BASELINES`;
    `validation_scores` are those of the opponents, by the criterion.
    """

    truth: Labels
    predicted: Mapping[str, Labels]
    validation_scores: Mapping[str, float]


@dataclass(frozen=True)
class ContestantResult:
    """The scores of one classifier on each fold, and the network's minus its own.

    `key` is that of `FoldPredictions`. `validation_score` is the mean over folds, by the criterion. The
    network itself has neither that nor `differences`.
    """

    key: str
    title: str
    scores: Scores
    validation_score: float | None = None
    differences: Mapping[Criterion, Difference] | None = None

    def mean(self, measure: Criterion) -> float:
        """Return the mean score over folds, in 0..1."""
        return float(self.scores[measure].mean())


class ContestantScores(Section):
    """A `ContestantResult` as crossval.json holds it."""

    accuracy: list[float]
    macro_f1: list[float]
    validation_score: float | None
    differences: dict[Criterion, dict[str, float]] | None

    @classmethod
    def from_result(cls, contestant: ContestantResult) -> ContestantScores:
        return cls(
            accuracy=contestant.scores["accuracy"].tolist(),
            macro_f1=contestant.scores["macro_f1"].tolist(),
            validation_score=contestant.validation_score,
            differences={measure: asdict(found) for measure, found in contestant.differences.items()}
            if contestant.differences
            else None,
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
    network, *opponents = folds[0].predicted
    labels = {key: [fold.predicted[key] for fold in folds] for key in (network, *opponents)}
    of_network = fold_scores(truth, labels[network], names)
    results = [ContestantResult(network, titles[network], of_network)]
    for key in opponents:
        validation_score = float(np.mean([fold.validation_scores[key] for fold in folds]))
        own = fold_scores(truth, labels[key], names)
        if fold_count > 1:
            leads = {
                measure: t_tests.over_folds(of_network[measure] - own[measure], fold_count)
                for measure in CRITERIA
            }
        else:
            leads = {
                measure: over_seeds(truth, labels[network], labels[key], measure) for measure in CRITERIA
            }
        results.append(ContestantResult(key, titles[key], own, validation_score, leads))
    return results


def fold_scores(truth: Sequence[Labels], predicted: Sequence[Labels], names: list[str]) -> Scores:
    """Return the scores of one contestant; both arguments hold int64 [rows] for each fold or seed."""
    by_fold = [scores(*labels, names) for labels in zip(truth, predicted, strict=True)]
    return {measure: np.array([fold.value(measure) for fold in by_fold]) for measure in CRITERIA}


def over_seeds(
    truth: Sequence[Labels], network: Sequence[Labels], opponent: Sequence[Labels], measure: Criterion
) -> Difference:
    """Return the network's score minus the opponent's on one test part, int64 [rows] for each seed."""
    gains = [
        row_values(true, network_labels, measure) - row_values(true, opponent_labels, measure)
        for true, network_labels, opponent_labels in zip(truth, network, opponent, strict=True)
    ]
    return t_tests.over_rows(np.array(gains))


def verdict(contestants: Sequence[ContestantResult], criterion: Criterion) -> str:
    """Return which contestant to ship, and whether it differs significantly from its strongest rival.

    The network comes first in `contestants`. The rival is the opponent of the highest mean score on
    held-out rows, so that the test parts have no part in the choice; it is shipped unless the network is
    significantly better, as it costs less. The criterion that the contestants were chosen by decides; where
    that is macro-F1, a second sentence gives their accuracy.
    """
    network, *opponents = contestants
    rival = max(opponents, key=lambda opponent: opponent.validation_score or 0.0)
    assert rival.differences is not None
    lead, name = rival.differences[criterion], shown(network.title)
    measure = "" if criterion == "accuracy" else f" of {CRITERIA[criterion]}"
    points = f"{abs(100 * lead.mean):.1f} points{measure}"
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
        sentence += (
            f" Of accuracy, {name} has {100 * network.mean('accuracy'):.1f} % and {rival.title} "
            f"{100 * rival.mean('accuracy'):.1f} %."
        )
    return sentence


def contestant_titles(model: str) -> dict[str, str]:
    """Return the titles of all contestants by their keys, the network's, which is `model`, first."""
    return {"network": model} | {key: baseline.title for key, baseline in BASELINES.items()}


def shown(title: str) -> str:
    """Return a title cut to the width of a table's column; a model's continues with what was set."""
    return shorten(title, MAX_TITLE_COLUMNS)


def table(contestants: Sequence[ContestantResult], criterion: Criterion) -> str:
    """Return mean and standard deviation of each contestant, in lines of at most 79 columns.

    The network's difference to each is by the criterion.
    """
    width = max(len(shown(contestant.title)) for contestant in contestants)
    heading = "network - it, points" if criterion == "accuracy" else "network - it, F1"
    lines = [f"  {'':<{width}}{'accuracy, %':>13}{'macro-F1, %':>13}  {heading}"]
    for contestant in contestants:
        accuracy, f1 = (
            f"{100 * values.mean():5.1f} ± {100 * values.std(ddof=1):4.1f}"
            for values in (contestant.scores[measure] for measure in CRITERIA)
        )
        lead = contestant.differences[criterion] if contestant.differences else ""
        lines.append(f"  {shown(contestant.title):<{width}}{accuracy:>13}{f1:>13}  {lead}".rstrip())
    return "\n".join(lines)

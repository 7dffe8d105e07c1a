"""The measures of a classifier on rows that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..arrays import Flags, Floats, Labels
from ..inputs import Images, Sequences
from ..measures import slices
from ..measures.abstention import Outcomes
from ..measures.calibration import Reliability, error_by_chance, reliability
from ..measures.comparison import Comparison, Opponent, Performance, compare
from ..measures.metrics import Interval, Scores, scores
from ..measures.selective import Selective, selective
from ..measures.slices import SliceAccuracy
from ..measures.softmax import softmax
from ..measures.unseen import LeftOutClasses, Other, Separation
from ..options import CRITERIA, Criterion
from ..prediction.classifier import Classifier
from ..prediction.pool import Pool


@dataclass(frozen=True)
class ScoredRows:
    """Rows of a corpus with the logits and probabilities that a classifier gives them.

    `rows` has the columns file, line, label (a code), copied and, of texts, text; `inputs` are the rows as
    the classifier takes them. `logits` and `probabilities` are float32 [rows, classes]. `unknown` are the
    names of labels that are no class, whose codes follow those of the classes: no prediction of such a row is
    right.
    """

    classifier: Classifier
    rows: pd.DataFrame
    inputs: Sequences | Images
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    unknown: Sequence[str] = ()

    @classmethod
    def from_corpus(
        cls,
        classifier: Classifier,
        rows: pd.DataFrame,
        inputs: Sequences | Images,
        selected: pd.Series[bool],
        unknown: Sequence[str] = (),
    ) -> ScoredRows:
        """Score the `selected` rows of a corpus."""
        inputs = inputs.select(np.flatnonzero(selected))
        logits = classifier.logits(inputs)
        return cls(classifier, rows[selected], inputs, logits, classifier.softmax(logits), unknown)

    @property
    def names(self) -> list[str]:
        """The labels by their codes in `truth`: the classes, then the unknown ones."""
        return [*self.classifier.labels, *self.unknown]

    @property
    def is_known(self) -> Flags:
        """Which rows have a label that is a class, bool [rows]."""
        known: Flags = self.truth < len(self.classifier.labels)
        return known

    @property
    def truth(self) -> Labels:
        """The labels of the rows, int64 [rows]."""
        return self.rows["label"].to_numpy(np.int64)

    @property
    def predicted(self) -> Labels:
        """The labels that the classifier predicts, int64 [rows]."""
        predicted: Labels = self.logits.argmax(axis=1)
        return predicted

    @property
    def outcomes(self) -> Outcomes:
        """The probabilities of the predicted labels, and which labels are right."""
        return Outcomes.of_rows(self.probabilities, self.predicted, self.truth)

    @property
    def reliability(self) -> tuple[Reliability, Reliability]:
        """The reliability of the probabilities without the temperature, and with it."""
        return reliability(softmax(self.logits), self.truth), reliability(self.probabilities, self.truth)


@dataclass(frozen=True)
class WithoutCopies:
    """The performances on the test rows that have no equal text, and no near copy, among the rows learned.

    None where no test row is left.
    """

    rows: int
    network: Performance | None
    baseline: Performance | None

    @classmethod
    def from_test(cls, test: ScoredRows, baseline: Labels) -> WithoutCopies | None:
        """Measure the rows without copies; None if no test row has one."""
        kept = ~test.rows["copied"].to_numpy(bool)
        if kept.all():
            return None
        if not kept.any():
            return cls(0, None, None)
        names = test.names
        network, opponent = (
            Performance.from_predictions(test.truth[kept], predicted[kept], names)
            for predicted in (test.predicted, baseline)
        )
        return cls(int(kept.sum()), network, opponent)

    def to_json(self) -> dict[str, Any]:
        """Return its entries in metrics.json."""
        performances = {"": self.network, "baseline_": self.baseline}
        entries: dict[str, Any] = {"without_copies_rows": self.rows}
        for name, performance in performances.items():
            entries |= performance.to_json(f"without_copies_{name}") if performance else {}
        return entries

    def sentence(self, criterion: Criterion, baseline_title: str) -> str:
        """Return what there is to tell of the score by the criterion without copies."""
        if not (self.network and self.baseline):
            return "every test row has an equal or near copy among the rows learned"
        score, opposite = (each.scores.value(criterion) for each in (self.network, self.baseline))
        return f"without near copies: {score:.1%} ({self.rows:,} rows), {baseline_title} {opposite:.1%}"


def mean_without_copies(metrics: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on the mean score by the criterion without copies over metrics.json files.

    Runs of which every test row has a copy are left out. "" if no test row of any has one.
    """
    if not any("without_copies_rows" in entries for entries in metrics):
        return ""
    measured = [entries for entries in metrics if entries.get("without_copies_rows") != 0]
    if not measured:
        return "Every test row has an equal or near copy among the rows learned."
    criterion: Criterion = metrics[0]["criterion"]
    network, strongest = (
        np.mean([entries.get(f"without_copies_{score}", entries[score]) for entries in measured])
        for score in (criterion, f"baseline_{criterion}")
    )
    some = f", over the {len(measured)} of {len(metrics)} runs that have other rows"
    return (
        f"Without near copies the {CRITERIA[criterion]} is {network:.1%}, that of each run's strongest "
        f"opponent {strongest:.1%}{some if len(measured) < len(metrics) else ''}."
    )


@dataclass(frozen=True)
class MemberScores:
    """The scores of one member of a pool alone, and of all others without it."""

    name: str
    weight: float
    alone: Scores
    without: Scores

    def to_json(self) -> dict[str, Any]:
        """Return its entry in metrics.json."""
        return {
            "name": self.name,
            "weight": self.weight,
            "accuracy_alone": self.alone.accuracy,
            "macro_f1_alone": self.alone.macro_f1,
            "accuracy_without": self.without.accuracy,
            "macro_f1_without": self.without.macro_f1,
        }


@dataclass(frozen=True)
class Measures:
    """All measures of a run's test part."""

    comparison: Comparison
    network_alone: Performance | None  # without the n-grams, if any are pooled with the network
    members: list[MemberScores]  # of a pool of several
    slices: dict[str, list[SliceAccuracy]]
    temperature: float
    calibration_error_before: float  # without the temperature
    calibration_error: float
    calibration_error_by_chance: Interval
    selective: Selective
    unseen: Other | LeftOutClasses | None = None
    without_copies: WithoutCopies | None = None  # None if no test row has a copy among the rows learned
    unknown_label_rows: int = 0  # whose label no training row has

    def to_json(self) -> dict[str, Any]:
        """Return the entries of metrics.json."""
        alone = self.network_alone.to_json("network_alone_") if self.network_alone else {}
        return {
            **self.comparison.to_json(),
            **alone,
            "members": [member.to_json() for member in self.members],
            **(self.without_copies.to_json() if self.without_copies else {}),
            "unknown_label_rows": self.unknown_label_rows,
            "slices": {name: [entry.to_json() for entry in table] for name, table in self.slices.items()},
            "temperature": self.temperature,
            "calibration_error_before": self.calibration_error_before,
            "calibration_error": self.calibration_error,
            "calibration_error_by_chance_interval": self.calibration_error_by_chance,
            **self.selective.to_json(),
            **(self.unseen.to_json() if self.unseen else {}),
        }


def measures(
    test: ScoredRows,
    opponents: Mapping[str, Opponent],
    has_vector: NDArray[np.bool_] | None,
    criterion: Criterion,
    seed: int,
) -> Measures:
    """Measure a run's test part and compare it with the opponents by the `criterion`.

    `has_vector` bool [words + 2] says by id which words have a pretrained vector; None without vectors.
    """
    before, after = test.reliability
    names, opinions = test.names, _opinions(test)
    comparison = compare(test.truth, test.predicted, opponents, names, criterion, seed)
    return Measures(
        comparison=comparison,
        network_alone=_network_alone(test, opinions),
        members=[_member(test, *opinion) for opinion in opinions],
        slices=_slices(test, has_vector),
        temperature=test.classifier.temperature,
        calibration_error_before=before.error,
        calibration_error=after.error,
        calibration_error_by_chance=error_by_chance(test.probabilities, seed),
        selective=selective(test.outcomes, test.classifier.validation),
        without_copies=WithoutCopies.from_test(test, opponents[comparison.strongest].predicted),
        unknown_label_rows=int((~test.is_known).sum()),
    )


def other_rows(test: ScoredRows, measured: Selective, label: str, texts: Sequence[str]) -> Other:
    """Compare the probabilities of out-of-scope `texts`, one or more, with those of the test part."""
    unseen = test.classifier.predict(texts)[1]
    target = measured.headline
    unlabelled = None
    if target and target.labelled:
        unlabelled = float((unseen < target.labelled.threshold).mean())
    return Other(Separation.of_rows(label, test.outcomes.probability, unseen), unlabelled)


Opinions = list[tuple[str, float, Floats]]  # the name, weight and logits of each member


def _opinions(test: ScoredRows) -> Opinions:
    """Return what each member says of the test rows, the networks first; nothing if there is one alone."""
    pool = test.classifier.predictor
    return [*pool.opinions(test.inputs)] if isinstance(pool, Pool) and pool.linear else []


def _network_alone(test: ScoredRows, opinions: Opinions) -> Performance | None:
    """Measure the networks without the linear models that are pooled with them; None if none are."""
    if not opinions:
        return None
    _, _, logits = opinions[0]
    return Performance.from_predictions(test.truth, logits.argmax(axis=1), test.names)


def _member(test: ScoredRows, name: str, weight: float, logits: Floats) -> MemberScores:
    """Measure a member alone, and the pool without it."""
    alone, without = (
        scores(test.truth, some.argmax(axis=1), test.names)
        for some in (logits, test.logits - weight * logits)
    )
    return MemberScores(name, weight, alone, without)


def _slices(test: ScoredRows, has_vector: NDArray[np.bool_] | None) -> dict[str, list[SliceAccuracy]]:
    """Return the accuracy by class, and of texts also by length, unknown words and words without a vector."""
    correct = test.predicted == test.truth
    bins = {"class": slices.by_class(test.truth, test.names)}
    if tokens := test.classifier.encoder.count_tokens(test.rows):
        bins["length"] = slices.by_length(tokens.total)
        bins["unknown_words"] = slices.by_share(tokens.unknown, tokens.total)
        if has_vector is not None:
            uncovered = slices.uncovered(test.inputs.as_sequences(), has_vector)
            bins["uncovered_words"] = slices.by_share(uncovered, test.inputs.lengths)
    return {name: group.accuracy(correct) for name, group in bins.items()}

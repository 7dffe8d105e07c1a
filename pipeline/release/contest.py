"""A new classifier and the champion on rows that neither was trained on: all that the gate looks at."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from ..inputs import Images, Sequences
from ..measures import calibration, metrics, paired
from ..measures.paired import Correct, PairedDifference, SliceDifference
from ..measures.slices import by_length, by_share
from ..prediction.classifier import Classifier
from . import gate
from .gate import Check, Performance

Labels = NDArray[np.object_]  # [rows]
LENGTH_SLICES = 4
TIMING_ROUNDS = 9
MIN_TIMED_ROWS = 2_000  # of a round: fewer texts are predicted several times


@dataclass(frozen=True)
class LoadedClassifier:
    """A classifier with a `title` for people and the size of its folder."""

    title: str
    classifier: Classifier
    size_bytes: int


class HeldOutRows(NamedTuple):
    """The run's test rows that no model was trained on, and how many were left out for that reason."""

    inputs: Sequences | Images  # as the run's own encoder gave them
    keys: NDArray[np.uint64]  # as `equality.digests` gives them
    truth: Labels
    origin: pd.DataFrame  # file, line, and of texts the text
    left_out: int = 0

    def without(self, learned: NDArray[np.uint64], learner: str) -> HeldOutRows:
        """Return the rows without the keys that `learner` was trained on.

        Raises InputError where no row is left.
        """
        new = ~np.isin(self.keys, learned)
        if not new.any():
            raise InputError(
                f"{learner} was trained on all of this run's test rows: split both by the same seed"
            )
        left_out = self.left_out + int((~new).sum())
        return self._select(np.flatnonzero(new))._replace(left_out=left_out)

    def repeated(self, times: int) -> HeldOutRows:
        """Return all rows as many times as asked, one copy after the other."""
        return self._select(np.tile(np.arange(len(self.truth)), times))

    def logits(self, classifier: Classifier) -> NDArray[np.float32]:
        """Return a classifier's logits for the rows, float32 [rows, its labels], before its temperature."""
        return classifier.logits(classifier.encoder.encode_table(self.origin, self.inputs))

    def _select(self, rows: NDArray[np.int64]) -> HeldOutRows:
        return HeldOutRows(
            self.inputs.select(rows), self.keys[rows], self.truth[rows], self.origin.iloc[rows], self.left_out
        )


class ContestResult(NamedTuple):
    """The gate's checks and their numbers; `changed` has the rows that change sides, broken ones first."""

    new: Performance
    champion: Performance | None
    paired: PairedDifference
    slices: list[SliceDifference]
    checks: list[Check]
    changed: pd.DataFrame


class Predictions(NamedTuple):
    """The labels that a classifier predicts, the probability of each, and its calibration error."""

    labels: Labels
    probability: NDArray[np.float32]  # [rows]
    calibration_error: float


def compare(new: LoadedClassifier, champion: LoadedClassifier | None, test: HeldOutRows) -> ContestResult:
    """Compare the new classifier with the champion, or with the majority class if there is none."""
    classifiers = [new, champion] if champion else [new]
    predictions = [predict(loaded.classifier, test) for loaded in classifiers]
    performances = measure(classifiers, predictions, test)
    champion_labels = predictions[1].labels if champion else majority(test.truth)
    right, champion_right = predictions[0].labels == test.truth, champion_labels == test.truth
    changes = paired.compare_paired(right, champion_right)
    changed = _changed_rows(test, predictions[0], champion_labels)
    if champion is None:
        checks = gate.checks_of_first_champion(changes)
        return ContestResult(performances[0], None, changes, [], checks, changed)
    parts = slices(champion.classifier, test, right, champion_right)
    own, champions = performances
    checks = gate.checks_against_champion(own, champions, changes, parts, test.left_out)
    return ContestResult(own, champions, changes, parts, checks, changed)


def _changed_rows(test: HeldOutRows, new: Predictions, champion_labels: Labels) -> pd.DataFrame:
    """Return the rows that only one of the two has right, the new one's surest mistakes first."""
    right, champion_right = new.labels == test.truth, champion_labels == test.truth
    rows = test.origin.assign(
        label=test.truth,
        new=new.labels,
        old=champion_labels,
        probability=new.probability.astype(float).round(4),
    )
    rows.insert(0, "change", np.where(right, "fixed", "broken"))
    changed: pd.DataFrame = rows[right != champion_right]
    return changed.sort_values(["change", "probability"], ascending=[True, False], kind="stable")


def predict(classifier: Classifier, test: HeldOutRows) -> Predictions:
    """Label the rows. A true label that the classifier does not know counts as wrong."""
    logits = test.logits(classifier)
    probabilities = classifier.softmax(logits)
    codes = {label: code for code, label in enumerate(classifier.labels)}
    known = np.array([codes.get(label, -1) for label in test.truth], np.int64)
    return Predictions(
        np.array(classifier.labels, object)[logits.argmax(axis=1)],
        probabilities.max(axis=1),
        calibration.reliability(probabilities, known).error,
    )


def measure(
    classifiers: Sequence[LoadedClassifier], predictions: Sequence[Predictions], test: HeldOutRows
) -> list[Performance]:
    """Return each classifier's figures; their speeds are measured in turn."""
    names = sorted({*test.truth, *(label for predicted in predictions for label in predicted.labels)})
    codes = {name: code for code, name in enumerate(names)}

    def coded(labels: Labels) -> NDArray[np.int64]:
        return np.array([codes[label] for label in labels], np.int64)

    speeds = rows_per_second([loaded.classifier for loaded in classifiers], test)
    performances = []
    for loaded, predicted, speed in zip(classifiers, predictions, speeds, strict=True):
        scores = metrics.scores(coded(test.truth), coded(predicted.labels), names)
        performances.append(
            Performance(
                title=loaded.title,
                accuracy=scores.accuracy,
                macro_f1=scores.macro_f1,
                calibration_error=predicted.calibration_error,
                rows_per_second=speed,
                bytes=loaded.size_bytes,
            )
        )
    return performances


def rows_per_second(classifiers: Sequence[Classifier], test: HeldOutRows) -> list[float]:
    """Return each classifier's speed on one thread, tokenization included.

    It is the fastest of TIMING_ROUNDS in which they take turns: other load on the machine only slows them.
    """
    times = math.ceil(MIN_TIMED_ROWS / len(test.truth)) if test.inputs.kind == "text" else 1
    rows = test.repeated(times)
    seconds: list[list[float]] = [[] for _ in classifiers]
    for _ in range(TIMING_ROUNDS):
        for classifier, measured in zip(classifiers, seconds, strict=True):
            began = time.perf_counter()
            rows.logits(classifier)
            measured.append(time.perf_counter() - began)
    return [len(rows.truth) / min(measured) for measured in seconds]


def slices(champion: Classifier, test: HeldOutRows, new: Correct, old: Correct) -> list[SliceDifference]:
    """Return the slices by class, and of texts by length and by the share of words unknown to the champion.

    `new` and `old` are bool [rows]: which rows each classifier has right.
    """
    classes = {f"class {label}": test.truth == label for label in sorted(set(test.truth))}
    groups: dict[str, Correct] = {}
    if tokens := champion.encoder.count_tokens(test.origin):
        groups |= by_length(tokens.total, LENGTH_SLICES).masks("tokens")
        groups |= by_share(tokens.unknown, tokens.total).masks("words unknown to the champion")
    return paired.compare_slices(classes, groups, new, old)


def majority(truth: Labels) -> Labels:
    """Return the most frequent label for each row: the constant prediction that is hardest to beat."""
    label = Counter(truth.tolist()).most_common(1)[0][0]
    return np.full(len(truth), label, object)


def check_accepts(champion: Classifier, test: HeldOutRows) -> None:
    """Raise InputError unless the champion can label rows of this kind and size."""
    encoder, inputs = champion.encoder, test.inputs
    if encoder.kind != inputs.kind:
        raise InputError(f"the champion takes {encoder.kind}s, and this run {inputs.kind}s")
    if encoder.shape != inputs.shape:
        raise InputError(
            f"the champion takes {encoder.kind}s of {encoder.shape}, and this run of {inputs.shape}"
        )

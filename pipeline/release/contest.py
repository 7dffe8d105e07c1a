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

from ..arrays import Labels as Codes
from ..errors import InputError
from ..inputs import Images, Sequences
from ..measures import calibration, metrics, paired
from ..measures.f1_difference import compare_f1
from ..measures.paired import Correct, PairedDifference, SliceDifference
from ..measures.slices import by_length, by_share
from ..options import Criterion
from ..prediction.classifier import Classifier
from . import decision, gate
from .decision import Decision
from .gate import Check, Performance

Labels = NDArray[np.object_]  # [rows]
LENGTH_SLICES = 4
SEED = 1  # of resampling: the same rows give the same decision
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
    groups: NDArray[np.uint64] | None = None  # as `row_keys.group_keys` gives them

    def without(self, learned: NDArray[np.uint64], learner: str) -> HeldOutRows:
        """Return the rows without the keys, of rows and of groups, that `learner` was trained on.

        Raises InputError where no row is left.
        """
        new = ~np.isin(self.keys, learned)
        if self.groups is not None:
            new &= ~np.isin(self.groups, learned)
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
            self.inputs.select(rows),
            self.keys[rows],
            self.truth[rows],
            self.origin.iloc[rows],
            self.left_out,
            None if self.groups is None else self.groups[rows],
        )


class ContestResult(NamedTuple):
    """The gate's checks and their numbers; `changed` has the rows that change sides, broken ones first."""

    new: Performance
    champion: Performance | None
    decision: Decision
    paired: PairedDifference
    slices: list[SliceDifference]
    checks: list[Check]
    changed: pd.DataFrame


class CodedLabels(NamedTuple):
    """The labels of the rows compared as places in `names`, int64 [rows] each."""

    names: list[str]
    truth: Codes
    new: Codes
    old: Codes

    @classmethod
    def of(cls, truth: Labels, new: Labels, old: Labels) -> CodedLabels:
        names = sorted({*truth, *new, *old})
        codes = {name: code for code, name in enumerate(names)}
        truth_codes, new_codes, old_codes = (
            np.array([codes[label] for label in labels], np.int64) for labels in (truth, new, old)
        )
        return cls(names, truth_codes, new_codes, old_codes)


class Predictions(NamedTuple):
    """The labels that a classifier predicts, the probability of each, and its calibration error."""

    labels: Labels
    probability: NDArray[np.float32]  # [rows]
    calibration_error: float


def compare(
    new: LoadedClassifier,
    champion: LoadedClassifier | None,
    test: HeldOutRows,
    criterion: Criterion,
    looks: int,
    challenger: int,
) -> ContestResult:
    """Compare the new classifier with the champion, or with the majority class if there is none.

    `criterion` is the score that the new one was chosen by; for `looks` and `challenger` see `Decision`.
    """
    classifiers = [new, champion] if champion else [new]
    predictions = [predict(loaded.classifier, test) for loaded in classifiers]
    champion_labels = predictions[1].labels if champion else majority(test.truth)
    coded = CodedLabels.of(test.truth, predictions[0].labels, champion_labels)
    performances = measure(classifiers, predictions, test, coded)
    changes = paired.compare_paired(coded.new == coded.truth, coded.old == coded.truth)
    deciding = decide(coded, changes, criterion, looks, challenger)
    changed = _changed_rows(test, predictions[0], champion_labels)
    if champion is None:
        checks = gate.checks_of_first_champion(deciding)
        return ContestResult(performances[0], None, deciding, changes, [], checks, changed)
    parts = slices(champion.classifier, test, coded, criterion)
    own, champions = performances
    checks = gate.checks_against_champion(own, champions, deciding, parts, test.left_out)
    return ContestResult(own, champions, deciding, changes, parts, checks, changed)


def decide(
    coded: CodedLabels, changes: PairedDifference, criterion: Criterion, looks: int, challenger: int
) -> Decision:
    """Return the difference of the score that decides."""
    if criterion == "accuracy":
        return decision.by_accuracy(changes, looks, challenger)
    labels = coded.truth, coded.new, coded.old
    f1, _ = compare_f1(*labels, SEED)
    interval = metrics.macro_f1_interval(*labels, SEED)
    return decision.by_macro_f1(f1, interval, changes.rows, looks, challenger)


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
    classifiers: Sequence[LoadedClassifier],
    predictions: Sequence[Predictions],
    test: HeldOutRows,
    coded: CodedLabels,
) -> list[Performance]:
    """Return each classifier's figures; their speeds are measured in turn."""
    speeds = rows_per_second([loaded.classifier for loaded in classifiers], test)
    labels_of_each = (coded.new, coded.old)[: len(classifiers)]  # those of the majority class have no figures
    performances = []
    for loaded, predicted, labels, speed in zip(
        classifiers, predictions, labels_of_each, speeds, strict=True
    ):
        scores = metrics.scores(coded.truth, labels, coded.names)
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


def slices(
    champion: Classifier, test: HeldOutRows, coded: CodedLabels, criterion: Criterion
) -> list[SliceDifference]:
    """Return the slices by class, and of texts by length and by the share of words unknown to the champion.

    Where macro-F1 decides, they are compared by F1 of the class, and by macro-F1 of the other slices.
    """
    truth, new, old = coded.truth, coded.new, coded.old
    codes = {f"class {coded.names[code]}": code for code in np.unique(truth).tolist()}
    classes: dict[str, Correct] = {title: truth == code for title, code in codes.items()}
    groups: dict[str, Correct] = {}
    if tokens := champion.encoder.count_tokens(test.origin):
        groups |= by_length(tokens.total, LENGTH_SLICES).masks("tokens")
        groups |= by_share(tokens.unknown, tokens.total).masks("words unknown to the champion")
    compared = paired.compare_slices(classes, groups, new == truth, old == truth)
    if criterion == "accuracy":
        return compared
    _, of_class = compare_f1(truth, new, old, SEED)
    f1 = {title: of_class[code] for title, code in codes.items()}
    f1 |= {
        title: compare_f1(truth[mask], new[mask], old[mask], SEED)[0]
        for title, mask in groups.items()
        if mask.any()
    }
    return paired.by_f1(compared, f1)


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

"""A classifier beside the champion on rows that neither was trained on: all that the gate looks at."""

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
from ..measures.paired import Paired, Right, Slice
from ..measures.slices import by_length, by_share
from ..prediction.classifier import Classifier
from . import gate
from .gate import Check, Side

Names = NDArray[np.object_]  # [rows]: labels
LENGTHS = 4  # slices by length
ROUNDS = 9
TIMED = 2_000  # rows of a round, at least: fewer are taken several times


@dataclass(frozen=True)
class Contestant:
    """`title` is for people, `bytes` what its folder holds."""

    title: str
    classifier: Classifier
    bytes: int


class Test(NamedTuple):
    """The run's test rows that none of the models was trained on, and how many were left out for that."""

    inputs: Sequences | Images  # as the run's own encoder gave them
    keys: NDArray[np.uint64]  # as `split.keys` gives them
    truth: Names
    shown: pd.DataFrame  # file, line, and of texts the text
    left_out: int = 0

    def unseen(self, learned: NDArray[np.uint64], by: str) -> Test:
        """Without the rows of the keys that `by` was trained on. Raises InputError where none is left."""
        new = ~np.isin(self.keys, learned)
        if not new.any():
            raise InputError(f"{by} was trained on all of this run's test rows: split both by the same seed")
        inputs = self.inputs.select(np.flatnonzero(new))
        left_out = self.left_out + int((~new).sum())
        return Test(inputs, self.keys[new], self.truth[new], self.shown[new], left_out)

    def repeated(self, times: int) -> Test:
        """Return all rows as many times as asked, one copy after the other."""
        rows = np.tile(np.arange(len(self.truth)), times)
        return Test(
            self.inputs.select(rows), self.keys[rows], self.truth[rows], self.shown.iloc[rows], self.left_out
        )

    def logits(self, classifier: Classifier) -> NDArray[np.float32]:
        """Return what a classifier says of the rows, float32 [rows, its labels], before its temperature."""
        return classifier.logits(classifier.encoder.encode_table(self.shown, self.inputs))


class Outcome(NamedTuple):
    """What the gate found, and the rows that change sides: first those that the new classifier breaks."""

    new: Side
    old: Side | None
    paired: Paired
    slices: list[Slice]
    checks: list[Check]
    changed: pd.DataFrame


class Answers(NamedTuple):
    """Of one contestant: its labels, the probability of each, float32 [rows], and its calibration error."""

    labels: Names
    probability: NDArray[np.float32]
    calibration_error: float


def compared(new: Contestant, champion: Contestant | None, test: Test) -> Outcome:
    """The new classifier beside the champion; where there is none, beside the majority class."""
    contestants = [new, champion] if champion else [new]
    said = [answers(one.classifier, test) for one in contestants]
    found = sides(contestants, said, test)
    old_labels = said[1].labels if champion else majority(test.truth)
    right, old_right = said[0].labels == test.truth, old_labels == test.truth
    both = paired.paired(right, old_right)
    changed = test.shown.assign(
        label=test.truth,
        new=said[0].labels,
        old=old_labels,
        probability=said[0].probability.astype(float).round(4),
    )
    changed.insert(0, "change", np.where(right, "fixed", "broken"))
    changed = changed[right != old_right].sort_values(
        ["change", "probability"], ascending=[True, False], kind="stable"
    )
    if champion is None:
        return Outcome(found[0], None, both, [], gate.first(both), changed)
    parts = slices(champion.classifier, test, right, old_right)
    checks = gate.against(found[0], found[1], both, parts, test.left_out)
    return Outcome(found[0], found[1], both, parts, checks, changed)


def answers(classifier: Classifier, test: Test) -> Answers:
    """A true label that the classifier does not know counts as wrong."""
    logits = test.logits(classifier)
    probabilities = classifier.softmax(logits)
    codes = {label: code for code, label in enumerate(classifier.labels)}
    known = np.array([codes.get(label, -1) for label in test.truth], np.int64)
    return Answers(
        np.array(classifier.labels, object)[logits.argmax(axis=1)],
        probabilities.max(axis=1),
        calibration.reliability(probabilities, known).error,
    )


def sides(contestants: Sequence[Contestant], said: Sequence[Answers], test: Test) -> list[Side]:
    """Each contestant's figures; their speeds are measured in turn."""
    names = sorted({*test.truth, *(label for one in said for label in one.labels)})
    codes = {name: code for code, name in enumerate(names)}
    coded = [
        np.array([codes[name] for name in one], np.int64) for one in (test.truth, *(s.labels for s in said))
    ]
    found = []
    speeds = rows_per_second([one.classifier for one in contestants], test)
    for one, answer, code, speed in zip(contestants, said, coded[1:], speeds, strict=True):
        scores = metrics.scores(coded[0], code, names)
        found.append(
            Side(
                title=one.title,
                accuracy=scores.accuracy,
                macro_f1=scores.macro_f1,
                calibration_error=answer.calibration_error,
                rows_per_second=speed,
                bytes=one.bytes,
            )
        )
    return found


def rows_per_second(classifiers: Sequence[Classifier], test: Test) -> list[float]:
    """Of each on one thread, tokens included: the fastest of ROUNDS, in which they take turns, as whatever
    else the machine does only slows them down."""
    times = math.ceil(TIMED / len(test.truth)) if test.inputs.kind == "text" else 1
    rows = test.repeated(times)
    seconds: list[list[float]] = [[] for _ in classifiers]
    for _ in range(ROUNDS):
        for classifier, own in zip(classifiers, seconds, strict=True):
            began = time.perf_counter()
            rows.logits(classifier)
            own.append(time.perf_counter() - began)
    return [len(rows.truth) / min(own) for own in seconds]


def slices(champion: Classifier, test: Test, new: Right, old: Right) -> list[Slice]:
    """By class, and of texts by length and by the share of words that the champion does not know; `new` and
    `old` bool [rows]: which rows each has right."""
    classes = {f"class {label}": test.truth == label for label in sorted(set(test.truth))}
    others: dict[str, Right] = {}
    if tokens := champion.encoder.count_tokens(test.shown):
        others |= by_length(tokens.total, LENGTHS).groups("tokens")
        others |= by_share(tokens.unknown, tokens.total).groups("words unknown to the champion")
    return paired.slices(classes, others, new, old)


def majority(truth: Names) -> Names:
    """The most frequent label for each row: the hardest to beat of all that are always the same."""
    most = Counter(truth.tolist()).most_common(1)[0][0]
    return np.full(len(truth), most, object)


def takes(champion: Classifier, test: Test) -> None:
    """Raise InputError if the champion cannot be asked about such rows."""
    encoder, inputs = champion.encoder, test.inputs
    if encoder.kind != inputs.kind:
        raise InputError(f"the champion takes {encoder.kind}s, and this run {inputs.kind}s")
    if encoder.shape != inputs.shape:
        raise InputError(
            f"the champion takes {encoder.kind}s of {encoder.shape}, and this run of {inputs.shape}"
        )

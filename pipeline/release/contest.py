"""A classifier beside the champion on rows that neither was trained on: all that the gate looks at."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from ..images.encoder import ImageEncoder
from ..inputs import Images
from ..measures import calibration, metrics, paired
from ..measures.paired import Paired, Right, Slice
from ..measures.slices import by_length, by_share
from ..prediction.classifier import Classifier
from ..text.encoder import TextEncoder
from ..text.fast_encoder import ByteEncoder
from . import gate
from .gate import Check, Side

Rows = Sequence[str] | Images
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

    rows: Rows
    keys: NDArray[np.uint64]  # as `split.keys` gives them
    truth: Names
    shown: pd.DataFrame  # file, line, and of texts the text
    left_out: int = 0

    def unseen(self, learned: NDArray[np.uint64], by: str) -> Test:
        """Without the rows of the keys that `by` was trained on. Raises InputError where none is left."""
        new = ~np.isin(self.keys, learned)
        if not new.any():
            raise InputError(f"{by} was trained on all of this run's test rows: split both by the same seed")
        if isinstance(self.rows, Images):
            rows: Rows = self.rows.select(np.flatnonzero(new))
        else:
            rows = list(compress(self.rows, new))
        left_out = self.left_out + int((~new).sum())
        return Test(rows, self.keys[new], self.truth[new], self.shown[new], left_out)


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
    said = [answers(one.classifier, test.rows, test.truth) for one in contestants]
    found = sides(contestants, said, test.rows, test.truth)
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
    parts = slices(champion.classifier, test.rows, test.truth, right, old_right)
    checks = gate.against(found[0], found[1], both, parts, test.left_out)
    return Outcome(found[0], found[1], both, parts, checks, changed)


def answers(classifier: Classifier, rows: Rows, truth: Names) -> Answers:
    """A true label that the classifier does not know counts as wrong."""
    logits = _logits(classifier, rows)
    probabilities = classifier.softmax(logits)
    codes = {label: code for code, label in enumerate(classifier.labels)}
    known = np.array([codes.get(label, -1) for label in truth], np.int64)
    return Answers(
        np.array(classifier.labels, object)[logits.argmax(axis=1)],
        probabilities.max(axis=1),
        calibration.reliability(probabilities, known).error,
    )


def sides(contestants: Sequence[Contestant], said: Sequence[Answers], rows: Rows, truth: Names) -> list[Side]:
    """Each contestant's figures; their speeds are measured in turn."""
    names = sorted({*truth, *(label for one in said for label in one.labels)})
    codes = {name: code for code, name in enumerate(names)}
    coded = [np.array([codes[name] for name in one], np.int64) for one in (truth, *(s.labels for s in said))]
    found = []
    speeds = rows_per_second([one.classifier for one in contestants], rows)
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


def rows_per_second(classifiers: Sequence[Classifier], rows: Rows) -> list[float]:
    """Of each on one thread, tokens included: the fastest of ROUNDS, in which they take turns, as whatever
    else the machine does only slows them down."""
    count = len(rows)
    times = math.ceil(TIMED / count) if not isinstance(rows, Images) else 1
    seconds: list[list[float]] = [[] for _ in classifiers]
    for _ in range(ROUNDS):
        for classifier, own in zip(classifiers, seconds, strict=True):
            began = time.perf_counter()
            _logits(classifier, rows if isinstance(rows, Images) else list(rows) * times)
            own.append(time.perf_counter() - began)
    return [count * times / min(own) for own in seconds]


def slices(champion: Classifier, rows: Rows, truth: Names, new: Right, old: Right) -> list[Slice]:
    """By class, and of texts by length and by the share of words that the champion does not know; `new` and
    `old` bool [rows]: which rows each has right."""
    classes = {f"class {label}": truth == label for label in sorted(set(truth))}
    others: dict[str, Right] = {}
    if not isinstance(rows, Images):
        assert isinstance(champion.encoder, TextEncoder)
        _, lengths, outside = ByteEncoder(champion.encoder).encode(rows)
        others |= by_length(lengths, LENGTHS).groups("tokens")
        others |= by_share(outside, lengths).groups("words unknown to the champion")
    return paired.slices(classes, others, new, old)


def majority(truth: Names) -> Names:
    """The most frequent label for each row: the hardest to beat of all that are always the same."""
    most = Counter(truth.tolist()).most_common(1)[0][0]
    return np.full(len(truth), most, object)


def takes(champion: Classifier, rows: Rows) -> None:
    """Raises InputError where the champion cannot be asked about such rows."""
    encoder = champion.encoder
    if isinstance(encoder, ImageEncoder):
        if not isinstance(rows, Images):
            raise InputError("the champion takes images, and this run texts")
        if rows.shape != encoder.shape:
            raise InputError(f"the champion takes images of {encoder.shape}, and this run of {rows.shape}")
    elif isinstance(rows, Images):
        raise InputError("the champion takes texts, and this run images")


def _logits(classifier: Classifier, rows: Rows) -> NDArray[np.float32]:
    if isinstance(rows, Images):
        return classifier.logits(rows)
    assert isinstance(classifier.encoder, TextEncoder)
    return classifier.logits(ByteEncoder(classifier.encoder).encode(rows).sequences)

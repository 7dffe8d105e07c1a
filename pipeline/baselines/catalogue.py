"""The network's opponents: on its training rows, each at its best on the validation part, then on both.

The network's own criterion decides what is best. A network with class weights is chosen by macro-F1, and so
are its opponents, each of which is then also fitted with balanced classes. For a network that is chosen by
accuracy they are fitted without, as it is: weights would cost accuracy and double the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

import numpy as np

from ..arrays import Labels
from ..inputs import Images, Sequences
from ..measures.metrics import scores
from ..options import BaselineName, Criterion, InputKind
from . import fasttext, logistic, nbsvm, pixels, svm
from .candidate import Candidate, FittedCandidate, Rows, Texts

Settings = Sequence[Any]  # such as C: one for each candidate
Form = Literal["any", "tokens", "texts", "images"]  # of rows: `Inputs`, `Sequences`, `Texts`, `Images`


@dataclass(frozen=True)
class Baseline:
    """An opponent, whose `candidates(training, labels, classes, seed, balanced, settings)` fits one for each.

    `takes` is the form of the training rows. If `balanced`, every class has the same weight.
    """

    title: str
    candidates: Callable[[Any, Labels, int, int, bool, Settings], Iterator[Candidate]]
    settings: Settings
    takes: Form = "tokens"
    library: str = ""  # where it is not one of the project's own dependencies

    def fits(self, inputs: InputKind) -> bool:
        """Return whether it can be the opponent of a network that takes such inputs."""
        return self.takes == "any" or (self.takes == "images") == (inputs == "images")

    def available(self) -> bool:
        """Return whether its library is installed."""
        return not self.library or find_spec(self.library) is not None


class Chosen(NamedTuple):
    """A baseline's best candidate, and its score on the validation part by the criterion, in 0..1.

    `baseline`, `balanced` and `settings`, which are one, are what it was fitted with.
    """

    candidate: Candidate
    score: float
    baseline: Baseline
    balanced: bool
    settings: Settings


def fit(
    name: BaselineName,
    training: tuple[Rows, Labels],
    validation: tuple[Rows, Labels],
    classes: int,
    criterion: Criterion,
    seed: int,
) -> Chosen:
    """Return the candidate that is best on the validation part by the criterion; of several, the first.

    Both parts are in the form that the baseline takes. If the training rows have one class or no token,
    every baseline is `majority`.
    """
    inputs, labels = training
    held_out, truth = validation
    learnable = bool(inputs.lengths.any()) and len(np.unique(labels)) > 1
    baseline = BASELINES[name if learnable else "majority"]
    names = [str(number) for number in range(classes)]

    def candidates() -> Iterator[Chosen]:
        for balanced in (False, True) if criterion == "macro_f1" else (False,):
            fitted = baseline.candidates(inputs, labels, classes, seed, balanced, baseline.settings)
            for candidate, setting in zip(fitted, baseline.settings, strict=True):
                score = scores(truth, candidate.predict(held_out), names).value(criterion)
                yield Chosen(candidate, score, baseline, balanced, (setting,))

    return max(candidates(), key=lambda chosen: chosen.score)


def refit(chosen: Chosen, rows: tuple[Rows, Labels], classes: int, seed: int) -> Candidate:
    """Return the chosen candidate fitted to other rows: those of training and validation part.

    The classifier's own linear models are, too.
    """
    inputs, labels = rows
    candidates = chosen.baseline.candidates(inputs, labels, classes, seed, chosen.balanced, chosen.settings)
    return next(candidates)


def _majority(
    training: Rows, labels: Labels, classes: int, seed: int, balanced: bool, settings: Settings
) -> Iterator[Candidate]:
    """Predict the most frequent label; of several, the first."""
    label = int(np.bincount(labels).argmax())
    yield FittedCandidate(f"label {label}", lambda inputs: np.full(len(inputs), label, np.int64))


def _logistic(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool, settings: Settings
) -> Iterator[Candidate]:
    return logistic.candidates(training, labels, classes, balanced, settings)


def _svm(
    training: Texts, labels: Labels, classes: int, seed: int, balanced: bool, settings: Settings
) -> Iterator[Candidate]:
    return svm.candidates(training, labels, seed, balanced, settings)


def _nbsvm(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool, settings: Settings
) -> Iterator[Candidate]:
    return nbsvm.candidates(training, labels, seed, balanced, settings)


def _fasttext(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool, settings: Settings
) -> Iterator[Candidate]:
    return fasttext.candidates(training, labels, seed, balanced, settings)


def _pixels(
    training: Images, labels: Labels, classes: int, seed: int, balanced: bool, settings: Settings
) -> Iterator[Candidate]:
    return pixels.candidates(training, labels, seed, balanced, settings)


BASELINES: dict[BaselineName, Baseline] = {
    "linear": Baseline("TF-IDF + logistic regression", _logistic, logistic.C_VALUES),
    "svm": Baseline("SVM with character n-grams", _svm, svm.C_VALUES, takes="texts"),
    "nbsvm": Baseline("NBSVM with bigrams", _nbsvm, nbsvm.C_VALUES),
    "fasttext": Baseline("fastText with bigrams", _fasttext, fasttext.SETTINGS, library="fasttext"),
    "pixels": Baseline("logistic regression on pixels", _pixels, pixels.C_VALUES, takes="images"),
    "majority": Baseline("majority class", _majority, (None,), takes="any"),
}

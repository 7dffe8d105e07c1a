"""The network's opponents: on its inputs and training rows, each at its best on the validation part.

The network's own criterion decides what is best. A network with class weights is chosen by macro-F1, and so
are its opponents, each of which is then also fitted with balanced classes. For a network that is chosen by
accuracy they are fitted without, as it is: weights would cost accuracy and double the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..arrays import Labels
from ..inputs import Images, Inputs, Sequences
from ..measures.metrics import scores
from ..options import BaselineName, Criterion, InputKind
from . import fasttext, nbsvm, pixels, tfidf
from .candidate import Candidate, FittedCandidate


@dataclass(frozen=True)
class Baseline:
    """An opponent, whose `candidates(training, labels, classes, seed, balanced)` fits one after the other.

    If `balanced`, every class has the same weight.
    """

    title: str
    candidates: Callable[[Any, Labels, int, int, bool], Iterator[Candidate]]
    inputs: tuple[InputKind, ...] = ("tokens",)
    library: str = ""  # where it is not one of the project's own dependencies

    def available(self) -> bool:
        """Return whether its library is installed."""
        return not self.library or find_spec(self.library) is not None


def fit(
    name: BaselineName,
    training: tuple[Inputs, Labels],
    validation: tuple[Inputs, Labels],
    classes: int,
    criterion: Criterion,
    seed: int,
) -> Candidate:
    """Return the candidate that is best on the validation part by the criterion; of several, the first.

    If the training rows have one class or no token, every baseline is `majority`.
    """
    inputs, labels = training
    held_out, truth = validation
    learnable = bool(inputs.lengths.any()) and len(np.unique(labels)) > 1
    baseline = BASELINES[name if learnable else "majority"]
    names = [str(number) for number in range(classes)]

    def candidates() -> Iterator[Candidate]:
        for balanced in (False, True) if criterion == "macro_f1" else (False,):
            yield from baseline.candidates(inputs, labels, classes, seed, balanced)

    return max(
        candidates(),
        key=lambda candidate: scores(truth, candidate.predict(held_out), names).value(criterion),
    )


def _majority(
    training: Inputs, labels: Labels, classes: int, seed: int, balanced: bool
) -> Iterator[Candidate]:
    """Predict the most frequent label; of several, the first."""
    label = int(np.bincount(labels).argmax())
    yield FittedCandidate(f"label {label}", lambda inputs: np.full(len(inputs), label, np.int64))


def _tfidf(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool
) -> Iterator[Candidate]:
    return tfidf.candidates(training, labels, classes, balanced)


def _nbsvm(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool
) -> Iterator[Candidate]:
    return nbsvm.candidates(training, labels, seed, balanced)


def _fasttext(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool
) -> Iterator[Candidate]:
    return fasttext.candidates(training, labels, seed, balanced)


def _pixels(training: Images, labels: Labels, classes: int, seed: int, balanced: bool) -> Iterator[Candidate]:
    return pixels.candidates(training, labels, seed, balanced)


BASELINES: dict[BaselineName, Baseline] = {
    "majority": Baseline("majority class", _majority, inputs=("tokens", "images")),
    "linear": Baseline("TF-IDF + logistic regression", _tfidf),
    "nbsvm": Baseline("NBSVM with bigrams", _nbsvm),
    "fasttext": Baseline("fastText with bigrams", _fasttext, library="fasttext"),
    "pixels": Baseline("logistic regression on pixels", _pixels, inputs=("images",)),
}

"""The network's opponents: on its rows, each at its best on held-out ones, then on all that may be learned.

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

Labelled = tuple[Rows, Labels]
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
    """A baseline in its best setting, and what that scored on held-out rows by the criterion, in 0..1."""

    baseline: Baseline
    balanced: bool
    settings: Settings  # one
    score: float


def choose(
    name: BaselineName,
    splits: Sequence[tuple[Labelled, Labelled]],
    classes: int,
    criterion: Criterion,
    seed: int,
    on_fit: Callable[[], object] = lambda: None,
) -> Chosen:
    """Fit candidates to the first rows of each split, and return that which labels the second rows best.

    It is the best of all second rows together by the criterion; of several, the first. The rows are in the
    form that the baseline takes. `on_fit` is called after each fit, of which there are `fit_count`.
    """
    baseline = BASELINES[name]
    truth = np.concatenate([labels for _, (_, labels) in splits])
    names = [str(number) for number in range(classes)]

    def chosen() -> Iterator[Chosen]:
        for balanced in _weightings(criterion):
            of_splits = []
            for rows, (held_out, _) in splits:
                predicted = []
                for candidate in _candidates(baseline, rows, classes, seed, balanced, baseline.settings):
                    predicted.append(candidate.predict(held_out))
                    on_fit()
                of_splits.append(predicted)
            for setting, *predicted in zip(baseline.settings, *of_splits, strict=True):
                score = scores(truth, np.concatenate(predicted), names).value(criterion)
                yield Chosen(baseline, balanced, (setting,), score)

    return max(chosen(), key=lambda one: one.score)


def fit_count(name: BaselineName, splits: int, criterion: Criterion) -> int:
    """Return how many candidates `choose` fits."""
    return len(BASELINES[name].settings) * splits * len(_weightings(criterion))


def _weightings(criterion: Criterion) -> tuple[bool, ...]:
    """Return whether classes are balanced: by accuracy, they are not."""
    return (False, True) if criterion == "macro_f1" else (False,)


def fit(chosen: Chosen, rows: Labelled, classes: int, seed: int) -> Candidate:
    """Return the chosen baseline fitted to rows: those of training and validation part.

    The classifier's own linear models are, too.
    """
    return next(_candidates(chosen.baseline, rows, classes, seed, chosen.balanced, chosen.settings))


def _candidates(
    baseline: Baseline, rows: Labelled, classes: int, seed: int, balanced: bool, settings: Settings
) -> Iterator[Candidate]:
    """Fit one for each setting; to rows of one class, or without a token, every baseline is `majority`."""
    inputs, labels = rows
    learnable = bool(inputs.lengths.any()) and len(np.unique(labels)) > 1
    fitted = baseline if learnable else BASELINES["majority"]
    return fitted.candidates(inputs, labels, classes, seed, balanced, settings)


def _majority(
    training: Rows, labels: Labels, classes: int, seed: int, balanced: bool, settings: Settings
) -> Iterator[Candidate]:
    """Predict the most frequent label; of several, the first."""
    label = int(np.bincount(labels).argmax())
    for _ in settings:
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

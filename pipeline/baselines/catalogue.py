"""The network's opponents: on its inputs and training rows, each at its best on the validation part.

What is best, the network's own criterion says. A network with class weights is chosen by macro-F1, and so are
its opponents, each of them also fitted with every class weighing the same. Beside a network that is chosen by
accuracy they are fitted without, as it is: weights give accuracy away, and would double the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from ..inputs import Images, Inputs, Sequences
from ..measures.metrics import scores
from ..options import BaselineName, Criterion, InputKind
from . import pixels, tfidf

Labels = NDArray[np.int64]

# Single tokens and pairs; a document is token ids between blanks.
NGRAMS = {"ngram_range": (1, 2), "tokenizer": str.split, "token_pattern": None, "lowercase": False}
NBSVM_STRENGTHS = (0.01, 0.1, 1.0)  # up to the paper's C
FASTTEXT_EPOCHS = (5, 25)  # the library's own, and what small corpora need
FASTTEXT_RATES = (0.1, 0.5)


class Candidate(Protocol):
    """A fitted classifier: its setting in words, such as `C = 10`, and labels int64 [rows] for rows."""

    @property
    def setting(self) -> str: ...
    def predict(self, inputs: Any, /) -> Labels: ...


@dataclass(frozen=True)
class Fitted:
    setting: str
    predict: Callable[[Any], Labels]


@dataclass(frozen=True)
class Baseline:
    """`candidates(training, labels, classes, seed, balanced)` fits one after the other, to such inputs; if
    `balanced`, every class weighs the same."""

    title: str
    candidates: Callable[[Any, Labels, int, int, bool], Iterator[Candidate]]
    inputs: tuple[InputKind, ...] = ("tokens",)
    library: str = ""  # where it is not one of the project's own dependencies

    def available(self) -> bool:
        """Whether its library is installed."""
        return not self.library or find_spec(self.library) is not None


def fit(
    name: BaselineName,
    training: tuple[Inputs, Labels],
    validation: tuple[Inputs, Labels],
    classes: int,
    criterion: Criterion,
    seed: int,
) -> Candidate:
    """The candidate that is best on the validation part by the criterion; of several, the first.

    `name` is one of BASELINES. Where the training rows have one class or no token, each is `majority`.
    """
    inputs, labels = training
    held_out, truth = validation
    learnable = bool(inputs.lengths.any()) and len(np.unique(labels)) > 1
    baseline = BASELINES[name if learnable else "majority"]
    names = [str(number) for number in range(classes)]
    highest = -1.0
    for balanced in (False, True) if criterion == "macro_f1" else (False,):
        for candidate in baseline.candidates(inputs, labels, classes, seed, balanced):
            score = scores(truth, candidate.predict(held_out), names).value(criterion)
            if score > highest:
                highest, best = score, candidate
    return best


class NaiveBayesSVM:
    """NBSVM (Wang and Manning 2012, "Baselines and Bigrams"), one class against the rest for each class.

    On binary features f [rows, features] and one class's rows: p = 1 + the sum of f over the class,
    q = 1 + the sum over the rest, and r = log((p / |p|) / (q / |q|)) with |.| the sum of magnitudes. A linear
    SVM with squared hinge loss on f * r gives w and b; w' = (1 - beta) mean|w| + beta w leans on naive Bayes
    where the SVM is extreme. A row's score is w'.(f * r) + b, and the class with the highest has it.
    `balanced` weighs the SVM's rows, so that every class weighs the same; r stays as it is.
    """

    BETA = 0.25

    def __init__(self, C: float, seed: int, balanced: bool = False) -> None:
        self.C = C
        self.balanced = balanced
        self._seed = seed

    def fit(self, features: Any, labels: Labels) -> NaiveBayesSVM:
        """`features` is a sparse matrix of 0 and 1, `labels` int64 [rows] of two classes or more."""
        self._classes = np.unique(labels)
        # Of two classes, the first one's scores are the second one's with the sign turned.
        ones = self._classes[1:] if len(self._classes) == 2 else self._classes
        weights = compute_sample_weight("balanced" if self.balanced else None, labels)
        fitted = [self._fit_one(features, labels == one, weights) for one in ones]
        self._weights = np.column_stack([weights for weights, _ in fitted])  # [features, classes]
        self._biases = np.array([bias for _, bias in fitted])
        return self

    def _fit_one(
        self, features: Any, positive: NDArray[np.bool_], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        ratio = log_count_ratio(features, positive)
        svm = LinearSVC(C=self.C, max_iter=10_000, random_state=self._seed)
        svm.fit(features.multiply(ratio).tocsr(), positive, weights)
        return ratio * interpolated(svm.coef_[0], self.BETA), float(svm.intercept_[0])

    def scores(self, features: Any) -> NDArray[np.float64]:
        """float64 [rows, classes]."""
        scores: NDArray[np.float64] = features @ self._weights + self._biases
        return np.hstack([-scores, scores]) if len(self._classes) == 2 else scores

    def predict(self, features: Any) -> Labels:
        """int64 [rows]."""
        predicted: Labels = self._classes[self.scores(features).argmax(axis=1)]
        return predicted


def log_count_ratio(features: Any, positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """float64 [features]: log of a feature's share among the positive rows over that among the others, each
    counted once more than it occurs. `features` is a sparse matrix of 0 and 1, `positive` bool [rows]."""
    p, q = (1 + np.asarray(features[rows].sum(axis=0)).ravel() for rows in (positive, ~positive))
    ratio: NDArray[np.float64] = np.log((p / p.sum()) / (q / q.sum()))
    return ratio


def interpolated(weights: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """(1 - beta) mean|w| + beta w."""
    mean = float(np.abs(weights).mean())
    return (1 - beta) * mean + beta * weights


def _majority(
    training: Inputs, labels: Labels, classes: int, seed: int, balanced: bool
) -> Iterator[Candidate]:
    """The most frequent label; of several, the first."""
    label = int(np.bincount(labels).argmax())
    yield Fitted(f"label {label}", lambda inputs: np.full(len(inputs), label, np.int64))


def _linear(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool
) -> Iterator[Candidate]:
    return tfidf.candidates(training, labels, classes, balanced)


def _pixels(training: Images, labels: Labels, classes: int, seed: int, balanced: bool) -> Iterator[Candidate]:
    return pixels.candidates(training, labels, seed, balanced)


def _nbsvm(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool
) -> Iterator[Candidate]:
    counter = CountVectorizer(binary=True, dtype=np.float64, **NGRAMS)
    features = counter.fit_transform(_documents(training))

    def predict(model: NaiveBayesSVM, sequences: Sequences) -> Labels:
        return model.predict(counter.transform(_documents(sequences)))

    for strength in NBSVM_STRENGTHS:
        model = NaiveBayesSVM(strength, seed, balanced).fit(features, labels)
        yield Fitted(f"C = {strength:g}{', balanced' * balanced}", partial(predict, model))


def _fasttext(
    training: Sequences, labels: Labels, classes: int, seed: int, balanced: bool
) -> Iterator[Candidate]:
    """Joulin et al. 2016, "Bag of Tricks": averaged vectors of tokens and pairs into a softmax.

    It knows no class weights. What `balanced` comes to is each class's lines repeated as often as they weigh,
    and at least once: classes below the mean size then have about the mean, for twice the lines at most.
    """
    import fasttext

    mark = "__label__"  # fastText's own
    lines = [f"{mark}{label} {text}\n" for label, text in zip(labels, _documents(training), strict=True)]

    def predict(model: Any, sequences: Sequences) -> Labels:
        # Of one text, fastText 0.9's `predict` breaks under NumPy 2; of a list, it returns what C++ gave it.
        predicted, _ = model.predict(_documents(sequences))
        return np.array([int(first.removeprefix(mark)) for (first,) in predicted], np.int64)

    with TemporaryDirectory() as folder:
        file = Path(folder, "training.txt")
        # It learns in the file's order, and many corpora are sorted by class: MR then stays at chance.
        weights = compute_sample_weight("balanced" if balanced else None, labels)
        repeated = np.repeat(np.arange(len(lines)), np.maximum(1, weights.round()).astype(int))
        order = np.random.default_rng(seed).permutation(repeated)
        file.write_text("".join(lines[row] for row in order), "utf-8")
        for epochs, rate in product(FASTTEXT_EPOCHS, FASTTEXT_RATES):
            model = fasttext.train_supervised(
                str(file),
                epoch=epochs,
                lr=rate,
                dim=100,
                wordNgrams=2,
                bucket=min(2_000_000, 2 * len(training.ids)),  # its own 2 million are no better, at 800 MB
                loss="softmax",
                thread=1,  # with more, they race and no run repeats another
                seed=seed % 2**31,  # a C int
                verbose=0,
            )
            setting = f"{epochs} epochs, learning rate {rate:g}{', balanced' * balanced}"
            yield Fitted(setting, partial(predict, model))


def _documents(sequences: Sequences) -> list[str]:
    """The token ids as blank-separated text."""
    ids, offsets = sequences.ids.astype(str), sequences.offsets
    return [" ".join(ids[start:end]) for start, end in pairwise(offsets)]


BASELINES: dict[BaselineName, Baseline] = {
    "majority": Baseline("majority class", _majority, inputs=("tokens", "images")),
    "linear": Baseline("TF-IDF + logistic regression", _linear),
    "nbsvm": Baseline("NBSVM with bigrams", _nbsvm),
    "fasttext": Baseline("fastText with bigrams", _fasttext, library="fasttext"),
    "pixels": Baseline("logistic regression on pixels", _pixels, inputs=("images",)),
}

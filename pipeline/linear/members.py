"""The linear members of an ensemble: their settings and their weights are chosen on held-out rows.

A member's weights are between those of a support vector machine and of naive Bayes, as NBSVM's are (Wang &
Manning 2012), which has a fixed ratio of both. Here a stack of both finds the ratio.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from ..arrays import Floats, sample
from ..encoder import Encoder
from ..environment.cores import cores, let_others_first
from ..inputs import LabelledInputs, Sequences
from ..options import Criterion, Ngrams
from .character_ngrams import CharacterFeatures, CharacterNgrams
from .naive_bayes import naive_bayes
from .svm import C_VALUES, Machine, machines, most_epochs
from .token_ngrams import TokenFeatures, TokenNgrams, longest_ngram

# Of a member: features times classes, float32. Its training holds up to six such tables.
MAX_WEIGHTS = 100_000_000
T = TypeVar("T")
LinearModel = TokenNgrams | CharacterNgrams
OnEpochs = Callable[[int], None]
MODELS: dict[Ngrams, type[TokenNgrams] | type[CharacterNgrams]] = {
    "tokens": TokenNgrams,
    "characters": CharacterNgrams,
}


class _Features(Protocol):
    matrix: Any

    def model(self, weights: Floats, bias: Floats) -> LinearModel: ...


class Setting(NamedTuple):
    """A machine's C, and the share of naive Bayes in the member's weights; the rest is the machine's."""

    C: float
    naive_bayes: float = 0.0


class Choice(NamedTuple):
    """The setting of each member, and the weight with which its logits are added to the others', by name.

    `models` are the members themselves, fitted to the training rows.
    """

    settings: dict[Ngrams, Setting]
    weights: dict[Ngrams, float]
    models: dict[Ngrams, LinearModel]

    def together(self, rows: Sequences) -> Floats:
        """Return the weighted sum of the members' logits, float32 [rows, classes]."""
        weighted = [
            np.float32(self.weights[name]) * model.logits(rows) for name, model in self.models.items()
        ]
        added: Floats = np.sum(weighted, axis=0)
        return added


class _Fitted(NamedTuple):
    """A machine, and naive Bayes' weights of the same features, float32 [features, classes]."""

    features: _Features
    machine: Machine
    naive_bayes: Floats

    def model(self, share: float) -> LinearModel:
        """Return the member that has such a share of naive Bayes, from 0 to 1."""
        rest, naive = np.float32(1 - share), np.float32(share)
        weights = rest * self.machine.weights
        weights += naive * self.naive_bayes
        return self.features.model(weights, rest * self.machine.bias)


class _Candidate(NamedTuple):
    """A value of C, and the logits of all held-out rows by the machine and by naive Bayes."""

    C: float
    logits: Floats
    naive_bayes: Floats
    fitted: _Fitted | None = None  # to the first rows of the only split, if these are all training rows


def _joined(of_splits: Sequence[_Candidate]) -> _Candidate:
    """Return one candidate of those of all splits, which have one C."""
    logits, naive_bayes = (
        np.concatenate(each)
        for each in zip(*((one.logits, one.naive_bayes) for one in of_splits), strict=True)
    )
    return _Candidate(of_splits[0].C, logits, naive_bayes)


class Fit(NamedTuple):
    """The fitting of members, for classes 0 to `classes` - 1, to rows that the encoder gave.

    With the criterion macro-F1 every class has the same weight. Of more than `max_rows` rows, a sample is
    learned.
    """

    encoder: Encoder
    classes: int
    criterion: Criterion
    seed: int
    max_rows: int = sys.maxsize

    def choose(
        self,
        names: Sequence[Ngrams],
        splits: Sequence[tuple[LabelledInputs, LabelledInputs]],
        training: LabelledInputs,
        stopped: Event | None = None,
    ) -> Choice:
        """Choose settings and weights by how what is fitted to the first rows of a split labels its second.

        Of several C whose machines label all second rows equally well it is the smallest. The weights of the
        machines and of naive Bayes are those of `stacking.stack`. The members returned are fitted to all
        `training` rows; a single split may have fewer. Once `stopped` is set, it raises KeyboardInterrupt.
        """
        from ..measures.metrics import scores  # late: prediction must not wait for them
        from ..measures.stacking import stack

        truth = np.concatenate([held_out.labels for _, held_out in splits]).astype(np.int64)
        given = [held_out.weights for _, held_out in splits if held_out.weights is not None]
        row_weights = np.concatenate(given) if given else None
        classes = [str(number) for number in range(self.classes)]

        def score(logits: Floats) -> float:
            return scores(truth, logits.argmax(axis=1), classes, row_weights).value(self.criterion)

        is_final = len(splits) == 1 and len(splits[0][0].labels) == len(training.labels)

        def best(name: Ngrams, on_epochs: OnEpochs) -> _Candidate:
            of_splits = (self._candidates(name, *split, on_epochs) for split in splits)
            if is_final:
                return max(next(of_splits), key=lambda candidate: score(candidate.logits))
            of_values = zip(*([one._replace(fitted=None) for one in each] for each in of_splits), strict=True)
            return max(map(_joined, of_values), key=lambda candidate: score(candidate.logits))

        chosen = _each(names, len(splits) * most_epochs(self.classes), best, stopped)
        members = [each for one in chosen.values() for each in (one.logits, one.naive_bayes)]
        found = stack(members, truth, row_weights)
        weights, settings = dict[Ngrams, float](), dict[Ngrams, Setting]()
        pairs = zip(chosen.items(), found[::2], found[1::2], strict=True)
        for (name, one), of_machine, of_naive_bayes in pairs:
            weights[name] = of_machine + of_naive_bayes
            settings[name] = Setting(one.C, of_naive_bayes / weights[name])
        models = {
            name: one.fitted.model(settings[name].naive_bayes) for name, one in chosen.items() if one.fitted
        }
        return Choice(settings, weights, models or self.fit(settings, training, stopped))

    def fit(
        self, settings: Mapping[Ngrams, Setting], rows: LabelledInputs, stopped: Event | None = None
    ) -> dict[Ngrams, LinearModel]:
        """Return members that are fitted to the rows with these settings; for `stopped` see `choose`."""

        def fitted(name: Ngrams, on_epochs: OnEpochs) -> LinearModel:
            value, share = settings[name]
            return next(self._fit(name, rows, (value,), on_epochs)).model(share)

        return _each(list(settings), most_epochs(self.classes, C_VALUES[:1]), fitted, stopped)

    def _candidates(
        self, name: Ngrams, rows: LabelledInputs, held_out: LabelledInputs, on_epochs: OnEpochs
    ) -> Iterator[_Candidate]:
        texts, of_naive_bayes = held_out.inputs.as_sequences(), None
        for fitted in self._fit(name, rows, C_VALUES, on_epochs):
            if of_naive_bayes is None:  # it has no C
                of_naive_bayes = fitted.model(1).logits(texts)
            yield _Candidate(fitted.machine.C, fitted.model(0).logits(texts), of_naive_bayes, fitted)

    def _fit(
        self, name: Ngrams, rows: LabelledInputs, values: tuple[float, ...], on_epochs: OnEpochs
    ) -> Iterator[_Fitted]:
        if len(rows.labels) > self.max_rows:
            rows = rows.select(sample(np.arange(len(rows.labels)), self.max_rows, self.seed))
        sequences, labels = rows.inputs.as_sequences(), rows.labels.astype(np.int64)
        most = MAX_WEIGHTS // self.classes
        features: _Features = (
            TokenFeatures(sequences, longest_ngram(self.encoder), most)
            if name == "tokens"
            else CharacterFeatures(sequences, self.encoder.words, most)
        )
        balanced = self.criterion == "macro_f1"
        by_ratio = name == "tokens"  # for characters it gains nothing
        fitted = machines(
            features.matrix,
            labels,
            self.classes,
            by_ratio,
            balanced,
            self.seed,
            values,
            on_epochs,
            weights=rows.weights,
        )
        ratios = naive_bayes(features.matrix, labels, self.classes, rows.weights)
        return (_Fitted(features, machine, ratios) for machine in fitted)


def _each(
    names: Sequence[Ngrams], epochs: int, do: Callable[[Ngrams, OnEpochs], T], stopped: Event | None
) -> dict[Ngrams, T]:
    """Do something for each name side by side, as compiled code holds no lock; each takes so many epochs.

    An interrupt has to wait for the threads, which it ends at their next epoch.
    """
    from ..progress import Bar  # late as well, for tqdm

    interrupted = stopped or Event()
    with Bar("linear models", len(names) * epochs, unit="epoch") as bar:

        def on_epochs(count: int) -> None:
            if interrupted.is_set():
                raise KeyboardInterrupt
            bar.update(count)

        # The network is trained beside them, and slower if it has no core to itself.
        with ThreadPoolExecutor(max(1, cores() - 1), initializer=let_others_first) as threads:
            try:
                return dict(zip(names, threads.map(lambda name: do(name, on_epochs), names), strict=True))
            except BaseException:
                interrupted.set()
                raise

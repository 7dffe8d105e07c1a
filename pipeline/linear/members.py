"""The linear members of an ensemble: their C and their weights are chosen on held-out rows."""

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
from .svm import C_VALUES, machines, most_epochs
from .token_ngrams import TokenFeatures, TokenNgrams, longest_ngram

# Of a member: features times classes, float32. Its training holds up to five such tables.
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


class Choice(NamedTuple):
    """The C of each member, and the weight with which its logits are added to the others', by name.

    `models` are the members themselves, fitted to the training rows.
    """

    C: dict[Ngrams, float]
    weights: dict[Ngrams, float]
    models: dict[Ngrams, LinearModel]

    def together(self, rows: Sequences) -> Floats:
        """Return the weighted sum of the members' logits, float32 [rows, classes]."""
        weighted = [
            np.float32(self.weights[name]) * model.logits(rows) for name, model in self.models.items()
        ]
        added: Floats = np.sum(weighted, axis=0)
        return added


class _Candidate(NamedTuple):
    """A value of C, and the logits of all held-out rows."""

    value: float
    logits: Floats
    model: LinearModel | None = None  # if there is one split alone


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
        """Choose C and weights by how members that are fitted to the first rows of a split label its second.

        Of several C that label all second rows equally well it is the smallest. The weights are those of
        `stacking.stack`. The members returned are fitted to all `training` rows; a single split may have
        fewer. Once `stopped` is set, it raises KeyboardInterrupt.
        """
        from ..measures.metrics import scores  # late: prediction must not wait for them
        from ..measures.stacking import stack

        truth = np.concatenate([held_out.labels for _, held_out in splits]).astype(np.int64)
        given = [held_out.weights for _, held_out in splits if held_out.weights is not None]
        row_weights = np.concatenate(given) if given else None
        classes = [str(number) for number in range(self.classes)]

        def score(logits: Floats) -> float:
            return scores(truth, logits.argmax(axis=1), classes, row_weights).value(self.criterion)

        def best(name: Ngrams, on_epochs: OnEpochs) -> _Candidate:
            if len(splits) == 1:
                rows, held_out = splits[0]
                texts = held_out.inputs.as_sequences()
                fitted = zip(C_VALUES, self._fit(name, rows, C_VALUES, on_epochs), strict=True)
                candidates = (_Candidate(value, model.logits(texts), model) for value, model in fitted)
                return max(candidates, key=lambda candidate: score(candidate.logits))
            of_splits = [
                [
                    model.logits(held_out.inputs.as_sequences())
                    for model in self._fit(name, rows, C_VALUES, on_epochs)
                ]
                for rows, held_out in splits
            ]
            of_values = [np.concatenate(logits) for logits in zip(*of_splits, strict=True)]
            return max(map(_Candidate, C_VALUES, of_values), key=lambda candidate: score(candidate.logits))

        chosen = _each(names, len(splits) * most_epochs(self.classes), best, stopped)
        weights = stack([candidate.logits for candidate in chosen.values()], truth, row_weights)
        values = {name: candidate.value for name, candidate in chosen.items()}
        models = {name: candidate.model for name, candidate in chosen.items() if candidate.model is not None}
        if not models or len(splits[0][0].labels) < len(training.labels):
            models = self.fit(values, training, stopped)
        return Choice(values, dict(zip(chosen, weights, strict=True)), models)

    def fit(
        self, values: Mapping[Ngrams, float], rows: LabelledInputs, stopped: Event | None = None
    ) -> dict[Ngrams, LinearModel]:
        """Return members that are fitted to the rows with these C; for `stopped` see `choose`."""

        def fitted(name: Ngrams, on_epochs: OnEpochs) -> LinearModel:
            return next(self._fit(name, rows, (values[name],), on_epochs))

        return _each(list(values), most_epochs(self.classes, C_VALUES[:1]), fitted, stopped)

    def _fit(
        self, name: Ngrams, rows: LabelledInputs, values: tuple[float, ...], on_epochs: OnEpochs
    ) -> Iterator[LinearModel]:
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
        return (features.model(machine.weights, machine.bias) for machine in fitted)


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

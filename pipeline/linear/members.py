"""The linear members of an ensemble: their C and their weights are chosen on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..encoder import Encoder
from ..inputs import Sequences
from ..options import Criterion, Ngrams
from .character_ngrams import CharacterFeatures, CharacterNgrams
from .svm import C_VALUES, machines
from .token_ngrams import TokenFeatures, TokenNgrams, longest_ngram

T = TypeVar("T")
LinearModel = TokenNgrams | CharacterNgrams
Labelled = tuple[Sequences, NDArray[np.integer[Any]]]
MODELS: dict[Ngrams, type[TokenNgrams] | type[CharacterNgrams]] = {
    "tokens": TokenNgrams,
    "characters": CharacterNgrams,
}


class _Features(Protocol):
    matrix: Any

    def model(self, weights: Floats, bias: Floats) -> LinearModel: ...


class Choice(NamedTuple):
    """The C of each member, and the weight with which its logits are added to the others', by name."""

    C: dict[Ngrams, float]
    weights: dict[Ngrams, float]

    def together(self, members: Mapping[Ngrams, LinearModel], rows: Sequences) -> Floats:
        """Return the weighted sum of the members' logits, float32 [rows, classes]."""
        weighted = [np.float32(self.weights[name]) * model.logits(rows) for name, model in members.items()]
        added: Floats = np.sum(weighted, axis=0)
        return added


class Fit(NamedTuple):
    """The fitting of members, for classes 0 to `classes` - 1, to rows that the encoder gave.

    With the criterion macro-F1 every class has the same weight.
    """

    encoder: Encoder
    classes: int
    criterion: Criterion
    seed: int

    def choose(self, names: Sequence[Ngrams], splits: Sequence[tuple[Labelled, Labelled]]) -> Choice:
        """Choose C and weights by how members that are fitted to the first rows of a split label its second.

        Of several C that label all second rows equally well it is the smallest. The weights are those of
        `stacking.stack`.
        """
        from ..measures.metrics import scores  # late: prediction must not wait for them
        from ..measures.stacking import stack

        truth = np.concatenate([labels for _, (_, labels) in splits]).astype(np.int64)
        classes = [str(number) for number in range(self.classes)]

        def score(logits: Floats) -> float:
            return scores(truth, logits.argmax(axis=1), classes).value(self.criterion)

        def best(name: Ngrams) -> tuple[float, Floats]:
            of_splits = [
                [model.logits(held_out) for model in self._fit(name, rows, C_VALUES)]
                for rows, (held_out, _) in splits
            ]
            of_values = [np.concatenate(logits) for logits in zip(*of_splits, strict=True)]
            return max(zip(C_VALUES, of_values, strict=True), key=lambda candidate: score(candidate[1]))

        chosen = self._each(names, best)
        weights = stack([logits for _, logits in chosen.values()], truth)
        values = {name: value for name, (value, _) in chosen.items()}
        return Choice(values, dict(zip(chosen, weights, strict=True)))

    def fit(self, values: Mapping[Ngrams, float], rows: Labelled) -> dict[Ngrams, LinearModel]:
        """Return members that are fitted to the rows with these C."""
        return self._each(list(values), lambda name: next(self._fit(name, rows, (values[name],))))

    def _fit(self, name: Ngrams, rows: Labelled, values: tuple[float, ...]) -> Iterator[LinearModel]:
        sequences, labels = rows[0], rows[1].astype(np.int64)
        features: _Features = (
            TokenFeatures(sequences, longest_ngram(self.encoder))
            if name == "tokens"
            else CharacterFeatures(sequences, self.encoder.words)
        )
        balanced = self.criterion == "macro_f1"
        by_ratio = name == "tokens"  # for characters it gains nothing
        fitted = machines(features.matrix, labels, self.classes, by_ratio, balanced, self.seed, values)
        return (features.model(machine.weights, machine.bias) for machine in fitted)

    def _each(self, names: Sequence[Ngrams], do: Callable[[Ngrams], T]) -> dict[Ngrams, T]:
        """Do something for each name side by side, as compiled code holds no lock."""
        with ThreadPoolExecutor() as threads:
            return dict(zip(names, threads.map(do, names), strict=True))

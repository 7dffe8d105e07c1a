"""The linear members of an ensemble: each with the C that is best on the validation part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..inputs import Sequences
from ..options import Criterion, Ngrams
from .character_ngrams import CharacterFeatures, CharacterNgrams
from .svm import C_VALUES, machines
from .token_ngrams import TokenFeatures, TokenNgrams

LinearModel = TokenNgrams | CharacterNgrams
Labelled = tuple[Sequences, NDArray[np.integer[Any]]]
MODELS: dict[Ngrams, type[TokenNgrams] | type[CharacterNgrams]] = {
    "tokens": TokenNgrams,
    "characters": CharacterNgrams,
}


class _Features(Protocol):
    matrix: Any

    def model(self, weights: Floats, bias: Floats) -> LinearModel: ...


class Member(NamedTuple):
    """A fitted model and its C."""

    model: LinearModel
    C: float


class Fit(NamedTuple):
    """The fitting of members, for classes 0 to `classes` - 1, to rows of words of the `vocabulary`.

    With the criterion macro-F1 every class has the same weight.
    """

    vocabulary: Sequence[str]
    classes: int
    criterion: Criterion
    seed: int

    def choose(
        self, names: Sequence[Ngrams], training: Labelled, validation: Labelled
    ) -> dict[Ngrams, Member]:
        """Fit a member of each name for every C, and return those that are best on the validation part.

        Of several C that are as good it is the smallest.
        """
        from ..measures.metrics import scores  # late: prediction must not wait for it

        sequences, truth = validation[0], validation[1].astype(np.int64)
        classes = [str(number) for number in range(self.classes)]

        def score(member: Member) -> float:
            return scores(truth, member.model.predict(sequences), classes).value(self.criterion)

        return self._each(names, lambda name: max(self._fit(name, training, C_VALUES), key=score))

    def refit(self, members: Mapping[Ngrams, Member], rows: Labelled) -> dict[Ngrams, Member]:
        """Fit the members to other rows, each with its C."""
        return self._each(list(members), lambda name: next(self._fit(name, rows, (members[name].C,))))

    def _fit(self, name: Ngrams, rows: Labelled, values: tuple[float, ...]) -> Iterator[Member]:
        sequences, labels = rows[0], rows[1].astype(np.int64)
        features: _Features = (
            TokenFeatures(sequences) if name == "tokens" else CharacterFeatures(sequences, self.vocabulary)
        )
        balanced = self.criterion == "macro_f1"
        by_ratio = name == "tokens"  # for characters it gains nothing
        fitted = machines(features.matrix, labels, self.classes, by_ratio, balanced, self.seed, values)
        return (Member(features.model(machine.weights, machine.bias), machine.C) for machine in fitted)

    def _each(self, names: Sequence[Ngrams], fit: Callable[[Ngrams], Member]) -> dict[Ngrams, Member]:
        """Fit the members side by side, as compiled code holds no lock."""
        with ThreadPoolExecutor() as threads:
            return dict(zip(names, threads.map(fit, names), strict=True))

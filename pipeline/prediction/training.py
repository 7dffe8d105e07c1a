"""The training of a classifier's members, which are chosen and weighed by held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from ..folding.fold_network import fold_networks
from ..inputs import Images, Sequences
from ..linear.members import Choice, Fit, Labelled, LinearModel
from ..measures.stacking import stack
from ..networks import ensemble, trainer
from ..networks.backend import keras
from ..networks.batches import SortedBatches
from ..networks.checkpoint import Checkpoint
from ..networks.keras_network import KerasNetwork
from ..options import Ensemble, Ngrams, Train, derived_seed
from .pool import NETWORKS, Pool

Rows = tuple[Sequences | Images, NDArray[np.int32]]  # inputs and labels


@dataclass(frozen=True, eq=False)
class Fitted:
    """Fitted members: networks that differ in their seed, each after its best epoch, and linear models.

    `weights` are those of the networks' mean and of the linear models, each of which was fitted with its `C`.
    """

    networks: list[keras.Model]
    linear: Mapping[Ngrams, LinearModel]
    C: Mapping[Ngrams, float]
    weights: list[float]

    @cached_property
    def network(self) -> keras.Model:
        """The networks as one."""
        return ensemble.average(self.networks)

    @cached_property
    def pool(self) -> Pool:
        """All members; the networks are folded if they can be."""
        networks = fold_networks(self.networks) or KerasNetwork(self.network)
        return Pool(networks, self.linear, self.weights)

    @property
    def named_weights(self) -> dict[str, float]:
        """The weights of the networks and of the linear models by name, if there are any of the latter."""
        if not self.linear:
            return {}
        return dict(zip([NETWORKS, *self.linear], self.weights, strict=True))


@dataclass(frozen=True)
class Training:
    """The options of a training; `build` returns a network that is not yet trained."""

    build: Callable[[], keras.Model]
    linear: Fit
    train: Train
    ensemble: Ensemble
    seed: int
    checkpoint: Checkpoint | None = None  # of the first network; those of others are beside it

    def choose(
        self,
        training: Rows,
        validation: Rows,
        splits: Sequence[tuple[Rows, Rows]],
        on_epoch: Callable[[int, trainer.Record], None],
    ) -> tuple[Fitted, list[trainer.Record]]:
        """Fit all members to the training rows.

        The networks' epochs, and how much weight they have beside the linear models, are chosen by the
        validation rows; the linear models' C and weights by the second rows of the `splits`, of which they
        learn the first; a single split is of training and validation rows. Also returns the records of all
        epochs. `on_epoch` takes the number of those of earlier networks, and the record.
        """
        choice: Choice | None = None
        if names := self.ensemble.ngrams:
            pairs = [(_texts(rows), _texts(held)) for rows, held in splits]
            choice = self.linear.choose(names, pairs, _texts(training))
        networks: list[keras.Model] = []
        history: list[trainer.Record] = []
        for number in range(self.ensemble.members):
            seed = derived_seed(self.seed, number)
            trainer.make_repeatable(seed, self.train.precision)
            network = self.build()
            records = trainer.train(
                network,
                trainer.batches(*training, self.train, seed),
                SortedBatches(*validation),
                self.train,
                partial(on_epoch, len(history)),
                self.checkpoint and self.checkpoint.of(number),
            )
            history += [{"member": number + 1, **record} for record in records]
            networks.append(network)
        if not choice:
            return Fitted(networks, {}, {}, [1.0]), history
        # In two steps: each has fewer weights, and the first, of folds, more rows to choose them by.
        of_networks = KerasNetwork(ensemble.average(networks)).logits(validation[0])
        of_linear = choice.together(validation[0].as_sequences())
        first, second = stack([of_networks, of_linear], validation[1])
        weights = [first, *(second * weight for weight in choice.weights.values())]
        return Fitted(networks, choice.models, choice.C, weights), history

    def refit(self, chosen: Fitted, rows: Rows) -> Fitted:
        """Fit the linear models to training and validation rows, with the C and the weights that were chosen.

        The networks stay as they are: fitted again too, for as many epochs, they add 0.0 points on the
        training parts of TREC, SST-2, banking77 and NSMC, and double the time.
        """
        if not chosen.linear:
            return chosen
        return replace(chosen, linear=self.linear.fit(chosen.C, _texts(rows)))


def _texts(rows: Rows) -> Labelled:
    return rows[0].as_sequences(), rows[1]

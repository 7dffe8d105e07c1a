"""The training of a classifier's members, which are chosen and weighed by held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from threading import Event

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

    def fit(
        self,
        training: Rows,
        validation: Rows,
        both: Callable[[], Rows],
        splits: Sequence[tuple[Rows, Rows]],
        on_epoch: Callable[[int, trainer.Record], None],
    ) -> tuple[Fitted, Fitted, list[trainer.Record]]:
        """Return the members as they are chosen, and as they are shipped, and the records of all epochs.

        Chosen are members that are fitted to the training rows: the networks' epochs, and how much weight
        they have beside the linear models, by the validation rows; the linear models' C and weights by the
        second rows of the `splits`, of which they learn the first; a single split is of training and
        validation rows. Shipped are the same networks and weights, with linear models that are fitted to
        `both`. Networks that are fitted again too, for as many epochs, add 0.0 points on the training parts
        of TREC, SST-2, banking77 and NSMC, and double the time.

        The linear models are fitted beside the networks, as most of that is compiled code. `on_epoch` takes
        the number of the epochs of earlier networks, and the record.
        """
        stopped = Event()
        with ThreadPoolExecutor(1) as beside:
            fitting = beside.submit(self._fit_linear, training, both, splits, stopped)
            try:
                networks, history = self._fit_networks(training, validation, on_epoch)
                choice, refitted = fitting.result()
            except BaseException:
                stopped.set()
                raise
        if not choice:
            alone = Fitted(networks, {}, {}, [1.0])
            return alone, alone, history
        # In two steps: each has fewer weights, and the first, of folds, more rows to choose them by.
        of_networks = KerasNetwork(ensemble.average(networks)).logits(validation[0])
        of_linear = choice.together(validation[0].as_sequences())
        first, second = stack([of_networks, of_linear], validation[1])
        weights = [first, *(second * weight for weight in choice.weights.values())]
        chosen = Fitted(networks, choice.models, choice.C, weights)
        return chosen, replace(chosen, linear=refitted), history

    def _fit_linear(
        self,
        training: Rows,
        both: Callable[[], Rows],
        splits: Sequence[tuple[Rows, Rows]],
        stopped: Event,
    ) -> tuple[Choice | None, Mapping[Ngrams, LinearModel]]:
        if not self.ensemble.ngrams:
            return None, {}
        pairs = [(_texts(rows), _texts(held)) for rows, held in splits]
        choice = self.linear.choose(self.ensemble.ngrams, pairs, _texts(training), stopped)
        return choice, self.linear.fit(choice.C, _texts(both()), stopped)

    def _fit_networks(
        self, training: Rows, validation: Rows, on_epoch: Callable[[int, trainer.Record], None]
    ) -> tuple[list[keras.Model], list[trainer.Record]]:
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
        return networks, history


def _texts(rows: Rows) -> Labelled:
    return rows[0].as_sequences(), rows[1]

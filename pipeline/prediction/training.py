"""The training of a classifier, whose members are chosen and weighed by held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from threading import Event
from typing import NamedTuple

import numpy as np

from ..corpus.folds import Places
from ..encoder import TokenCounts
from ..folding.fold_network import fold_networks
from ..inputs import LabelledInputs
from ..linear.members import Choice, Fit, LinearModel, Setting
from ..measures.calibration import divergence
from ..measures.stacking import stack
from ..networks import ensemble, trainer
from ..networks.backend import keras
from ..networks.batches import SortedBatches
from ..networks.checkpoint import Checkpoint
from ..networks.keras_network import KerasNetwork
from ..options import Ensemble, Ngrams, Train, derived_seed
from .classifier import Classifier
from .pool import NETWORKS, Pool, Rounding, measure_rounding


@dataclass(frozen=True, eq=False)
class Fitted:
    """Fitted members: networks that differ in their seed, each after its best epoch, and linear models.

    `weights` are those of the networks' mean and of the linear models, each fitted with its setting.
    """

    networks: list[keras.Model]
    linear: Mapping[Ngrams, LinearModel]
    settings: Mapping[Ngrams, Setting]
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


class Trained(NamedTuple):
    """A classifier as it is shipped, its members with exact numbers, and the records of all epochs.

    `caution` is for the user, and `rounding` what the classifier's 16-bit tables change, if it is folded.
    """

    classifier: Classifier
    members: Fitted
    history: list[trainer.Record]
    caution: str | None
    rounding: Rounding | None


@dataclass(frozen=True)
class Training:
    """The options of a training; `build` returns a network that is not yet trained."""

    build: Callable[[], keras.Model]
    linear: Fit
    train: Train
    ensemble: Ensemble
    seed: int
    checkpoint: Checkpoint | None = None  # of the first network; those of others are beside it

    def fit_classifier(
        self,
        names: list[str],
        columns: list[str],
        rows: LabelledInputs,
        parts: Places,
        splits: Sequence[Places],
        tokens: TokenCounts | None,
        on_epoch: Callable[[int, trainer.Record], None],
    ) -> Trained:
        """Return a classifier with these `names` of its classes, of `rows` in the given places.

        `parts` are the training and the validation rows, and `tokens` those of the latter, None for images.
        `columns` are where texts came from; for `splits` and `on_epoch` see `fit_members`. Whatever is
        measured is measured with the members that have learned no validation row.
        """
        training, validation = (rows.select(places) for places in parts)
        chosen, shipped, history = self.fit_members(
            training,
            validation,
            lambda: rows.select(np.concatenate(parts)),
            [(rows.select(places.fitted), rows.select(places.held_out)) for places in splits],
            on_epoch,
        )
        classifier = Classifier(chosen.pool.rounded, self.linear.encoder, names, columns)
        classifier.calibrate(*validation)
        logits = classifier.logits(validation.inputs)
        caution = divergence(logits, validation.labels, classifier.temperature)
        classifier.set_drift_reference(validation.inputs, tokens)
        classifier.set_validation(validation.inputs, validation.labels)
        shipped_classifier = classifier.with_predictor(shipped.pool.rounded)
        rounding = measure_rounding(shipped.pool, validation.inputs)
        return Trained(shipped_classifier, shipped, history, caution, rounding)

    def fit_members(
        self,
        training: LabelledInputs,
        validation: LabelledInputs,
        both: Callable[[], LabelledInputs],
        splits: Sequence[tuple[LabelledInputs, LabelledInputs]],
        on_epoch: Callable[[int, trainer.Record], None],
    ) -> tuple[Fitted, Fitted, list[trainer.Record]]:
        """Return the members as they are chosen, and as they are shipped, and the records of all epochs.

        Chosen are members that are fitted to the training rows: the networks' epochs, and how much weight
        they have beside the linear models, by the validation rows; the linear models' settings and weights by
        the second rows of the `splits`, of which they learn the first; a single split is of training and
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
        of_networks = KerasNetwork(ensemble.average(networks)).logits(validation.inputs)
        of_linear = choice.together(validation.inputs.as_sequences())
        first, second = stack([of_networks, of_linear], validation.labels, validation.weights)
        weights = [first, *(second * weight for weight in choice.weights.values())]
        chosen = Fitted(networks, choice.models, choice.settings, weights)
        return chosen, replace(chosen, linear=refitted), history

    def _fit_linear(
        self,
        training: LabelledInputs,
        both: Callable[[], LabelledInputs],
        splits: Sequence[tuple[LabelledInputs, LabelledInputs]],
        stopped: Event,
    ) -> tuple[Choice | None, Mapping[Ngrams, LinearModel]]:
        if not self.ensemble.ngrams:
            return None, {}
        choice = self.linear.choose(self.ensemble.ngrams, splits, training, stopped)
        return choice, self.linear.fit(choice.settings, both(), stopped)

    def _fit_networks(
        self,
        training: LabelledInputs,
        validation: LabelledInputs,
        on_epoch: Callable[[int, trainer.Record], None],
    ) -> tuple[list[keras.Model], list[trainer.Record]]:
        networks: list[keras.Model] = []
        history: list[trainer.Record] = []
        for number in range(self.ensemble.members):
            seed = derived_seed(self.seed, number)
            trainer.make_repeatable(seed, self.train.precision)
            network = self.build()
            records = trainer.train(
                network,
                trainer.batches(training, self.train, seed),
                SortedBatches(validation.inputs, validation.labels, weights=validation.weights),
                self.train,
                partial(on_epoch, len(history)),
                self.checkpoint and self.checkpoint.of(number),
            )
            history += [{"member": number + 1, **record} for record in records]
            networks.append(network)
        return networks, history

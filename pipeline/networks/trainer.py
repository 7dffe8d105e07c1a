"""The trainer: a network, batches and options in; the trained network and its history out.

It does not know whether it trains on words or pixels. The only module that calls `compile` and `fit`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import Diverged
from ..inputs import LabelledInputs
from ..options import Train
from ..progress import Bar
from .backend import keras, tf
from .batches import Batches, SortedBatches
from .checkpoint import Checkpoint, Keeper, State
from .lazy_optimizers import build_optimizer

Record = dict[str, float]
STEPS_PER_CALL = 8  # of tf.function: Keras's overhead for each call is as long as a step


def batches(rows: LabelledInputs, options: Train, seed: int) -> Batches:
    """Return training rows in the batches and epochs of the options, weighted by class where these say so."""
    inputs, labels, weights = rows
    if options.class_weights == "balanced":
        balanced = balanced_weights(labels)
        weights = balanced if weights is None else balanced * weights
    return Batches(inputs, labels, options.batch_size, seed, options.epochs_per_pass(len(labels)), weights)


def make_repeatable(seed: int, precision: str) -> None:
    """Seed every generator, choose deterministic kernels and the precision of matrix products.

    On one machine, the same seed then gives the same bits. Call it before the network is built.
    """
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def train(
    network: keras.Model,
    training: Batches,
    validation: SortedBatches,
    options: Train,
    on_epoch: Callable[[Record], None],
    checkpoint: Checkpoint | None = None,
) -> list[Record]:
    """Train until the criterion on the validation part stops rising, and keep the best epoch.

    It stops after `patience` epochs without a rise. With `averaging`, what is judged and kept of an epoch is
    the moving average of the weights, see `_MovingAverage`.
    `network` gives logits [rows, classes]; the loss is the cross-entropy with the integer labels, weighted
    as `batches` weights rows, on the training part alone. Each epoch's record holds epoch (from 1), loss,
    accuracy, validation_loss, validation_accuracy, seconds and examples_per_second; with class weights also
    macro_f1 and validation_macro_f1. A training that was killed goes on from its `checkpoint`, if it has left
    one, to the same bits; `on_epoch` has the earlier records too.
    """
    metrics = ["accuracy", MacroF1()] if options.class_weights == "balanced" else ["accuracy"]
    network.compile(
        optimizer=build_optimizer(options),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=STEPS_PER_CALL,
        # Where rows have weights of their own, what is chosen by these scores is to have them, too.
        **{"metrics" if validation.weights is None else "weighted_metrics": metrics},
    )
    _create_variables(network)
    averages = [_MovingAverage(float(options.averaging))] if options.averaging else []
    recorder = _Recorder(len(training.lengths) // training.epochs_per_pass, options.epochs, on_epoch)
    stopping = _EarlyStopping(
        monitor=f"val_{options.criterion}", mode="max", patience=options.patience, restore_best_weights=True
    )
    callbacks = [training.follow_epochs(), *averages, recorder, stopping]
    first = 0
    if checkpoint:
        callbacks.append(keeper := Keeper(checkpoint, [*averages, recorder, stopping]))
        first = keeper.first_epoch(options.epochs)
    network.fit(
        training.dataset(),
        validation_data=validation.dataset(),
        initial_epoch=first,
        epochs=options.epochs,
        shuffle=False,  # the batches shuffle themselves, reproducibly
        verbose=0,
        callbacks=callbacks,
    )
    return recorder.history


def _create_variables(network: keras.Model) -> None:
    """Create those of the optimizer, the loss and the metrics, as Keras would while it traces the first step.

    TensorFlow traces a function anew if the first time has created variables: half a second.
    """
    network.optimizer.build(network.trainable_variables)
    labels, logits = np.zeros(1, np.int32), np.zeros((1, network.output_shape[-1]), np.float32)
    network.compute_loss(None, labels, logits)
    network.compute_metrics(None, labels, logits)  # each epoch starts them anew


def balanced_weights(labels: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Return the weight of each row, rows / (classes * rows of its class), float32 [rows].

    The classes are those that occur in `labels` [rows]. scikit-learn's "balanced"; the mean over the rows is
    1, so the learning rate keeps its meaning.
    """
    classes, of_class, rows = np.unique(labels, return_inverse=True, return_counts=True)
    weights: NDArray[np.float32] = (len(labels) / (len(classes) * rows))[of_class].astype(np.float32)
    return weights


class MacroF1(keras.metrics.F1Score):  # type: ignore[misc]  # keras has no types
    """The mean of Keras's F1 over the classes that have rows, as in `metrics.scores`.

    It takes integer labels [rows] and logits [rows, classes].
    """

    def __init__(self) -> None:
        super().__init__(name="macro_f1")

    def update_state(self, labels: tf.Tensor, logits: tf.Tensor, sample_weight: Any = None) -> None:
        classes = logits.shape[-1]
        truth = tf.one_hot(tf.cast(tf.reshape(labels, [-1]), tf.int32), classes)
        super().update_state(truth, tf.one_hot(tf.argmax(logits, 1), classes), sample_weight)

    def result(self) -> tf.Tensor:
        occurs = tf.cast(self.true_positives + self.false_negatives > 0, self.dtype)
        return tf.reduce_sum(super().result() * occurs) / tf.maximum(tf.reduce_sum(occurs), 1)


class _MovingAverage(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Callback that puts a moving average of the weights in their place whenever no epoch is under way.

    With w the weights after epoch t and m the momentum,

        a <- m a + (1 - m) w, from a = 0

    and a / (1 - m^t) is what is validated, and kept if it is the best; the next epoch goes on from w.
    Izmailov et al. (2018, Averaging weights leads to wider optima and better generalization, arXiv
    1803.05407) take the plain mean of the last epochs; this one needs no choice of the first of them.
    """

    def __init__(self, momentum: float) -> None:
        super().__init__()
        self._momentum = momentum
        self._epochs = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._averages = [np.zeros(weight.shape, np.float32) for weight in self.model.trainable_variables]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._epochs:
            self._assign(self._weights)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._weights = [weight.numpy() for weight in self.model.trainable_variables]
        self._epochs += 1
        for average, weight in zip(self._averages, self._weights, strict=True):
            average += np.float32(1 - self._momentum) * (weight - average)
        share = np.float32(1 - self._momentum**self._epochs)  # of what has been added
        self._assign([np.divide(average, share, dtype=np.float32) for average in self._averages])

    def _assign(self, values: list[NDArray[np.float32]]) -> None:
        for weight, value in zip(self.model.trainable_variables, values, strict=True):
            weight.assign(value)

    def state(self) -> State:
        return State({"averages": self._averages, "weights": self._weights}, {"averaged": self._epochs})

    def restore(self, state: State) -> None:
        self._averages, self._weights = state.arrays["averages"], state.arrays["weights"]
        self._epochs = state.notes["averaged"]


class _EarlyStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]  # keras has no types
    """Keras's, as `Keeper` can keep it."""

    def state(self) -> State:
        return State({"best": self.best_weights}, {"best": float(self.best), "wait": self.wait})

    def restore(self, state: State) -> None:
        self.best_weights = state.arrays["best"]
        self.best, self.wait = state.notes["best"], state.notes["wait"]


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Callback that records each epoch, passes the record on, and shows a progress bar on a terminal."""

    def __init__(self, rows: int, epochs: int, on_epoch: Callable[[Record], None]) -> None:
        super().__init__()
        self.history: list[Record] = []
        self._rows, self._epochs, self._on_epoch = rows, epochs, on_epoch

    def state(self) -> State:
        return State({}, {"history": self.history})

    def restore(self, state: State) -> None:
        for record in state.notes["history"]:
            self.history.append(record)
            self._on_epoch(record)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        label = f"epoch {epoch + 1}/{self._epochs}"
        self._bar = Bar(label, self.params["steps"], unit="batch")
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.update(batch + 1 - self._bar.n)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._seconds = time.perf_counter() - self._began

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.close()
        assert logs is not None
        if not math.isfinite(logs["loss"]):
            raise Diverged(f"the loss is {logs['loss']} in epoch {epoch + 1}: lower train.learning_rate")
        record = {
            "epoch": epoch + 1,
            **{name.replace("val_", "validation_"): value for name, value in logs.items()},
            "seconds": self._seconds,
            "examples_per_second": self._rows / self._seconds,
        }
        self.history.append(record)
        self._on_epoch(record)

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
from tqdm import tqdm

from ..errors import Diverged
from ..options import Train
from ..terminal import TERMINAL_WIDTH, say
from .backend import keras, tf
from .batches import Batches, SortedBatches
from .checkpoint import Arrays, Checkpoint, State
from .lazy_optimizers import build_optimizer

Record = dict[str, float]
STEPS_PER_CALL = 8  # of tf.function: Keras's overhead for each call is as long as a step


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
    by class on the training part alone. Each epoch's record holds epoch (from 1), loss, accuracy,
    validation_loss, validation_accuracy, seconds and examples_per_second; with class weights also macro_f1
    and validation_macro_f1. A training that was killed goes on from its `checkpoint`, if it has left one, to
    the same bits; `on_epoch` has the earlier records too.
    """
    balanced = options.class_weights == "balanced"
    network.compile(
        optimizer=build_optimizer(options),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", MacroF1()] if balanced else ["accuracy"],
        steps_per_execution=STEPS_PER_CALL,
    )
    averages = [_MovingAverage(float(options.averaging))] if options.averaging else []
    recorder = _Recorder(len(training.lengths), options.epochs, on_epoch)
    stopping = keras.callbacks.EarlyStopping(
        monitor=f"val_{options.criterion}", mode="max", patience=options.patience, restore_best_weights=True
    )
    keeper = _Keeper(checkpoint, recorder, stopping, averages)
    network.fit(
        training.dataset(),
        validation_data=validation.dataset(),
        initial_epoch=keeper.first_epoch(options.epochs),
        epochs=options.epochs,
        class_weight=balanced_weights(training.labels) if balanced else None,
        shuffle=False,  # the batches shuffle themselves, reproducibly
        verbose=0,
        callbacks=[training.follow_epochs(), *averages, recorder, stopping, keeper],
    )
    return recorder.history


def balanced_weights(labels: NDArray[np.integer[Any]]) -> dict[int, float]:
    """Return class -> rows / (classes * rows of the class), over the classes that occur in `labels` [rows].

    scikit-learn's "balanced"; the mean over the rows is 1, so the learning rate keeps its meaning.
    """
    classes, rows = np.unique(labels, return_counts=True)
    return dict(zip(classes.tolist(), (len(labels) / (len(classes) * rows)).tolist(), strict=True))


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

    @property
    def state(self) -> Arrays:
        """What the next epoch needs of the earlier ones."""
        return {"averages": self._averages, "weights": self._weights}

    def restore(self, state: Arrays, epochs: int) -> None:
        self._averages, self._weights, self._epochs = state["averages"], state["weights"], epochs


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Callback that writes checkpoints, and sets all others as they were. It is the last of them."""

    def __init__(
        self,
        checkpoint: Checkpoint | None,
        recorder: _Recorder,
        stopping: keras.callbacks.EarlyStopping,
        averages: list[_MovingAverage],
    ) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._recorder, self._stopping, self._averages = recorder, stopping, averages
        self._state = checkpoint.read() if checkpoint else None
        self._written = time.monotonic()

    def first_epoch(self, epochs: int) -> int:
        """Return the number of epochs that are done; all of them where patience had ended."""
        if not self._state:
            return 0
        return epochs if self._state.notes["stopped"] else self._state.epochs

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._state:
            return
        arrays, notes = self._state.arrays, self._state.notes
        self.model.optimizer.build(self.model.trainable_variables)
        for variable, value in zip(self._variables(), arrays["variables"], strict=True):
            variable.assign(value)
        self._stopping.best_weights = arrays["best"]
        self._stopping.best, self._stopping.wait = notes["best"], notes["wait"]
        for average in self._averages:
            average.restore(arrays, self._state.epochs)
        self._recorder.go_on_after(notes["history"])
        say(f"  going on after epoch {self._state.epochs}")
        self._state = None  # it is three times as large as the network

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._checkpoint or time.monotonic() - self._written < self._checkpoint.seconds:
            return
        arrays = {
            "variables": [variable.numpy() for variable in self._variables()],
            "best": self._stopping.best_weights,
        }
        for average in self._averages:
            arrays |= average.state
        notes = {
            "history": self._recorder.history,
            "best": float(self._stopping.best),
            "wait": self._stopping.wait,
            "stopped": bool(self.model.stop_training),
        }
        try:
            self._checkpoint.write(State(arrays, notes))
        except OSError as error:  # the training is worth more than its checkpoint
            say(f"  no checkpoint after epoch {epoch + 1}: {error}")
        self._written = time.monotonic()

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.variables, *self.model.optimizer.variables]


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Callback that records each epoch, passes the record on, and shows a progress bar on a terminal."""

    def __init__(self, rows: int, epochs: int, on_epoch: Callable[[Record], None]) -> None:
        super().__init__()
        self.history: list[Record] = []
        self._rows, self._epochs, self._on_epoch = rows, epochs, on_epoch

    def go_on_after(self, history: list[Record]) -> None:
        for record in history:
            self.history.append(record)
            self._on_epoch(record)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        label = f"epoch {epoch + 1}/{self._epochs}"
        self._bar = tqdm(
            total=self.params["steps"],
            desc=label,
            unit="batch",
            leave=False,
            disable=None,
            ncols=TERMINAL_WIDTH,
        )
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

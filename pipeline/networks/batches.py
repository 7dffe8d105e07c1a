"""Batches of rows of like length, for `fit`, `evaluate` and `predict`, whatever the rows are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs import Inputs
from .backend import keras, tf

Batch = tuple[NDArray[Any], ...]  # rows and, if there are any, their labels and weights
POOL_BATCHES = 20  # sorted together: enough that a batch is 6 % padding on MR, few enough to mix


class _Batches:
    """Batches as lists of row numbers, and as arrays of the rows."""

    def __init__(
        self, inputs: Inputs, labels: NDArray[np.integer] | None, weights: NDArray[np.float32] | None = None
    ) -> None:
        self.inputs = inputs
        self.labels = None if labels is None else labels.astype(np.int32)
        self.weights = weights
        self.lengths = np.maximum(1, inputs.lengths)  # as padded: an empty row has one column
        self.rows: list[NDArray[np.int64]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Batch]:
        return (self[batch] for batch in range(len(self)))

    def __getitem__(self, batch: int) -> Batch:
        rows = self.rows[batch]
        columns = (column[rows] for column in (self.labels, self.weights) if column is not None)
        return self.inputs.select(rows).padded(), *columns

    def dataset(self) -> tf.data.Dataset:
        """Return the batches of one epoch for Keras, which takes a new iterator for each epoch.

        tf.data's own tuning is off: stopping its thread delayed each next epoch by a second.
        """
        types, shapes = zip(
            *(
                (array.dtype, [None, *shape])
                for array, shape in zip(self[0], (self.inputs.shape, (), ()), strict=False)
            ),
            strict=True,
        )

        def batch(number: tf.Tensor) -> tuple[tf.Tensor, ...]:
            arrays = tf.numpy_function(self.__getitem__, [number], types)
            for array, shape in zip(arrays, shapes, strict=True):
                array.set_shape(shape)
            return tuple(arrays)

        options = tf.data.Options()
        options.autotune.enabled = False
        return tf.data.Dataset.range(len(self)).map(batch).with_options(options)


class Batches(_Batches):
    """Shuffled batches: `fit(batches.dataset(), shuffle=False, callbacks=[batches.follow_epochs()])`.

    A pass over all rows takes `epochs_per_pass` epochs, one as a rule, in an order that follows from (seed,
    epoch) alone, so a training that is resumed sees what it would have seen. No row comes twice in a pass; as
    its epochs must be equally long, up to `epochs_per_pass` - 1 batches wait for the next. Within pools of
    POOL_BATCHES batches rows are sorted by length, and each batch is padded to its own longest row: tokens
    are int32 [batch, longest], images uint8 [batch, height, width, channels], labels int32 [batch], and
    weights, if there are any, float32 [batch].
    """

    labels: NDArray[np.int32]  # to train on, never absent

    def __init__(
        self,
        inputs: Inputs,
        labels: NDArray[np.integer],
        batch_size: int,
        seed: int,
        epochs_per_pass: int = 1,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(inputs, labels, weights)
        self.batch_size = batch_size
        self.seed = seed
        self.epochs_per_pass = min(epochs_per_pass, -(-len(labels) // batch_size))
        self.epoch = 0

    @property
    def epoch(self) -> int:
        """The epoch that the batches belong to, counted from 0."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch = epoch
        passes, part = divmod(epoch, self.epochs_per_pass)
        random = np.random.default_rng((self.seed, passes))
        order = random.permutation(len(self.lengths))
        pools = _split(order, POOL_BATCHES * self.batch_size)
        order = np.concatenate([pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools])
        batches = _split(order, self.batch_size)
        size = len(batches) // self.epochs_per_pass
        chosen = random.permutation(len(batches))[part * size : (part + 1) * size]
        self.rows = [batches[i] for i in chosen]

    def follow_epochs(self) -> keras.callbacks.Callback:
        """Return a callback that sets `epoch` to fit's own: Keras takes more iterators than epochs."""

        def follow(epoch: int, logs: dict[str, float] | None) -> None:
            self.epoch = epoch

        return keras.callbacks.LambdaCallback(on_epoch_begin=follow)


class SortedBatches(_Batches):
    """Every row once, by length, for `evaluate` and `predict`: (inputs, labels), or (inputs,) without labels.

    A batch holds as many rows as keep rows * longest within `tokens`, and at least one: memory is bounded
    by `tokens` and the longest row. `restore` puts the predictions back in the order of the inputs.
    """

    def __init__(
        self,
        inputs: Inputs,
        labels: NDArray[np.integer] | None = None,
        tokens: int = 16_384,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(inputs, labels, weights)
        order = np.argsort(self.lengths, kind="stable")
        start = 0
        for end in range(1, len(order) + 1):
            if end == len(order) or (end + 1 - start) * self.lengths[order[end]] > tokens:
                self.rows.append(order[start:end])
                start = end

    def restore(self, predictions: NDArray[Any]) -> NDArray[Any]:
        """Return predictions [rows, ...] in the order of the inputs."""
        restored = np.empty_like(predictions)
        restored[np.concatenate(self.rows)] = predictions
        return restored


def _split(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [order[start : start + size] for start in range(0, len(order), size)]

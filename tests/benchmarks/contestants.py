"""Who is timed: Kim's CNN-multichannel, trained by this project, by plain Keras and by plain PyTorch.

`python -m tests.benchmarks.contestants NAME data/build/<corpus>` times one of them in a process of its own
and prints JSON: seconds of an epoch, rows/s, peak memory. The plain builds are what public repositories do:
two embedding layers, a convolution a window, every batch padded to the longest text of the corpus, a dense
Adadelta step. All their batches cost the same, so a sample of them is timed and scaled to the epoch; this
project's epoch is timed whole.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.artifacts import CorpusFolder, read_sequences
from pipeline.inputs import Sequences
from pipeline.reading import read_json, read_table

WINDOWS, FILTERS, DIMENSIONS, BATCH = (3, 4, 5), 100, 300, 50
SECONDS = 8.0  # of sampled batches
Timer = Callable[[Sequences, np.ndarray, int, int], float]


def convtext(sequences: Sequences, labels: np.ndarray, vocabulary: int, classes: int) -> float:
    return _fit(sequences, labels, vocabulary, classes)


def convtext_bfloat16(sequences: Sequences, labels: np.ndarray, vocabulary: int, classes: int) -> float:
    return _fit(sequences, labels, vocabulary, classes, "mixed_bfloat16")


def _fit(
    sequences: Sequences, labels: np.ndarray, vocabulary: int, classes: int, precision: str = "float32"
) -> float:
    from pipeline.models.kim_cnn import Options, build
    from pipeline.networks import trainer
    from pipeline.networks.batches import Batches, SortedBatches
    from pipeline.options import Train
    from pipeline.vectors.matrix import random_vectors

    options = Train(epochs=5, patience=5, batch_size=BATCH, precision=precision)
    trainer.make_repeatable(1, options.precision)
    network = build(Options(), random_vectors(vocabulary - 2, DIMENSIONS, 1), classes)
    few = np.arange(min(100, len(sequences)))
    validation = SortedBatches(sequences.select(few), labels[few])
    batches = Batches(sequences, labels, BATCH, 1)
    history = trainer.train(network, batches, validation, options, lambda record: None)
    return statistics.median(record["seconds"] for record in history[1:])  # the first compiles


def keras_plain(sequences: Sequences, labels: np.ndarray, vocabulary: int, classes: int) -> float:
    from pipeline.networks.backend import keras

    longest = int(sequences.lengths.max())
    ids = keras.Input((longest,), dtype="int32")
    channels = [
        keras.layers.Embedding(vocabulary, DIMENSIONS, trainable=tuned)(ids) for tuned in (False, True)
    ]
    features = []
    for window in WINDOWS:
        convolution = keras.layers.Conv1D(FILTERS, window)
        sums = keras.layers.add([convolution(channel) for channel in channels])
        features.append(keras.layers.GlobalMaxPooling1D()(keras.layers.ReLU()(sums)))
    dropped = keras.layers.Dropout(0.5)(keras.layers.concatenate(features))
    network = keras.Model(ids, keras.layers.Dense(classes)(dropped))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adadelta(1.0), loss, jit_compile=False)
    return _sampled(network.train_on_batch, sequences, labels)


def pytorch_plain(sequences: Sequences, labels: np.ndarray, vocabulary: int, classes: int) -> float:
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.static = torch.nn.Embedding(vocabulary, DIMENSIONS, padding_idx=0)
            self.static.weight.requires_grad = False
            self.tuned = torch.nn.Embedding(vocabulary, DIMENSIONS, padding_idx=0)
            self.convolutions = torch.nn.ModuleList(
                torch.nn.Conv2d(2, FILTERS, (window, DIMENSIONS)) for window in WINDOWS
            )
            self.dropout = torch.nn.Dropout(0.5)
            self.dense = torch.nn.Linear(FILTERS * len(WINDOWS), classes)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            channels = torch.stack([self.static(ids), self.tuned(ids)], 1)
            maps = [torch.relu(convolution(channels)).squeeze(3) for convolution in self.convolutions]
            return self.dense(self.dropout(torch.cat([one.max(2).values for one in maps], 1)))

    network = Network().train()
    tuned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adadelta(tuned, lr=1.0, rho=0.95, eps=1e-6)

    def step(ids: np.ndarray, truth: np.ndarray) -> None:
        optimizer.zero_grad()
        logits = network(torch.from_numpy(ids).long())
        torch.nn.functional.cross_entropy(logits, torch.from_numpy(truth).long()).backward()
        optimizer.step()

    return _sampled(step, sequences, labels)


def products(sequences: Sequences, labels: np.ndarray, vocabulary: int, classes: int) -> float:
    """The three dense matrix products of a step, forward and backward, and nothing else: the limit of a
    network that multiplies once for each distinct token."""
    from pipeline.networks.backend import tf
    from pipeline.networks.batches import Batches

    batches = Batches(sequences, labels, BATCH, 1)
    distinct = np.mean([len(np.unique(batches[n][0])) - 1 for n in range(min(50, len(batches)))])
    columns = sum(WINDOWS) * FILTERS
    vectors, bank = tf.random.normal((int(distinct), DIMENSIONS)), tf.random.normal((columns, DIMENSIONS))
    gradient = tf.random.normal((int(distinct), columns))

    @tf.function
    def step() -> tuple[tf.Tensor, ...]:
        forward = tf.matmul(vectors, bank, transpose_b=True)
        return forward, tf.matmul(gradient, bank), tf.matmul(gradient, vectors, transpose_a=True)

    step()
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS / 2:
        step()[2].numpy()
        steps += 1
    return (time.perf_counter() - began) / steps * len(batches)


def _sampled(
    step: Callable[[np.ndarray, np.ndarray], object], sequences: Sequences, labels: np.ndarray
) -> float:
    """Seconds of an epoch, from as many batches as fit into SECONDS, and at least two."""
    longest = int(sequences.lengths.max())
    order = np.random.default_rng(1).permutation(len(sequences))
    starts = range(0, len(order), BATCH)

    def batch(start: int) -> tuple[np.ndarray, np.ndarray]:
        rows = order[start : start + BATCH]
        ids = np.zeros((len(rows), longest), np.int32)
        found = sequences.select(rows).padded()
        ids[:, : found.shape[1]] = found
        return ids, labels[rows].astype(np.int32)

    step(*batch(0))  # compiles
    began, steps = time.perf_counter(), 0
    while steps < 2 or time.perf_counter() - began < SECONDS:
        step(*batch(starts[(steps + 1) % len(starts)]))
        steps += 1
    return (time.perf_counter() - began) / steps * len(starts)


CONTESTANTS: dict[str, Timer] = {
    "convtext": convtext,
    "convtext, bfloat16": convtext_bfloat16,
    "bare matrix products": products,
    "plain Keras": keras_plain,
    "plain PyTorch": pytorch_plain,
}


def main(name: str, corpus: str) -> None:
    folder = CorpusFolder(Path(corpus))
    rows = read_table(folder.rows)
    training = np.flatnonzero(rows["part"] == "train")
    sequences = read_sequences(folder.sequences).select(training)
    labels = rows["label"].to_numpy(np.int32)[training]
    vocabulary = len(read_json(folder.text_encoder)["words"]) + 2
    seconds = CONTESTANTS[name](sequences, labels, vocabulary, int(labels.max()) + 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # Linux gives KiB
    print(json.dumps({"seconds": seconds, "rows_per_second": len(training) / seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])

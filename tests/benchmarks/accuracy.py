"""`python -m tests.benchmarks.accuracy data/build/mr`: the same accuracy as the plain stack's?

Kim's CNN-rand on ten seeded splits of a corpus, once with TokenConvolution and once with Keras's Embedding,
Conv1D and GlobalMaxPooling1D, through the same trainer. Prints each split's test accuracies, then their
means, standard deviations and the paired differences.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pipeline.artifacts import CorpusFolder, read_sequences
from pipeline.corpus.split import split
from pipeline.models.kim_cnn import Options, build
from pipeline.networks import trainer
from pipeline.networks.backend import keras
from pipeline.networks.batches import Batches, SortedBatches
from pipeline.options import Train
from pipeline.reading import read_json, read_table
from pipeline.vectors.matrix import random_vectors

SEEDS = range(1, 11)
WINDOWS, FILTERS = (3, 4, 5), 100


def plain(vectors: np.ndarray, classes: int) -> keras.Model:
    """The wide convolution of TokenConvolution by Keras's own layers; padding is zero and stays it."""
    ids = keras.Input((None,), dtype="int32")
    table = keras.layers.Embedding(*vectors.shape, embeddings_constraint=PaddingStaysZero())
    embedded = table(ids)
    table.set_weights([vectors])
    features = []
    for window in WINDOWS:
        start = keras.initializers.RandomUniform(-0.01, 0.01)
        padded = keras.layers.ZeroPadding1D(window - 1)(embedded)
        sums = keras.layers.Conv1D(FILTERS, window, activation="relu", kernel_initializer=start)(padded)
        features.append(keras.layers.GlobalMaxPooling1D()(sums))
    dropped = keras.layers.Dropout(0.5)(keras.layers.concatenate(features))
    bound = keras.constraints.MaxNorm(1.5, axis=0)
    logits = keras.layers.Dense(classes, kernel_initializer="zeros", kernel_constraint=bound)
    return keras.Model(ids, logits(dropped))


class PaddingStaysZero(keras.constraints.Constraint):
    def __call__(self, table):
        return table * keras.ops.cast(keras.ops.arange(table.shape[0]) > 0, table.dtype)[:, None]


def accuracy(network: keras.Model, parts: list, seed: int) -> float:
    training, validation, (sequences, labels) = parts
    options = Train()
    trainer.train(
        network,
        Batches(*training, options.batch_size, seed),
        SortedBatches(*validation),
        options,
        lambda record: None,
    )
    batches = SortedBatches(sequences)
    logits = batches.restore(np.concatenate([network(ids, training=False) for ids, *_ in batches]))
    return float(np.mean(logits.argmax(axis=1) == labels))


def main(corpus: str) -> None:
    folder = CorpusFolder(Path(corpus))
    rows, sequences = read_table(folder.rows), read_sequences(folder.sequences)
    labels = rows["label"].to_numpy(np.int32)
    words, classes = len(read_json(folder.text_encoder)["words"]), int(labels.max()) + 1
    found = []
    for seed in SEEDS:
        part = split(list(rows["text"]), labels, seed, 0.1, 0.1)
        chosen = [np.flatnonzero(part == code) for code in range(3)]
        parts = [(sequences.select(rows), labels[rows]) for rows in chosen]
        vectors = random_vectors(words, 300, seed)
        pair = []
        for factored in (True, False):
            trainer.make_repeatable(seed, "float32")
            network = (
                build(Options(channels=["tuned"]), vectors, classes) if factored else plain(vectors, classes)
            )
            pair.append(100 * accuracy(network, parts, seed))
        found.append(pair)
        print(f"seed {seed}: TokenConvolution {pair[0]:.1f} %, plain stack {pair[1]:.1f} %", flush=True)
    ours, theirs = np.array(found).T
    for name, values in (("TokenConvolution", ours), ("plain stack", theirs), ("difference", ours - theirs)):
        print(f"{name}: {values.mean():.2f} ± {values.std(ddof=1):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])

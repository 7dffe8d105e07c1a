"""Which rows come together, in which order, and how wide."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import Images, Sequences
from pipeline.networks.batches import POOL_BATCHES, Batches, SortedBatches


def numbered(lengths: list[int]) -> Sequences:
    """Row i is the id i + 1, repeated."""
    return Sequences.from_rows([[row + 1] * length for row, length in enumerate(lengths)])


def all_labels(batches) -> list[int]:
    return [int(label) for i in range(len(batches)) for label in batches[i][1]]


def test_sorted_batches_hold_rows_of_like_length_within_the_bound():
    batches = SortedBatches(numbered([5, 1, 2, 2, 9]), np.arange(5), tokens=6)
    assert [batches[i][0].tolist() for i in range(len(batches))] == [
        [[2, 0], [3, 3], [4, 4]],
        [[1] * 5],
        [[5] * 9],
    ]
    assert all_labels(batches) == [1, 2, 3, 0, 4]


def test_a_training_batch_is_as_wide_as_its_longest_row():
    batches = Batches(numbered([1, 2, 3, 4, 5, 6]), np.arange(6), batch_size=2, seed=1)
    assert sorted(batches[i][0].shape for i in range(3)) == [(2, 2), (2, 4), (2, 6)]


def test_the_last_batch_may_be_smaller():
    batches = Batches(numbered([3] * 7), np.arange(7), batch_size=3, seed=1)
    assert sorted(len(batches[i][1]) for i in range(len(batches))) == [1, 3, 3]


def test_the_order_follows_from_seed_and_epoch_alone():
    def epochs(seed: int, start: int, count: int) -> list[list[int]]:
        batches = Batches(numbered([3, 1, 2] * 20), np.arange(60), batch_size=4, seed=seed)
        orders = []
        for batches.epoch in range(start, start + count):
            orders.append(all_labels(batches))
        return orders

    first, second, third = epochs(1, 0, 3)
    assert epochs(1, 1, 2) == [second, third]
    assert len({tuple(order) for order in (first, second, third, *epochs(2, 0, 1))}) == 4


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2))
def test_the_epochs_of_a_pass_are_equally_long_and_share_no_row(rows, size, parts, passes):
    batches = Batches(numbered([1] * rows), np.arange(rows), size, seed=1, epochs_per_pass=parts)
    lengths, labels = set(), []
    for part in range(batches.epochs_per_pass):
        batches.epoch = batches.epochs_per_pass * passes + part
        lengths.add(len(batches))
        labels += all_labels(batches)
    assert len(lengths) == 1
    assert len(set(labels)) == len(labels) > rows - size * batches.epochs_per_pass


def test_what_an_epoch_leaves_out_the_next_pass_may_have():
    batches = Batches(numbered([1] * 50), np.arange(50), 10, seed=1, epochs_per_pass=2)  # five batches
    seen = []
    for batches.epoch in range(20):
        seen += all_labels(batches)
    assert len(seen) == 10 * 40
    assert set(seen) == set(range(50))


def test_rows_are_sorted_within_pools_and_pools_mixed():
    lengths = np.random.default_rng(1).integers(1, 60, 2 * POOL_BATCHES * 5)
    batches = Batches(numbered(lengths.tolist()), np.arange(len(lengths)), batch_size=5, seed=1)
    spread = [np.ptp(lengths[rows]) for rows in batches.rows]
    assert np.mean(spread) < 5
    means = [lengths[rows].mean() for rows in batches.rows]
    assert means != sorted(means)


lengths_of_rows = st.lists(st.integers(0, 12), min_size=1, max_size=60)


@given(lengths_of_rows, st.integers(1, 9), st.integers(0, 3), st.integers(0, 5))
def test_every_row_comes_once_an_epoch_whole_and_with_its_label(lengths, size, seed, epoch):
    batches = Batches(numbered(lengths), np.arange(len(lengths)), size, seed)
    batches.epoch = epoch
    assert sorted(all_labels(batches)) == list(range(len(lengths)))
    for i in range(len(batches)):
        ids, labels = batches[i]
        assert ids.dtype == labels.dtype == np.int32
        for row, label in zip(ids, labels, strict=True):
            assert row[row > 0].tolist() == [label + 1] * lengths[label]


@given(lengths_of_rows, st.integers(1, 40))
def test_sorted_batches_keep_the_bound_and_restore_the_order(lengths, tokens):
    batches = SortedBatches(numbered(lengths), tokens=tokens)
    predictions = np.concatenate(batches.rows) * 10
    assert batches.restore(predictions).tolist() == [row * 10 for row in range(len(lengths))]
    for rows in batches.rows:
        assert len(rows) == 1 or len(rows) * max(1, *(lengths[row] for row in rows)) <= tokens


@pytest.mark.parametrize("kind", ["training", "sorted"])
def test_keras_accepts_batches_of_all_widths_whatever_the_first_two(kind):
    class Width(keras.layers.Layer):
        def call(self, ids):
            return keras.ops.cast(keras.ops.sum(ids > 0, 1, keepdims=True), "float32")

    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, Width()(ids))
    model.compile(loss="mse")
    lengths = [2, 2, 2, 2, 3, 4, 7]
    sequences, labels = numbered(lengths), np.array(lengths)
    if kind == "sorted":
        batches = SortedBatches(sequences, tokens=4)
        assert batches.restore(model.predict(batches.dataset(), verbose=0))[:, 0].tolist() == lengths
        assert model.evaluate(SortedBatches(sequences, labels, tokens=4).dataset(), verbose=0) == 0
    else:
        batches = Batches(sequences, labels, 1, seed=0)
        batches.rows = [np.array([row]) for row in range(7)]
        assert model.evaluate(batches.dataset(), verbose=0) == 0


def test_fit_trains_each_epoch_in_its_own_order_also_when_resumed():
    seen = []

    class Recorder(keras.Model):
        def call(self, numbers):
            return numbers

        def train_step(self, data):
            seen.extend(data[0].numpy().ravel().astype(int))
            return {"loss": 0.0}

    model = Recorder()
    model.compile(loss="mse", run_eagerly=True)
    rows = Images.from_pixels(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1))
    batches = Batches(rows, np.zeros(10, int), 3, seed=1)
    for first, last in [(0, 2), (2, 3), (1, 3)]:
        seen.clear()
        follow = batches.follow_epochs()
        model.fit(
            batches.dataset(), initial_epoch=first, epochs=last, shuffle=False, verbose=0, callbacks=[follow]
        )
        expected = []
        for batches.epoch in range(first, last):
            expected += np.concatenate(batches.rows).tolist()
        assert seen == expected


def test_images_are_batched_by_the_same_rules():
    images = np.arange(10 * 4 * 4 * 3, dtype=np.uint8).reshape(10, 4, 4, 3)
    batches = Batches(Images.from_pixels(images), np.arange(10), batch_size=4, seed=1)
    assert sorted(all_labels(batches)) == list(range(10))
    for i in range(len(batches)):
        pixels, labels = batches[i]
        np.testing.assert_array_equal(pixels, images[labels])
    assert [len(rows) for rows in SortedBatches(Images.from_pixels(images), tokens=6).rows] == [6, 4]

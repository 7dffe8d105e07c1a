"""The lazy optimizers against Keras's dense ones, and what they leave alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.networks.lazy_optimizers import LazyAdadelta, LazyAdam, build_optimizer
from pipeline.options import Train

pytestmark = pytest.mark.filterwarnings(  # TensorFlow's variables, under NumPy 2.4
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
ROWS, DIMENSIONS = 12, 5


def table() -> keras.Variable:
    return keras.Variable(np.random.default_rng(0).normal(size=(ROWS, DIMENSIONS)), dtype="float32")


def sparse(rows: list[int], values: np.ndarray) -> tf.IndexedSlices:
    return tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(rows, tf.int32), (ROWS, DIMENSIONS))


def test_the_first_adadelta_step_is_zeilers():
    x, g, rho, epsilon = keras.Variable([[1.0], [2.0]]), 3.0, 0.9, 0.1
    optimizer = LazyAdadelta(0.5, rho=rho, epsilon=epsilon)
    optimizer.apply([tf.IndexedSlices(tf.constant([[g]]), tf.constant([1]), (2, 1))], [x])
    update = np.sqrt(epsilon / ((1 - rho) * g**2 + epsilon)) * g
    np.testing.assert_allclose(x.numpy(), [[1.0], [2.0 - 0.5 * update]], rtol=1e-6)


def test_lazy_adadelta_is_adadelta_when_rows_are_skipped():
    random = np.random.default_rng(1)
    lazy, dense = table(), table()
    ours = LazyAdadelta(1.0)
    theirs = keras.optimizers.Adadelta(1.0, rho=0.95, epsilon=1e-6)
    for step in range(300):
        often = list(random.choice(np.arange(1, 8), 4, replace=False))
        rows = [*often, 9] if step % 97 == 0 else often  # row 9 waits 96 steps; 0, 8, 10, 11 for ever
        values = random.normal(size=(len(rows), DIMENSIONS)).astype(np.float32)
        ours.apply([sparse(rows, values)], [lazy])
        theirs.apply([tf.convert_to_tensor(sparse(rows, values))], [dense])
        np.testing.assert_allclose(lazy.numpy(), dense.numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (LazyAdadelta(0.7), keras.optimizers.Adadelta(0.7, rho=0.95, epsilon=1e-6)),
        (LazyAdam(0.01), keras.optimizers.Adam(0.01)),
    ],
)
def test_dense_gradients_are_applied_as_keras_applies_them(ours, theirs):
    random = np.random.default_rng(2)
    one, other = table(), table()
    for _ in range(100):
        gradient = tf.constant(random.normal(size=(ROWS, DIMENSIONS)), tf.float32)
        ours.apply([gradient], [one])
        theirs.apply([gradient], [other])
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-5)


def test_lazy_adam_is_adam_for_rows_used_on_every_step():
    random = np.random.default_rng(3)
    lazy, dense = table(), table()
    ours, theirs = LazyAdam(0.01), keras.optimizers.Adam(0.01)
    for _ in range(50):
        values = random.normal(size=(3, DIMENSIONS))
        ours.apply([sparse([1, 5, 7], values)], [lazy])
        theirs.apply([tf.convert_to_tensor(sparse([1, 5, 7], values))], [dense])
    np.testing.assert_allclose(lazy.numpy(), dense.numpy(), atol=1e-5)


def test_lazy_adam_does_not_move_a_row_by_its_momentum():
    x, optimizer = table(), LazyAdam(0.01)
    optimizer.apply([sparse([1, 2], np.ones((2, DIMENSIONS)))], [x])
    after = x.numpy()
    optimizer.apply([sparse([2], np.ones((1, DIMENSIONS)))], [x])
    assert (x.numpy()[1] == after[1]).all()
    assert (x.numpy()[2] != after[2]).all()


@pytest.mark.parametrize("kind", [LazyAdadelta, LazyAdam])
def test_gradients_of_a_row_that_comes_twice_are_summed(kind):
    values = np.random.default_rng(4).normal(size=(3, DIMENSIONS)).astype(np.float32)
    twice, once = table(), table()
    kind().apply([sparse([4, 2, 4], values)], [twice])
    kind().apply([sparse([4, 2], np.stack([values[0] + values[2], values[1]]))], [once])
    np.testing.assert_allclose(twice.numpy(), once.numpy(), atol=1e-7)


@pytest.mark.parametrize("kind", [LazyAdadelta, LazyAdam])
def test_a_gradient_of_no_rows_moves_nothing(kind):
    x = table()
    kind().apply([sparse([], np.zeros((0, DIMENSIONS)))], [x])
    np.testing.assert_array_equal(x.numpy(), table().numpy())


def embedding_model(optimizer) -> keras.Model:
    keras.utils.set_random_seed(5)
    ids = keras.Input((None,), dtype="int32")
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(ROWS, DIMENSIONS)(ids))
    model = keras.Model(ids, keras.layers.Dense(2)(pooled))
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    return model


@pytest.mark.parametrize("kind", [LazyAdadelta, LazyAdam])
def test_training_goes_on_from_a_saved_model_as_if_it_had_not_stopped(kind, tmp_path):
    random = np.random.default_rng(6)
    ids, labels = random.integers(1, ROWS, (40, 4)).astype(np.int32), random.integers(0, 2, 40)
    model = embedding_model(kind(0.5, epsilon=1e-4))
    model.fit(ids, labels, batch_size=3, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is kind
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    paths = [variable.path for variable in model.optimizer.variables]
    assert len(set(paths)) == len(paths)
    for network in (model, loaded):
        network.fit(ids, labels, batch_size=3, shuffle=False, verbose=0)
    for one, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_fit_hands_on_sparse_gradients_and_untouched_rows_stay():
    kinds = []

    class Watched(LazyAdadelta):
        def update_step(self, gradient, variable, learning_rate):
            kinds.append(type(gradient))
            super().update_step(gradient, variable, learning_rate)

    model = embedding_model(Watched())
    before = model.weights[0].numpy()
    model.fit(np.array([[2, 3], [3, 5]], np.int32), np.array([0, 1]), verbose=0)
    assert kinds[0] is tf.IndexedSlices
    moved = (model.weights[0].numpy() != before).any(axis=1)
    assert np.flatnonzero(moved).tolist() == [2, 3, 5]


def test_options_choose_the_optimizer():
    adadelta = build_optimizer(Train())
    assert isinstance(adadelta, LazyAdadelta)
    assert adadelta.get_config()["learning_rate"] == 1.0
    assert (adadelta.rho, adadelta.epsilon) == (0.95, 1e-6)
    adam = build_optimizer(Train(optimizer="adam", learning_rate=0.25))
    assert isinstance(adam, LazyAdam)
    assert adam.get_config()["learning_rate"] == 0.25

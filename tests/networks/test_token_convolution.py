"""The convolution against hand-computed numbers, and against the plain Keras stack."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.inputs import Sequences
from pipeline.networks.token_convolution import ACTIVATIONS, CHANNELS, COMBINATIONS, TokenConvolution

VOCABULARY, DIMENSIONS = 30, 7
pytestmark = pytest.mark.filterwarnings(  # TensorFlow's variables, under NumPy 2.4
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def convolution(**options) -> TokenConvolution:
    """A layer with weights large enough that an error shows."""
    layer = TokenConvolution(**{"vocabulary": VOCABULARY, "dimensions": DIMENSIONS, "filters": 4} | options)
    layer.build((None, None))
    random = np.random.default_rng(1)
    for table in layer.tables:
        table.assign(random.normal(size=table.shape) * (np.arange(table.shape[0]) > 0)[:, None])
    for weight in [*layer.banks, layer.bias]:
        weight.assign(random.normal(size=weight.shape))
    return layer


def ones(vectors: list[list[float]], **options) -> TokenConvolution:
    """One filter a window, all its weights one: a window's sum is the sum of its vectors' entries."""
    options = {"channels": ("static",), "filters": 1, "activation": "linear"} | options
    layer = TokenConvolution(len(vectors), len(vectors[0]), **options)
    layer.build((None, None))
    layer.set_vectors(np.array(vectors, np.float32))
    for bank in layer.banks:
        bank.assign(tf.ones_like(bank.value))
    return layer


def test_filters_of_ones_give_the_largest_sum_of_neighbouring_vectors():
    layer = ones([[0, 0], [1, 1], [2, 3], [-4, 0], [5, 1]], windows=[1, 2, 3])
    # The tokens' sums are 2, 5, -4, 6 for ids 1 to 4.
    text = [1, 2, 3, 4]
    assert layer(np.array([text])).numpy().tolist() == [[6, 7, 7]]  # 6 | 2 + 5 | 5 - 4 + 6 and 2 + 5


def test_windows_reach_beyond_both_ends_of_a_text():
    layer = ones([[0], [-3], [2]], windows=[3])
    assert layer(np.array([[2, 1, 1], [1, 1, 2]])).numpy().tolist() == [[2], [2]]  # 0 + 0 + 2, 2 + 0 + 0


def test_padding_is_no_window():
    layer = ones([[0], [-3], [-2]], windows=[1, 2])
    assert layer(np.array([[1, 2, 0, 0, 0]])).numpy().tolist() == [[-2, -2]]


def test_a_text_of_no_tokens_has_one_window_of_zeros():
    layer = ones([[0], [-3]], windows=[1, 4])
    layer.bias.assign([0.5, -0.5])
    assert layer(np.array([[0, 0], [1, 0]])).numpy().tolist() == [[0.5, -0.5], [-2.5, -3.5]]
    assert layer(np.zeros((1, 0), np.int32)).numpy().tolist() == [[0.5, -0.5]]


def test_no_window_crosses_the_boundary_between_two_texts():
    layer = ones([[0], [1], [2], [-9]], windows=[1, 2, 3])
    # Of 2 | 1 2 the sums are 2, 1 + 2, 1 + 2; without the boundary they would be 2, 3, 5.
    assert layer(np.array([[2, 0, 1, 2], [0, 2, 0, 0], [3, 0, 3, 0]])).numpy().tolist() == [
        [2, 3, 3],
        [2, 2, 2],
        [-9, -9, -9],  # no window lies between the texts
    ]


def test_both_channels_are_added_or_stand_side_by_side():
    table = [[0], [1], [2]]
    text = np.array([[1, 2, 2]])
    assert ones(table, channels=CHANNELS, windows=[2])(text).numpy().tolist() == [[8]]
    separate = ones(table, channels=CHANNELS, windows=[2], combination="separate")
    assert separate(text).numpy().tolist() == [[8]]
    concatenated = ones(table, channels=CHANNELS, windows=[2], combination="concatenated")
    assert concatenated(text).numpy().tolist() == [[4, 4]]


def test_the_activation_follows_the_maximum_and_the_bias():
    text = np.array([[1]])
    for activation, expected in [("linear", -2.0), ("relu", 0.0), ("tanh", np.tanh(-2.0))]:
        layer = ones([[0], [-3]], windows=[1], activation=activation)
        layer.bias.assign([1.0])
        assert layer(text).numpy().item() == pytest.approx(expected)


@pytest.mark.parametrize("channels", [("static",), ("tuned",), CHANNELS])
@pytest.mark.parametrize("combination", COMBINATIONS)
def test_the_number_of_parameters_follows_the_formula(channels, combination):
    layer = convolution(channels=channels, combination=combination, windows=[2, 5], filters=[3, 4])
    banks = 1 if combination == "shared" else len(channels)
    pools = banks if combination == "concatenated" else 1
    weights = len(channels) * VOCABULARY * DIMENSIONS + banks * (2 * 3 + 5 * 4) * DIMENSIONS + pools * 7
    assert layer.count_params() == weights
    assert layer(keras.Input((None,), dtype="int32")).shape == (None, pools * 7)


def test_a_table_that_is_not_set_starts_at_kims_random_vectors():
    keras.utils.set_random_seed(1)
    layer = TokenConvolution(1001, 50)
    layer.build((None, None))
    for table in layer.tables:
        assert not table.numpy()[0].any()
        assert np.abs(table.numpy()).max() <= 0.25
        assert table.numpy()[1:].std() == pytest.approx(0.25 / 3**0.5, rel=0.01)  # U(-0.25, 0.25)


def test_set_vectors_starts_both_channels_and_zeroes_the_padding_row():
    layer = convolution()
    vectors = np.ones((VOCABULARY, DIMENSIONS), np.float32)
    layer.set_vectors(vectors)
    for table in layer.tables:
        assert table.numpy()[0].tolist() == [0] * DIMENSIONS
        assert (table.numpy()[1:] == 1).all()
    assert vectors[0].tolist() == [1] * DIMENSIONS


@pytest.mark.parametrize(
    "options",
    [
        {"channels": ()},
        {"channels": ("tuned", "tuned")},
        {"channels": ("frozen",)},
        {"combination": "added"},
        {"windows": ()},
        {"windows": (0, 3)},
        {"filters": 0},
        {"filters": (1, 2)},
        {"embedding_dropout": 1.0},
        {"embedding_dropout": -0.1},
        {"activation": "swish"},  # falls before it rises, so the maximum does not commute with it
    ],
)
def test_options_that_make_no_network_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        TokenConvolution(5, 3, **options)


class Plain(keras.layers.Layer):
    """The same network from Keras's own layers, multiplying at every position; texts of one length."""

    def __init__(self, layer: TokenConvolution) -> None:
        super().__init__()
        self.combination, self.activation = layer.combination, layer.activation
        self.embeddings, self.convolutions = [], []
        for table in layer.tables:
            embedding = keras.layers.Embedding(*table.shape, trainable=table.trainable)
            embedding.build(None)
            embedding.embeddings.assign(table)
            self.embeddings.append(embedding)
        for bank in layer.banks:
            row, convolutions = 0, []
            for h, count in zip(layer.windows, layer.filters, strict=True):
                convolution = keras.layers.Conv1D(count, h, use_bias=False)
                convolution.build((None, None, DIMENSIONS))
                kernel = tf.reshape(bank.value[row : row + h * count], (h, count, DIMENSIONS))
                convolution.kernel.assign(tf.transpose(kernel, (0, 2, 1)))
                convolutions.append(convolution)
                row += h * count
            self.convolutions.append(convolutions)
        self.bias = self.add_weight(shape=layer.bias.shape)
        self.bias.assign(layer.bias)

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        vectors = [embedding(ids) for embedding in self.embeddings]
        if self.combination == "shared":
            vectors = [sum(vectors)]
        maps = [
            [c(keras.layers.ZeroPadding1D(c.kernel_size[0] - 1)(x)) for c in convolutions]
            for x, convolutions in zip(vectors, self.convolutions, strict=True)
        ]
        if self.combination == "separate":
            maps = [[sum(same) for same in zip(*maps, strict=True)]]
        pooled = tf.concat([keras.layers.GlobalMaxPooling1D()(m) for group in maps for m in group], 1)
        return keras.activations.get(self.activation)(pooled + self.bias)


ALL = [
    (channels, combination)
    for channels in (("static",), ("tuned",), CHANNELS)
    for combination in (COMBINATIONS if len(channels) == 2 else ("shared",))
]


@pytest.mark.parametrize(("channels", "combination"), ALL)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_features_gradients_and_training_steps_are_the_plain_stacks(channels, combination, activation):
    layer = convolution(channels=channels, combination=combination, activation=activation, filters=[4, 2, 3])
    plain = Plain(layer)
    random = np.random.default_rng(2)
    for _ in range(3):
        ids = random.integers(1, VOCABULARY, (6, 8)).astype(np.int32)
        outputs = []
        for network in (layer, plain):
            with tf.GradientTape() as tape:
                features = network(ids)
                loss = tf.reduce_mean(tf.square(features - 0.3))
            outputs.append(features)
            for weight, gradient in zip(
                network.trainable_weights, tape.gradient(loss, network.trainable_weights), strict=True
            ):
                weight.assign_sub(0.5 * tf.convert_to_tensor(gradient))
        np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-5)
        # The layer's weights in the plain stack's form: equal after a step, if all gradients were.
        for ours, theirs in zip(Plain(layer).weights, plain.weights, strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_a_row_of_two_texts_is_the_maximum_of_both_and_so_are_its_gradients(combination):
    layer = convolution(combination=combination, windows=[1, 3, 5])
    first, second = (np.random.default_rng(seed).integers(1, VOCABULARY, (4, 6)) for seed in (3, 4))
    gradients = []
    for joined in (True, False):
        with tf.GradientTape() as tape:
            if joined:
                features = layer(np.concatenate([first, np.zeros((4, 1), int), second], axis=1))
            else:
                features = tf.maximum(layer(first), layer(second))
            loss = tf.reduce_sum(tf.square(features))
        gradients.append([loss, *tape.gradient(loss, layer.trainable_weights)])
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(ours), tf.convert_to_tensor(theirs), rtol=1e-4, atol=1e-4
        )


@settings(max_examples=30)
@given(
    texts=st.lists(st.lists(st.integers(1, VOCABULARY - 1), max_size=9), min_size=1, max_size=6),
    windows=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    data=st.data(),
)
def test_neither_padding_nor_companions_nor_order_change_a_text(texts, windows, data):
    layer = convolution(windows=windows, combination=data.draw(st.sampled_from(COMBINATIONS)))
    ids = Sequences.from_rows(texts).padded()
    features = layer(ids).numpy()
    wider = layer(np.pad(ids, ((0, 0), (0, data.draw(st.integers(1, 4)))))).numpy()
    order = data.draw(st.permutations(range(len(texts))))
    alone = np.concatenate([layer(Sequences.from_rows([text]).padded()).numpy() for text in texts])
    np.testing.assert_allclose(wider, features, atol=1e-5)
    np.testing.assert_allclose(alone, features, atol=1e-5)
    np.testing.assert_allclose(layer(ids[np.array(order)]).numpy(), features[np.array(order)], atol=1e-5)


def test_only_distinct_tokens_and_no_padding_get_a_gradient():
    layer = convolution()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.array([[3, 5, 3, 0], [9, 0, 0, 0], [0, 0, 0, 0]])))
    gradient = tape.gradient(loss, layer.tables[1].value)
    assert isinstance(gradient, tf.IndexedSlices)
    assert sorted(gradient.indices.numpy()) == [3, 5, 9]
    assert not layer.tables[0].trainable


def test_a_batch_of_empty_texts_trains_the_bias_alone():
    layer = convolution(activation="linear")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.zeros((2, 3), np.int32)))
    table, bank, bias = tape.gradient(loss, layer.trainable_weights)
    assert len(table.indices) == 0
    assert not bank.numpy().any()
    assert set(bias.numpy()) == {2}


def test_nan_reaches_the_features():
    layer = convolution(windows=[2])
    layer.tables[1].assign(tf.where(tf.range(VOCABULARY)[:, None] == 3, np.nan, layer.tables[1].value))
    features = layer(np.array([[1, 3, 2, 2, 2], [1, 2, 2, 2, 2]])).numpy()
    assert np.isnan(features[0]).all()
    assert not np.isnan(features[1]).any()


def test_embedding_dropout_drops_a_word_type_wherever_it_stands_in_every_channel():
    keras.utils.set_random_seed(1)
    layer = ones([[0]] + [[1]] * 4000, channels=CHANNELS, windows=[1], embedding_dropout=0.2)
    once = np.arange(1, 4001, dtype=np.int32)[:, None]
    features = layer(np.concatenate([once, once[::-1]]), training=True).numpy()[:, 0]
    np.testing.assert_array_equal(features[:4000], features[4000:][::-1])
    assert set(features) == {0, 2.5}  # 1 + 1, divided by 0.8
    # A type's standard deviation is 2 sqrt(0.2 / 0.8) = 1, the mean's 1 / sqrt(4000) = 0.016.
    assert features.mean() == pytest.approx(2, abs=0.05)


def test_embedding_dropout_leaves_prediction_alone():
    ids = np.random.default_rng(5).integers(1, VOCABULARY, (4, 6))
    layer, plain = convolution(embedding_dropout=0.5), convolution()
    np.testing.assert_array_equal(layer(ids), plain(ids))
    np.testing.assert_array_equal(layer(ids, training=False), plain(ids, training=True))
    assert not np.array_equal(layer(ids, training=True), plain(ids))


def test_a_dropped_word_type_gets_no_gradient_and_a_kept_one_a_scaled_one():
    keras.utils.set_random_seed(1)
    layer = ones([[0, 0]] + [[1, 1]] * 40, channels=["tuned"], windows=[1], embedding_dropout=0.5)
    with tf.GradientTape() as tape:
        features = layer(np.arange(1, 41, dtype=np.int32)[:, None], training=True)
        loss = tf.reduce_sum(features)
    gradient = tape.gradient(loss, layer.tables[0].value)
    kept = features.numpy()[:, 0] > 0
    assert 0 < kept.sum() < 40
    assert gradient.indices.numpy().tolist() == list(range(1, 41))
    np.testing.assert_array_equal(gradient.values, np.where(kept, 2, 0)[:, None] * [[1, 1]])


def test_embedding_dropout_repeats_with_the_seed_and_draws_anew_for_each_batch():
    ids = np.random.default_rng(5).integers(1, VOCABULARY, (4, 6))
    drawn = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        layer = convolution(embedding_dropout=0.5)
        drawn.append([layer(ids, training=True).numpy() for _ in range(2)])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(*drawn[0])


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_products_of_the_vocabulary_fold_the_tables_and_banks(combination):
    layer = convolution(windows=[1], filters=5, combination=combination, activation="linear")
    products = layer.products(tf.range(VOCABULARY)).numpy()
    assert products[0].tolist() == [0] * products.shape[1]
    tokens = np.arange(1, VOCABULARY, dtype=np.int32)[:, None]
    np.testing.assert_allclose(products[1:] + layer.bias.numpy(), layer(tokens), atol=1e-5)


def test_bfloat16_products_leave_float32_features_and_tables():
    layer, exact = convolution(dtype="mixed_bfloat16"), convolution()
    ids = np.random.default_rng(3).integers(1, VOCABULARY, (4, 6))
    with tf.GradientTape() as tape:
        features = layer(ids)
    assert features.dtype == tf.float32
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    assert {g.dtype for g in tape.gradient(features, layer.trainable_weights)} == {tf.float32}
    np.testing.assert_allclose(features, exact(ids), rtol=0.05, atol=0.15)
    assert not np.allclose(features, exact(ids), atol=1e-5)


def test_a_saved_layer_loads_to_equal_features(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    layer = convolution(
        windows=[2, 3], filters=[5, 6], combination="concatenated", activation="tanh", embedding_dropout=0.3
    )
    model = keras.Model(ids, layer(ids))
    model.save(tmp_path / "layer.keras")
    loaded = keras.models.load_model(tmp_path / "layer.keras", compile=False)
    texts = np.array([[1, 2, 3, 0], [4, 0, 0, 0]], np.int32)
    np.testing.assert_array_equal(loaded(texts), model(texts))
    assert loaded.layers[-1].get_config() == layer.get_config()


def test_new_lengths_do_not_retrace():
    layer = convolution()
    traces = []

    @tf.function(reduce_retracing=True)
    def features(ids):
        traces.append(ids.shape)
        return layer(ids)

    for rows, length in [(2, 3), (4, 5), (1, 1), (6, 2), (3, 9)]:
        features(tf.ones((rows, length), tf.int32))
    assert len(traces) == 2


def test_two_threads_run_at_once():
    layer = convolution()
    texts = np.random.default_rng(4).integers(1, VOCABULARY, (2, 50, 20)).astype(np.int32)
    expected = [layer(ids).numpy() for ids in texts]
    with ThreadPoolExecutor(2) as pool:
        for i, features in enumerate(pool.map(lambda i: layer(texts[i % 2]).numpy(), range(40))):
            np.testing.assert_array_equal(features, expected[i % 2])

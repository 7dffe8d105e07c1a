"""Kim's network as a whole."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from pipeline.inputs import Sequences
from pipeline.models.kim_cnn import Options, build
from pipeline.networks.batches import Batches, SortedBatches
from pipeline.networks.lazy_optimizers import LazyAdadelta

pytestmark = pytest.mark.filterwarnings(  # TensorFlow's variables, under NumPy 2.4
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
VOCABULARY, DIMENSIONS, CLASSES = 40, 8, 3
VECTORS = np.random.default_rng(2).uniform(-0.25, 0.25, (VOCABULARY, DIMENSIONS)).astype(np.float32)
RANDOM_TEXTS = np.random.default_rng(0).integers(1, VOCABULARY, (20, 9)).tolist()
TEXTS = Sequences.from_rows([[], [5], [6, 7], [8, 9, 10], *RANDOM_TEXTS])
LABELS = np.arange(len(TEXTS)) % CLASSES


def trained(options: Options, epochs: int = 3) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = build(options, VECTORS, CLASSES)
    fit(model, epochs)
    return model


def fit(model: keras.Model, epochs: int = 3) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(LazyAdadelta(), loss, metrics=["accuracy"])
    batches = Batches(TEXTS, LABELS, 5, seed=1)
    model.fit(batches.dataset(), epochs=epochs, shuffle=False, verbose=0, callbacks=[batches.follow_epochs()])


def probabilities(model: keras.Model, ids: np.ndarray) -> np.ndarray:
    return tf.nn.softmax(model(ids)).numpy()


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        (Options(channels=["tuned"], filters=10), 40 * 8 + 120 * 8 + 30 + 31 * 3),
        (Options(filters=10), 2 * 40 * 8 + 120 * 8 + 30 + 31 * 3),
        (Options(filters=10, combination="separate"), 2 * 40 * 8 + 2 * 120 * 8 + 30 + 31 * 3),
        (Options(filters=10, combination="concatenated"), 2 * 40 * 8 + 2 * 120 * 8 + 60 + 61 * 3),
    ],
)
def test_each_variant_has_the_parameters_of_its_formula(options, parameters):
    assert build(options, VECTORS, CLASSES).count_params() == parameters


def test_the_default_network_starts_as_kims():
    keras.utils.set_random_seed(1)
    model = build(Options(), VECTORS, CLASSES)
    convolution, logits = model.get_layer("convolution"), model.get_layer("logits")
    (bank,) = (bank.numpy() for bank in convolution.banks)
    assert bank.shape == ((3 + 4 + 5) * 100, DIMENSIONS)
    assert np.abs(bank).max() <= 0.01
    assert bank.std() == pytest.approx(0.01 / 3**0.5, rel=0.03)  # U(-0.01, 0.01)
    for weight in (convolution.bias, logits.kernel, logits.bias):
        assert not weight.numpy().any()
    assert [table.name for table in convolution.tables] == ["static", "tuned"]
    for table in convolution.tables:
        np.testing.assert_array_equal(table.numpy()[1:], VECTORS[1:])


def test_the_convolution_is_built_as_the_options_say():
    options = {
        "channels": ["tuned", "static"],
        "combination": "separate",
        "windows": [1, 6],
        "filters": [5, 7],
        "activation": "tanh",
        "embedding_dropout": 0.3,
    }
    found = build(Options.model_validate(options), VECTORS, CLASSES).get_layer("convolution").get_config()
    assert {name: found[name] for name in options} == options
    assert (found["vocabulary"], found["dimensions"]) == (VOCABULARY, DIMENSIONS)


def test_in_training_a_feature_is_dropped_or_scaled_and_otherwise_stays():
    keras.utils.set_random_seed(1)
    model = build(Options(dropout=0.2), VECTORS, CLASSES)
    layers = [model.get_layer(name).output for name in ("convolution", "dropout")]
    both = keras.Model(model.input, layers)
    features, passed = (output.numpy() for output in both(TEXTS.padded(), training=True))
    seen = features > 0
    ratio = passed[seen] / features[seen]
    np.testing.assert_allclose(ratio[ratio > 0], 1.25, rtol=1e-5)  # 1 / (1 - 0.2)
    assert seen.sum() > 5000
    assert np.mean(ratio == 0) == pytest.approx(0.2, abs=0.03)  # of 5,000 draws, 5 standard deviations
    np.testing.assert_array_equal(*both(TEXTS.padded()))


def test_the_default_bound_is_kims_3_with_his_weights_halved_at_test():
    assert Options().dropout == 0.5 and Options().max_norm == 1.5
    constraint = build(Options(), VECTORS, CLASSES).get_layer("logits").kernel_constraint
    weights = np.array([[3.6, 0.3], [4.8, 0.4]], np.float32)  # of two classes, with norms 6 and 0.5
    # Kim cuts the first to norm 3, (1.8, 2.4), and halves it at test; Keras doubles the features in training.
    np.testing.assert_allclose(constraint(weights), [[0.9, 0.3], [1.2, 0.4]], rtol=1e-6)
    assert build(Options(max_norm=None), VECTORS, CLASSES).get_layer("logits").kernel_constraint is None


def test_training_leaves_the_static_table_and_the_padding_row():
    keras.utils.set_random_seed(1)
    start = np.random.default_rng(1).normal(size=(VOCABULARY, DIMENSIONS)).astype(np.float32)
    model = build(Options(filters=4), VECTORS, CLASSES)
    convolution = model.get_layer("convolution")
    convolution.set_vectors(start)
    fit(model)
    static, tuned = (table.numpy() for table in convolution.tables)
    np.testing.assert_array_equal(static[1:], start[1:])
    assert (static[0] == 0).all() and (tuned[0] == 0).all()
    used = np.setdiff1d(TEXTS.ids, [0])
    assert (tuned[used] != start[used]).any(axis=1).all()


def test_padding_and_companions_change_no_probability():
    model = trained(Options(filters=20), epochs=25)
    together = probabilities(model, TEXTS.padded())
    wider = probabilities(model, np.pad(TEXTS.padded(), ((0, 0), (0, 30))))
    alone = [probabilities(model, TEXTS.select(np.array([row])).padded())[0] for row in range(len(TEXTS))]
    np.testing.assert_allclose(wider, together, atol=1e-6)
    np.testing.assert_allclose(alone, together, atol=1e-6)
    assert together.std(axis=0).max() > 0.01


def test_texts_of_no_one_and_two_words_predict():
    model = trained(Options(filters=4))
    for row in range(3):
        assert np.isfinite(model.predict(TEXTS.select(np.array([row])).padded(), verbose=0)).all()


def test_sorted_predictions_come_back_in_order():
    model = trained(Options(filters=4))
    batches = SortedBatches(TEXTS, tokens=30)
    logits = batches.restore(model.predict(batches.dataset(), verbose=0))
    np.testing.assert_allclose(logits, model(TEXTS.padded()), atol=1e-5)


def test_the_network_overfits_a_few_texts():
    model = trained(Options(filters=20, dropout=0.0, max_norm=None), epochs=60)
    assert model.evaluate(SortedBatches(TEXTS, LABELS).dataset(), verbose=0)[1] == 1


def test_the_norm_of_each_class_is_bounded():
    model = trained(Options(filters=20, max_norm=0.01))
    norms = np.linalg.norm(model.get_layer("logits").kernel.numpy(), axis=0)
    np.testing.assert_allclose(norms, 0.01, rtol=1e-3)


def test_mixed_bfloat16_gives_float32_logits():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        model = trained(Options(filters=4))
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert model(TEXTS.padded()).dtype == tf.float32
    assert model.get_layer("convolution").compute_dtype == "bfloat16"


def test_embedding_dropout_trains_to_the_same_bits_from_the_same_seed():
    first, second, without = (trained(Options(filters=4, embedding_dropout=p)) for p in (0.4, 0.4, 0.0))
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first.get_weights()[0], without.get_weights()[0])


def test_a_saved_network_loads_to_equal_logits(tmp_path):
    model = trained(Options(filters=[3, 4, 5], combination="separate", embedding_dropout=0.2))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded(TEXTS.padded()), model(TEXTS.padded()))


def test_options_are_read_from_plain_values_and_checked():
    values = {"channels": ["tuned"], "windows": [1, 2], "filters": [5, 6], "max_norm": None}
    assert Options.model_validate(Options.model_validate(values).model_dump(mode="json")).filters == [5, 6]
    for wrong in (
        {"channels": []},
        {"channels": ["tuned"] * 2},
        {"windows": [0]},
        {"filters": [1]},
        {"dropout": 1.0},
        {"embedding_dropout": 1.0},
        {"max_norm": 0},
        {"activation": "gelu"},
        {"depth": 3},
    ):
        with pytest.raises(ValidationError):
            Options.model_validate(wrong)

"""The layers against numbers computed by hand, and against the model that they hold."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pipeline.inputs import Sequences
from pipeline.linear.token_ngrams import TfidfModel
from pipeline.networks.layers import LocalResponseNormalization, NgramLogits

pytestmark = pytest.mark.filterwarnings(  # TensorFlow's variables, under NumPy 2.4
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def tfidf_model(factor: float = 1.0) -> TfidfModel:
    """Tokens 2 and 3, and the pair 2 3, for two classes."""
    return TfidfModel(
        keys=np.array([2, 3, 2 << 32 | 3]),
        idf=np.array([1, 2, 2], np.float32),
        weights=np.array([[0, 3], [0, 5], [0, 7]], np.float32) * np.float32(factor),
        bias=np.array([0, 1], np.float32),
    )


def test_the_n_gram_layer_gives_the_models_logits_whatever_the_padding_and_survives_saving(tmp_path) -> None:
    ids = keras.Input((None,), dtype="int32")
    layer = NgramLogits(3, 2)
    model = keras.Model(ids, layer(ids))
    layer.set_model(tfidf_model())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    texts = Sequences.from_rows([[2, 3, 3], [2, 2], [9], []])
    for padding in (0, 2):
        padded = np.pad(texts.padded(), ((0, 0), (0, padding)))
        for network in (model, loaded):
            np.testing.assert_array_equal(network(padded), tfidf_model().logits(texts))
    assert model.trainable_weights == []
    assert model.count_params() == 3 * (2 + 2) + 2


def test_the_n_gram_layer_notices_another_model() -> None:
    layer, texts = NgramLogits(3, 2), Sequences.from_rows([[2, 3, 3], [3, 2]])
    layer(texts.padded())
    for model in (
        tfidf_model(),
        tfidf_model(2.0),
        TfidfModel(**tfidf_model().arrays() | {"keys": np.arange(3)}),
    ):
        layer.set_model(model)
        np.testing.assert_array_equal(layer(texts.padded()), model.logits(texts))


def test_local_response_normalization_is_that_computed_by_hand() -> None:
    activations = np.array([1.0, 2.0, 3.0, 4.0], np.float32).reshape(1, 1, 1, 4)
    # Over two neighbours on either side: 1 + 4 + 9, 1 + 4 + 9 + 16 twice, 4 + 9 + 16.
    sums = np.array([14.0, 30.0, 30.0, 29.0])
    expected = np.array([1.0, 2.0, 3.0, 4.0]) / (2 + 1e-4 * sums) ** 0.75
    np.testing.assert_allclose(
        np.array(LocalResponseNormalization()(activations)).ravel(), expected, rtol=1e-6
    )

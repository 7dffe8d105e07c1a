"""A folded network computes what its Keras network computes."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pipeline.folding.fold_network import fold_networks
from pipeline.inputs import Sequences
from pipeline.networks import ensemble
from pipeline.networks.keras_network import KerasNetwork
from tests.prediction.networks import ROWS, network

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")


@pytest.mark.parametrize("channels", [["static"], ["tuned"], ["static", "tuned"]])
@pytest.mark.parametrize("combination", ["shared", "separate", "concatenated"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
def test_every_variant_folds_to_the_network_within_1e_5(
    channels: list[str], combination: str, activation: str
) -> None:
    model = network(channels=channels, combination=combination, activation=activation, windows=[1, 3, 5])
    rows = Sequences.from_rows(ROWS)
    folded = fold_networks([model])
    assert folded is not None
    expected = KerasNetwork(model).logits(rows)
    np.testing.assert_allclose(folded.logits(rows), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_an_ensemble_folds_to_its_network() -> None:
    members, rows = [network(1), network(2, windows=[2], filters=7)], Sequences.from_rows(ROWS)
    folded = fold_networks(members)
    assert folded is not None
    expected = KerasNetwork(ensemble.average(members)).logits(rows)
    np.testing.assert_allclose(folded.logits(rows), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    mean = np.mean([KerasNetwork(member).logits(rows) for member in members], axis=0)
    np.testing.assert_allclose(folded.logits(rows), mean, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_what_does_not_fold_is_not_folded() -> None:
    inputs = keras.Input((4,))
    assert fold_networks([keras.Model(inputs, keras.layers.Dense(2)(inputs))]) is None
    model = network()
    model.get_layer("logits").bias.assign([0, np.nan, 0])
    assert fold_networks([model]) is None

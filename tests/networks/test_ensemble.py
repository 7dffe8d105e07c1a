"""Several networks as one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pipeline.errors import Diverged
from pipeline.inputs import Sequences
from pipeline.measures.stacking import stack
from pipeline.networks.ensemble import average
from pipeline.networks.keras_network import KerasNetwork
from pipeline.networks.lazy_optimizers import LazyAdadelta

pytestmark = pytest.mark.filterwarnings(  # TensorFlow's variables, under NumPy 2.4
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def networks(count: int) -> list[keras.Model]:
    built: list[keras.Model] = []
    for seed in range(count):
        keras.utils.set_random_seed(seed)
        ids = keras.Input((None,), dtype="int32", name="ids")
        vectors = keras.layers.Embedding(10, 4)(ids)
        logits = keras.layers.Dense(3)(keras.layers.GlobalMaxPooling1D()(vectors))
        built.append(keras.Model(ids, logits, name="kim_cnn"))
        built[-1].compile(LazyAdadelta())
    return built


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_network_whose_logits_are_not_finite_is_an_error(number: float) -> None:
    (network,) = networks(1)
    network.layers[-1].bias.assign([number, -number, 0])
    texts = Sequences.from_rows([[1, 2], [3]])
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(Diverged, match="the network's outputs are not"),
    ):
        stack([KerasNetwork(network).logits(texts)], np.array([0, 1]))


@pytest.mark.parametrize("members", [1, 3])
def test_networks_as_one_give_the_mean_of_their_logits_and_survive_saving(members: int, tmp_path) -> None:
    random = np.random.default_rng(2)
    texts = Sequences.from_rows([random.integers(1, 10, 5).tolist() for _ in range(40)])
    built = networks(members)
    network = average(built)
    ids = texts.padded()
    np.testing.assert_allclose(network(ids), np.mean([one(ids).numpy() for one in built], axis=0), atol=1e-6)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", compile=False)
    np.testing.assert_array_equal(loaded(ids), network(ids))


def test_one_network_is_its_own_average() -> None:
    (network,) = networks(1)
    assert average([network]) is network

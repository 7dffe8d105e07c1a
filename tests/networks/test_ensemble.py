"""Members weighed on held-out rows, as one network."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pipeline.baselines.tfidf import candidates
from pipeline.inputs import Sequences
from pipeline.networks.ensemble import pool, stack
from pipeline.networks.lazy_optimizers import LazyAdadelta

pytestmark = pytest.mark.filterwarnings(  # TensorFlow's variables, under NumPy 2.4
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_a_member_that_knows_has_the_weight_and_one_that_guesses_has_none() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 2000)
    knows = log_softmax(np.eye(2)[labels] * random.normal(1, 2, (2000, 1)))
    guesses = log_softmax(random.normal(0, 2, (2000, 2)))
    weights = stack([knows, guesses], labels)
    assert weights[0] > 0.3
    assert weights[1] == pytest.approx(0, abs=0.03)


def test_members_that_are_always_right_have_bounded_weights() -> None:
    labels = np.array([0, 1])
    right = log_softmax(np.eye(2)[labels] * 10)
    assert 0 < stack([right, right], labels)[0] < 5


def test_the_prior_weighs_as_computed_by_hand_for_one_row() -> None:
    """Two members, two classes; the second member has no opinion, the first a log-odds of d. The loss
    (w - 1/2)²/2 + log(1 + exp(-w d)) is stationary where w = 1/2 + d / (1 + exp(w d)). With w d = log 3 that
    is d²/4 + d/2 = log 3."""
    d = (1 + 4 * np.log(3)) ** 0.5 - 1
    opinions = [log_softmax(np.array([[d, 0.0]])), log_softmax(np.array([[0.0, 0.0]]))]
    assert stack(opinions, np.array([0])) == pytest.approx([np.log(3) / d, 1 / 2], rel=1e-4)


def test_without_rows_the_weights_are_equal() -> None:
    nothing = np.empty((0, 3))
    assert stack([nothing, nothing], np.empty(0, int)) == pytest.approx([0.5, 0.5])


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


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("members", [1, 3])
def test_the_pooled_network_adds_log_probabilities_and_survives_saving(members, linear, tmp_path) -> None:
    random = np.random.default_rng(2)
    texts = Sequences.from_rows([random.integers(1, 10, 5).tolist() for _ in range(40)])
    labels = random.integers(0, 3, 40)
    model = next(candidates(texts, labels, 3)) if linear else None
    built = networks(members)
    network, weights = pool(built, model, texts, labels)
    assert list(weights) == ["networks", "n-grams"][: 1 + linear]

    ids = texts.padded()
    expected = weights["networks"] * np.mean([log_softmax(one(ids).numpy()) for one in built], axis=0)
    if model:
        expected = expected + weights["n-grams"] * log_softmax(model.logits(texts))
    np.testing.assert_allclose(network(ids), expected, atol=1e-5)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", compile=False)
    np.testing.assert_array_equal(loaded(ids), network(ids))

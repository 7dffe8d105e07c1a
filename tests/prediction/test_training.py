"""Members are chosen and weighed by held-out rows, and the linear ones fitted again with them."""

from __future__ import annotations

from functools import cache
from time import sleep
from typing import Any

import keras
import numpy as np
import pytest

from pipeline.folding.folded import FoldedModel
from pipeline.images.encoder import ImageEncoder
from pipeline.inputs import Images, LabelledInputs
from pipeline.linear.members import Choice, Fit
from pipeline.linear.svm import most_epochs
from pipeline.measures.stacking import stack
from pipeline.models.kim_cnn import Options, build
from pipeline.networks.keras_network import KerasNetwork
from pipeline.networks.trainer import Record
from pipeline.options import Ensemble, Ngrams, Tokenize, Train
from pipeline.prediction.training import Fitted, Training
from pipeline.text.encoder import TextEncoder

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
ENCODER = TextEncoder([f"w{number}" for number in range(20)], Tokenize(unit="word"))


def rows(count: int, seed: int) -> LabelledInputs:
    """Texts of five words each, of which most have even numbers in class 1; a fifth has a label at random."""
    random = np.random.default_rng(seed)
    words = random.integers(0, 22, (count, 5))  # the last two are outside the vocabulary
    labels = (words % 2 == 0).sum(axis=1) > 2
    labels = np.where(random.random(count) < 0.2, random.integers(0, 2, count), labels).astype(np.int32)
    return LabelledInputs(ENCODER.encode([" ".join(f"w{number}" for number in row) for row in words]), labels)


TRAINING, VALIDATION = rows(120, 1), rows(60, 2)
BOTH = rows(60, 3)
SPLITS = [(rows(100, seed), rows(40, seed + 10)) for seed in (1, 2)]


def network() -> keras.Model:
    vectors = np.random.default_rng(1).uniform(-0.25, 0.25, (ENCODER.vocabulary, 8)).astype(np.float32)
    return build(Options(filters=4, windows=[1]), vectors, 2)


def training(members: int = 1, ngrams: tuple[Ngrams, ...] = (), **train: Any) -> Training:
    return Training(
        network,
        Fit(ENCODER, 2, "accuracy", 1),
        Train(epochs=2, batch_size=30, **train),
        Ensemble(members=members, ngrams=list(ngrams)),
        seed=7,
    )


@cache
def trained(members: int, *ngrams: Ngrams) -> tuple[Fitted, Fitted, list[Record], list[tuple[int, int]]]:
    """What is chosen and shipped, the history, and each call of `on_epoch`: earlier records, own epoch."""
    told: list[tuple[int, int]] = []

    def on_epoch(earlier: int, record: Record) -> None:
        told.append((earlier, int(record["epoch"])))

    return *training(members, ngrams).fit_members(TRAINING, VALIDATION, lambda: BOTH, SPLITS, on_epoch), told


def chosen(members: int, *ngrams: Ngrams) -> tuple[Fitted, list[Record], list[tuple[int, int]]]:
    fitted, _, history, told = trained(members, *ngrams)
    return fitted, history, told


def test_one_network_alone_has_a_weight_of_one_and_is_folded() -> None:
    fitted, history, told = chosen(1)
    assert fitted.weights == [1.0] and fitted.linear == {} and fitted.named_weights == {}
    assert [record["member"] for record in history] == [1, 1] and told == [(0, 1), (0, 2)]
    assert fitted.network is fitted.networks[0]
    assert isinstance(fitted.pool.networks, FoldedModel)
    expected = KerasNetwork(fitted.network).logits(VALIDATION.inputs)
    np.testing.assert_allclose(fitted.pool.logits(VALIDATION.inputs), expected, atol=1e-5)
    assert trained(1)[1] is fitted


def test_networks_differ_in_their_seed_and_are_averaged() -> None:
    fitted, history, told = chosen(2)
    assert fitted.named_weights == {}
    assert [record["member"] for record in history] == [1, 1, 2, 2]
    assert told == [(0, 1), (0, 2), (2, 1), (2, 2)]
    logits = [KerasNetwork(one).logits(VALIDATION.inputs) for one in fitted.networks]
    assert not np.allclose(*logits)
    np.testing.assert_allclose(fitted.pool.logits(VALIDATION.inputs), np.mean(logits, axis=0), atol=1e-5)
    np.testing.assert_allclose(
        KerasNetwork(fitted.network).logits(VALIDATION.inputs), np.mean(logits, axis=0), atol=1e-5
    )


def choice() -> Choice:
    return training().linear.choose(["tokens", "characters"], SPLITS, TRAINING)


def test_the_linear_members_are_weighed_by_the_splits_and_all_together_by_the_validation_part() -> None:
    fitted, _, _ = chosen(1, "tokens", "characters")
    assert list(fitted.linear) == ["tokens", "characters"]
    of_networks = KerasNetwork(fitted.network).logits(VALIDATION.inputs)
    of_linear = choice().together(VALIDATION.inputs)
    first, second = stack([of_networks, of_linear], VALIDATION.labels)
    assert fitted.weights == [first, *(second * weight for weight in choice().weights.values())]
    assert list(fitted.named_weights) == ["networks", "tokens", "characters"]
    assert list(fitted.named_weights.values()) == fitted.weights == list(fitted.pool.weights)
    expected = first * of_networks + second * of_linear
    np.testing.assert_allclose(fitted.pool.logits(VALIDATION.inputs), expected, atol=1e-4)


def test_the_linear_members_have_the_settings_that_the_splits_choose() -> None:
    fitted, _, _ = chosen(1, "tokens", "characters")
    assert fitted.settings == choice().settings
    expected = training().linear.fit(choice().settings, TRAINING)
    for name, model in fitted.linear.items():
        np.testing.assert_array_equal(model.weights, expected[name].weights)


def test_what_is_shipped_has_linear_members_that_know_all_rows_and_the_rest_as_it_was_chosen() -> None:
    fitted, shipped, _, _ = trained(1, "tokens", "characters")
    assert shipped.networks is fitted.networks
    assert shipped.weights == fitted.weights and shipped.settings == fitted.settings
    for name, model in shipped.linear.items():
        assert not np.array_equal(model.bias, fitted.linear[name].bias)
    expected = training().linear.fit(fitted.settings, BOTH)
    np.testing.assert_array_equal(
        shipped.pool.linear["tokens"].logits(VALIDATION.inputs), expected["tokens"].logits(VALIDATION.inputs)
    )


def test_an_interrupt_of_the_networks_ends_the_fit_of_the_linear_members(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = 0

    def slow(*arrays: object) -> float:
        nonlocal steps
        steps += 1
        sleep(0.05)
        return 1.0

    def interrupt(earlier: int, record: Record) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.linear.svm.descend", slow)
    with pytest.raises(KeyboardInterrupt):
        training(1, ("tokens", "characters")).fit_members(
            TRAINING, VALIDATION, lambda: BOTH, SPLITS, interrupt
        )
    assert steps < 2 * len(SPLITS) * most_epochs(2)


def test_the_same_seed_gives_the_same_members() -> None:
    first, _, _ = chosen(1, "tokens", "characters")
    again, _, _ = training(1, ("tokens", "characters")).fit_members(
        TRAINING, VALIDATION, lambda: BOTH, SPLITS, lambda *record: None
    )
    assert again.weights == first.weights
    np.testing.assert_array_equal(again.pool.logits(VALIDATION.inputs), first.pool.logits(VALIDATION.inputs))


def test_a_network_that_cannot_be_folded_predicts_by_keras() -> None:
    def dense() -> keras.Model:
        pixels = keras.Input((2, 2, 1), dtype="uint8")
        features = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
        return keras.Model(pixels, keras.layers.Dense(2, name="logits")(features))

    values = np.random.default_rng(1).integers(0, 256, (40, 2, 2, 1)).astype(np.uint8)
    part = LabelledInputs(Images.from_pixels(values), (values[:, 0, 0, 0] > 128).astype(np.int32))
    options = Training(
        dense, Fit(ImageEncoder(2, 2, 1), 2, "accuracy", 1), Train(epochs=1), Ensemble(), seed=7
    )
    fitted, shipped, _ = options.fit_members(part, part, lambda: part, [(part, part)], lambda *record: None)
    assert isinstance(fitted.pool.networks, KerasNetwork)
    np.testing.assert_array_equal(
        fitted.pool.logits(part.inputs), KerasNetwork(fitted.network).logits(part.inputs)
    )
    assert shipped is fitted

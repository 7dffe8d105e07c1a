"""What every file of pipeline/models must do; a newcomer is found by its name and checked too."""

from __future__ import annotations

import pkgutil
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline import models
from pipeline.inputs import Images, Sequences
from pipeline.networks.batches import Batches, SortedBatches
from pipeline.networks.trainer import Record, make_repeatable, train
from pipeline.options import Train

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
ARCHITECTURES = [module.name for module in pkgutil.iter_modules(models.__path__)]
SLOW_BUT_THE_DEFAULTS = [
    pytest.param(name, marks=() if name in ("kim_cnn", "image_cnn") else pytest.mark.slow)
    for name in ARCHITECTURES
]
RANDOM = np.random.default_rng(1)
VECTORS = RANDOM.uniform(-0.25, 0.25, (20, 12)).astype(np.float32)
IMAGES = Images.from_pixels(RANDOM.integers(0, 256, (8, 32, 32, 3)).astype(np.uint8))
TEXTS = Sequences.from_rows(
    [[5, 6, 7], [8], [9, 10], [11, 12, 13, 14, 15], [16, 5], [6, 8, 9], [7, 7, 7], [18, 19]]
)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
OTHERS = {  # rows without a label
    "tokens": Sequences.from_rows(RANDOM.integers(1, 20, (40, 4)).tolist()),
    "images": Images.from_pixels(RANDOM.integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)),
}
STEP = {  # what the kinds are usually trained by, and how many epochs learn eight rows
    "tokens": {"optimizer": "adadelta", "learning_rate": 1.0},
    "images": {"optimizer": "adam", "learning_rate": 1e-3},
}


def inputs_of(architecture: str) -> Sequences | Images:
    return {"tokens": TEXTS, "images": IMAGES}[models.architecture(architecture).INPUT]


def joined(one: Sequences | Images, other: Sequences | Images) -> Sequences | Images:
    if isinstance(one, Images):
        return Images.from_pixels(np.concatenate([one.padded(), other.padded()]))
    return Sequences.from_rows([row[row > 0].tolist() for texts in (one, other) for row in texts.padded()])


def built(architecture: str, precision: str = "float32", seed: int = 1) -> keras.Model:
    make_repeatable(seed, precision)
    module = models.architecture(architecture)
    return module.build(module.Options(), VECTORS if module.INPUT == "tokens" else IMAGES.shape, 3)


def fitted(architecture: str, epochs: int, precision: str = "float32") -> keras.Model:
    network, inputs = built(architecture, precision), inputs_of(architecture)
    step = STEP[models.architecture(architecture).INPUT]
    options = Train(batch_size=4, epochs=epochs, patience=epochs, **step)
    training, validation = Batches(inputs, LABELS, 4, seed=1), SortedBatches(inputs, LABELS)
    train(network, training, validation, options, lambda record: None)
    return network


@cache
def learned(architecture: str) -> keras.Model:
    return fitted(architecture, 60)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_gives_a_logit_for_each_class(architecture: str) -> None:
    assert built(architecture)(inputs_of(architecture).padded()).shape == (8, 3)


@pytest.mark.parametrize("architecture", SLOW_BUT_THE_DEFAULTS)
def test_it_learns_eight_rows_by_heart(architecture: str) -> None:
    logits = np.array(learned(architecture)(inputs_of(architecture).padded()))
    assert logits.argmax(axis=1).tolist() == LABELS.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_same_seed_trains_to_the_same_bits(architecture: str) -> None:
    first, second = fitted(architecture, 3), fitted(architecture, 3)
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("architecture", SLOW_BUT_THE_DEFAULTS)
def test_it_saves_and_loads_to_equal_outputs(architecture: str, tmp_path: Path) -> None:
    network = learned(architecture)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", compile=False)
    rows = inputs_of(architecture).padded()
    np.testing.assert_array_equal(np.array(loaded(rows)), np.array(network(rows)))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_mixed_precision_trains_saves_and_gives_float32_logits(architecture: str, tmp_path: Path) -> None:
    try:
        network = fitted(architecture, 30, "mixed_bfloat16")
        network.save(tmp_path / "network.keras")
    finally:
        keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "network.keras", compile=False)
    rows = inputs_of(architecture).padded()
    logits = loaded(rows)
    assert logits.dtype == "float32"
    np.testing.assert_allclose(np.array(logits), np.array(network(rows)), atol=1e-5)
    assert (np.array(logits).argmax(axis=1) == LABELS).mean() >= 0.75


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_best_epoch_is_kept_and_every_epoch_recorded(architecture: str) -> None:
    """The validation labels are what the network says after one epoch. So that is the best: what it learns
    from then on contradicts them."""
    kind, inputs = models.architecture(architecture).INPUT, inputs_of(architecture)
    validation, said = joined(inputs, OTHERS[kind]), np.zeros(48, int)
    for epochs, patience in ((1, 1), (60, 30)):
        labels, network, seen = said, built(architecture), list[Record]()
        history = train(
            network,
            Batches(inputs, LABELS, 4, seed=1),
            SortedBatches(validation, labels),
            Train(batch_size=4, epochs=epochs, patience=patience, **STEP[kind]),
            seen.append,
        )
        said = np.array(network(validation.padded())).argmax(axis=1)
    assert history == seen and [record["epoch"] for record in history] == list(range(1, 1 + 1 + patience))
    accuracy = [record["validation_accuracy"] for record in history]
    assert accuracy[0] == pytest.approx(1) and accuracy[-1] < 0.99
    assert said.tolist() == labels.tolist()
    assert all(record["examples_per_second"] == pytest.approx(8 / record["seconds"]) for record in history)

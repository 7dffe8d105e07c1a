"""What a classifier keeps of its temperature, and what the temperature leaves as it was."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.calibration import softmax
from pipeline.classifier import Classifier
from pipeline.errors import InputError
from pipeline.models.kim_cnn import Options, build
from pipeline.options import Tokenize
from pipeline.text import TextEncoder

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
TEXTS = ["a lovely film", "an awful film", "lovely lovely", "awful", "", "a film"] * 5


@pytest.fixture
def classifier() -> Classifier:
    """Of random weights, and much too sure."""
    keras.utils.set_random_seed(1)
    encoder = TextEncoder.learn(TEXTS, Tokenize(minimum_count=1))
    vectors = np.random.default_rng(1).normal(size=(len(encoder.words) + 2, 6)).astype(np.float32)
    network = build(Options(filters=4, max_norm=None), vectors, 3)
    kernel = network.get_layer("logits").kernel
    kernel.assign(1000 * np.random.default_rng(2).normal(size=kernel.shape))
    return Classifier(lambda: network, encoder, ["a", "b", "c"], "text")


def calibrate(classifier: Classifier) -> None:
    labels = np.random.default_rng(3).integers(0, 3, len(TEXTS)).astype(np.int32)
    classifier.calibrate(classifier.encoder.encode(TEXTS), labels)


def test_calibration_changes_probabilities_and_no_label(classifier: Classifier) -> None:
    sequences = classifier.encoder.encode(TEXTS)
    labels, sure = classifier.label(sequences)
    np.testing.assert_array_equal(classifier.probabilities(sequences), softmax(classifier.logits(sequences)))
    calibrate(classifier)
    assert classifier.temperature > 1.5
    calibrated = classifier.probabilities(sequences)
    np.testing.assert_array_equal(calibrated, softmax(classifier.logits(sequences), classifier.temperature))
    assert classifier.label(sequences)[0] == labels
    np.testing.assert_array_equal(classifier.label(sequences)[1], calibrated.max(axis=1))
    assert (calibrated.max(axis=1) < sure).mean() > 0.5


def test_a_saved_classifier_loads_to_the_same_temperature_and_bits(
    classifier: Classifier, tmp_path: Path
) -> None:
    calibrate(classifier)
    classifier.save(tmp_path)
    loaded = Classifier.load(tmp_path)
    assert loaded.temperature == classifier.temperature
    labels, probabilities = loaded.predict(TEXTS)
    assert labels == classifier.predict(TEXTS)[0]
    np.testing.assert_array_equal(probabilities, classifier.predict(TEXTS)[1])


def test_a_classifier_of_an_older_format_is_refused_with_the_remedy(
    classifier: Classifier, tmp_path: Path
) -> None:
    classifier.save(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    with pytest.raises(InputError, match="format 1 of the model is not 2: remove .* and run `make train`"):
        Classifier.load(tmp_path)


def test_no_texts_have_no_labels(classifier: Classifier) -> None:
    labels, probabilities = classifier.predict([])
    assert labels == [] and probabilities.shape == (0,)

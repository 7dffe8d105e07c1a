"""Texts in, labels and probabilities out; and what a classifier keeps in its folder."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Literal

import keras
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.measures.softmax import softmax
from pipeline.models.kim_cnn import Options, build
from pipeline.networks.keras_network import KerasNetwork
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier, parse_form, save
from pipeline.prediction.drift import Reference
from pipeline.prediction.fold_network import fold_networks
from pipeline.prediction.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.text.encoder import TextEncoder

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
TEXTS = ["a lovely film", "an awful film", "lovely lovely", "awful", "", "a film"] * 5
ENCODER = TextEncoder.learn(TEXTS, Tokenize(minimum_count=1))


@pytest.fixture
def network() -> keras.Model:
    """Of random weights, and much too sure."""
    keras.utils.set_random_seed(1)
    vectors = np.random.default_rng(1).normal(size=(len(ENCODER.words) + 2, 6)).astype(np.float32)
    network = build(Options(filters=4, max_norm=None), vectors, 3)
    kernel = network.get_layer("logits").kernel
    kernel.assign(1000 * np.random.default_rng(2).normal(size=kernel.shape))
    return network


def folded(network: keras.Model) -> FoldedModel:
    found = fold_networks([network])
    assert found is not None
    return found


@pytest.fixture
def classifier(network: keras.Model) -> Classifier:
    predictor = folded(network).rounded()
    return Classifier(lambda: predictor, ENCODER, ["a", "b", "c"], "text")


def calibrate(classifier: Classifier) -> None:
    labels = np.random.default_rng(3).integers(0, 3, len(TEXTS)).astype(np.int32)
    classifier.calibrate(ENCODER.encode(TEXTS), labels)


def test_calibration_changes_probabilities_and_no_label(classifier: Classifier) -> None:
    logits = classifier.logits(ENCODER.encode(TEXTS))
    labels, sure = classifier.predict(TEXTS)
    np.testing.assert_allclose(classifier.predict_proba(TEXTS), softmax(logits), atol=1e-6)
    calibrate(classifier)
    assert classifier.temperature > 1.5
    calibrated = classifier.predict_proba(TEXTS)
    np.testing.assert_allclose(calibrated, softmax(logits, classifier.temperature), atol=1e-6)
    assert classifier.predict(TEXTS)[0] == labels
    np.testing.assert_array_equal(classifier.predict(TEXTS)[1], calibrated.max(axis=1))
    assert (calibrated.max(axis=1) < sure).mean() > 0.5


@pytest.mark.parametrize("form", ["int16", "float32", "keras"])
def test_a_saved_classifier_loads_to_the_same_in_every_form(
    classifier: Classifier, network: keras.Model, tmp_path: Path, form: Literal["int16", "float32", "keras"]
) -> None:
    calibrate(classifier)
    classifier.set_drift_reference(ENCODER.encode(TEXTS), 0.25)
    save(tmp_path, classifier, network, folded(network))
    loaded = Classifier.load(tmp_path, form)
    assert loaded.temperature == classifier.temperature
    assert loaded.reference == classifier.reference
    assert loaded.predict(TEXTS)[0] == classifier.predict(TEXTS)[0]
    exact = form == "int16"
    tolerance = 0 if exact else 1e-3
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), classifier.predict_proba(TEXTS), atol=tolerance)


def test_a_network_that_was_not_folded_predicts_by_keras(
    classifier: Classifier, network: keras.Model, tmp_path: Path
) -> None:
    save(tmp_path, classifier, network, None)
    loaded = Classifier.load(tmp_path)
    assert isinstance(loaded.predictor, KerasNetwork)
    assert loaded.predict(TEXTS)[0] == classifier.predict(TEXTS)[0]


def test_the_reference_is_what_the_rows_show(classifier: Classifier) -> None:
    texts = ["a lovely film", "zzz film", "awful"]
    classifier.set_drift_reference(ENCODER.encode(texts), 0.25)
    labels = classifier.predict(texts)[0]
    shares = [labels.count(label) / 3 for label in "abc"]
    assert classifier.reference == Reference(outside=0.25, classes=shares)


def test_a_classifier_of_an_older_format_is_refused_with_the_remedy(
    classifier: Classifier, network: keras.Model, tmp_path: Path
) -> None:
    save(tmp_path, classifier, network, None)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    with pytest.raises(InputError, match="format 1 of the model is not 4: remove .* and train again"):
        Classifier.load(tmp_path)


@pytest.mark.parametrize("name", ["table-0.int16.npy", "folded.npz", "classifier.json", "text_encoder.json"])
def test_a_changed_or_missing_file_is_named(
    classifier: Classifier, network: keras.Model, tmp_path: Path, name: str
) -> None:
    save(tmp_path, classifier, network, folded(network))
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-1] + b"!")
    with pytest.raises(InputError, match=f"{name} was changed or cut since training"):
        Classifier.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing"):
        Classifier.load(tmp_path)


def test_what_is_not_read_is_not_verified(
    classifier: Classifier, network: keras.Model, tmp_path: Path
) -> None:
    save(tmp_path, classifier, network, folded(network))
    (tmp_path / "network.keras").unlink()
    assert Classifier.load(tmp_path).predict(["a film"])[0] == classifier.predict(["a film"])[0]
    with pytest.raises(InputError, match=r"network.keras is missing"):
        Classifier.load(tmp_path, "keras")


def test_no_texts_have_no_labels(classifier: Classifier) -> None:
    labels, probabilities = classifier.predict([])
    assert labels == [] and probabilities.shape == (0,)


def test_a_form_that_there_is_not_is_refused() -> None:
    assert parse_form("float32") == "float32"
    with pytest.raises(InputError, match="form int8: expected one of float32, int16, keras"):
        parse_form("int8")


def test_the_example_in_its_docstring_is_right(network: keras.Model, tmp_path: Path) -> None:
    """Lovely speaks for the first label and awful for the second, by 4 each."""
    table = np.zeros((len(ENCODER.words) + 2, 2), np.float32)
    table[ENCODER.id("lovely"), 0] = table[ENCODER.id("awful"), 1] = 4
    shape = ConvolutionShape(windows=[1], filters=[2], activation="relu")
    ones, zeros = np.ones(2, np.float32), np.zeros(2, np.float32)
    member = FoldedNetwork(shape, table, ones, zeros, np.eye(2, dtype=np.float32), zeros)
    model = FoldedModel([member], None, [])
    save(tmp_path, Classifier(lambda: model, ENCODER, ["good", "bad"], "text"), network, model)
    (example,) = doctest.DocTestFinder(recurse=False).find(
        Classifier, "Classifier", globs={"Classifier": Classifier, "folder": tmp_path}
    )
    assert example.examples and doctest.DocTestRunner().run(example).failed == 0

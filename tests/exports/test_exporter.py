"""Exports of small classifiers: written whole, checked, and run by their own libraries in other processes."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.exports import text_export
from pipeline.exports.exporter import export
from pipeline.images.encoder import ImageEncoder
from pipeline.inputs import BOUNDARY, Images, Sequences
from pipeline.networks.keras_network import KerasNetwork
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier
from pipeline.prediction.pool import Pool
from pipeline.text.encoder import TextEncoder
from tests.plain.cases import WORDS, case
from tests.plain.image_cases import NETWORKS, images_for
from tests.prediction.model_folders import LABELS

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
FORMATS = [
    "onnx",
    "keras",
    pytest.param("saved_model", marks=pytest.mark.slow),
    pytest.param("tflite", marks=pytest.mark.slow),
]
TEXTS = [
    f"w2 w3{BOUNDARY}w9",
    "",
    f"w9 w9 w9{BOUNDARY}",
    f"zzz w5{BOUNDARY}w55 w5",
    f"{'w2 ' * 9}{BOUNDARY}w4",
]
# How each format is run with nothing but its library.
RUNS = {
    "keras": "import keras; out = keras.saving.load_model('model.keras')(inputs)",
    "saved_model": "import tensorflow as tf; model = tf.saved_model.load('model'); "
    "out = model.signatures['serving_default'](tf.constant(inputs))",
    "onnx": "import onnxruntime as ort; model = ort.InferenceSession('model.onnx'); "
    "names = ['logits', 'probabilities']; "
    "out = dict(zip(names, model.run(names, {model.get_inputs()[0].name: inputs})))",
    "tflite": "from ai_edge_litert.interpreter import Interpreter; "
    "run = Interpreter('model.tflite').get_signature_runner(); "
    "out = run(**{name: inputs for name in run.get_input_details()})",
}


def text_classifier(**options: object) -> tuple[Classifier, keras.Model]:
    """Two networks and two linear models, of texts of two columns."""
    of = case("separate", members=2)
    encoder = TextEncoder(WORDS, Tokenize.model_validate({"unit": "word"} | options))
    return Classifier(lambda: of.pool, encoder, LABELS, ["title", "body"], 2.0), of.network


def export_texts(form: str, output: Path, **options: object) -> tuple[Classifier, list[str]]:
    classifier, network = text_classifier(**options)
    rows = classifier.encoder.encode(TEXTS)
    return classifier, export(form, output, classifier, network, rows, TEXTS).lines


def run_alone(code: str, folder: Path, *words: str) -> str:
    """Run code where there is nothing of this project."""
    check = "import sys; assert not {'pipeline', 'convtext'} & set(sys.modules)"
    command = [sys.executable, "-P", "-c", f"{code}\n{check}", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def outputs_alone(form: str, folder: Path, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits and probabilities that another process has of a model's inputs."""
    np.save(folder.parent / "inputs.npy", inputs)
    results = "[np.asarray(out[name]).tolist() for name in ('logits', 'probabilities')]"
    code = (
        f"import json, numpy as np\ninputs = np.load('../inputs.npy')\n{RUNS[form]}\n"
        f"print(json.dumps({results}))"
    )
    logits, probabilities = json.loads(run_alone(code, folder).splitlines()[-1])
    return np.array(logits), np.array(probabilities)


@pytest.mark.parametrize("form", FORMATS)
def test_the_logits_agree_on_the_same_ids_and_the_difference_by_unseen_words_is_said(
    form: str, tmp_path: Path
) -> None:
    """One row has zzz and w55, which no id tells of: w55 is too short to be like a word."""
    _, lines = export_texts(form, tmp_path / "out")
    assert lines[0].startswith("5 validation rows: logits within ") and float(lines[0].split()[5]) < 1e-4
    assert lines[1].startswith("1 of them have words outside the vocabulary: by their ids alone")
    assert lines[-1] == f"not held: {text_export.NO_LETTERS}"
    assert any(line == f"not held: {text_export.NO_TOKENIZER}" for line in lines) == (form != "saved_model")


@pytest.mark.slow
@pytest.mark.parametrize("form", RUNS)
def test_a_text_model_runs_in_its_own_library_alone(form: str, tmp_path: Path) -> None:
    classifier, _ = export_texts(form, tmp_path / "out")
    rows = [[2, 3, 0, 0, 9], [0, 0, 0, 0, 0], [4, 5, 6, 7, 8]]
    expected = classifier.logits(Sequences.from_rows([[2, 3, 0, 9], [], rows[2]]))
    logits, probabilities = outputs_alone(form, tmp_path / "out", np.array(rows, np.int32))
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities, classifier.softmax(expected), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", RUNS)
def test_an_image_model_runs_in_its_own_library_alone(form: str, tmp_path: Path) -> None:
    network = NETWORKS["two networks"]()
    pixels = images_for(network)
    pool, encoder = Pool(KerasNetwork(network), {}, [1.0]), ImageEncoder(*pixels.shape[1:])
    classifier = Classifier(lambda: pool, encoder, LABELS, ["path"], 2.0)
    images = Images.from_pixels(pixels)
    lines = export(form, tmp_path / "out", classifier, network, images, []).lines
    assert len(lines) == 1 and lines[0].startswith("5 validation rows: logits within ")
    logits, probabilities = outputs_alone(form, tmp_path / "out", pixels)
    np.testing.assert_allclose(logits, classifier.logits(images), atol=1e-4)
    np.testing.assert_allclose(probabilities, classifier.softmax(classifier.logits(images)), atol=1e-5)
    assert run_alone("import runpy; runpy.run_path('example.py')", tmp_path / "out").count("%") == 3


@pytest.mark.slow
def test_a_saved_model_takes_texts_and_reads_the_characters_of_unseen_words(tmp_path: Path) -> None:
    classifier, lines = export_texts("saved_model", tmp_path / "out")
    assert "from text: 100.0% of the rows have logits within 0.0001, 100.0% the same label" in lines
    code = (
        f"import json, tensorflow as tf\nmodel = tf.saved_model.load('model')\n"
        f"out = model.signatures['text'](tf.constant({TEXTS!r}))\n"
        "print(json.dumps(out['logits'].numpy().tolist()))"
    )
    logits = np.array(json.loads(run_alone(code, tmp_path / "out").splitlines()[-1]))
    np.testing.assert_allclose(logits, classifier.logits(classifier.encoder.encode(TEXTS)), atol=1e-4)


@pytest.mark.slow
def test_there_is_no_signature_from_text_where_tensorflow_lacks_the_tokenizer(tmp_path: Path) -> None:
    _, lines = export_texts("saved_model", tmp_path / "out", cleaning="kim")
    assert f"not held: {text_export.NO_LOOKAHEAD}" in lines
    assert not any(line.startswith("from text") for line in lines)


@pytest.mark.parametrize(
    "form",
    ["onnx", *(pytest.param(form, marks=pytest.mark.slow) for form in ("keras", "saved_model", "tflite"))],
)
def test_the_example_labels_as_the_classifier_does(form: str, tmp_path: Path) -> None:
    """The characters of zzz are read by a SavedModel alone."""
    classifier, _ = export_texts(form, tmp_path / "out")
    texts = ["W2 w3", "w9 zzz" if form == "saved_model" else "w9 w4"]
    printed = run_alone("import runpy; runpy.run_path('example.py')", tmp_path / "out", *texts).splitlines()
    (probabilities,) = classifier.predict_proba([BOUNDARY.join(texts)])
    ranked = [f"{probabilities[place]:.1%}  {LABELS[place]}" for place in (-probabilities).argsort()]
    assert printed == ranked
    source = (tmp_path / "out" / "example.py").read_text("utf-8")
    assert "pipeline" not in source and "convtext" not in source and max(map(len, source.splitlines())) <= 110


def test_the_example_maps_an_unseen_word_to_the_one_that_the_encoder_takes(tmp_path: Path) -> None:
    words = ["remake", "remakes", "remain", "the"]
    of = case("separate", linear=False)
    encoder = TextEncoder([*words, *WORDS[4:]], Tokenize(unit="word"))
    classifier = Classifier(lambda: of.pool, encoder, LABELS, ["text"], 2.0)
    rows = encoder.encode(["the remake"])
    lines = export("onnx", tmp_path / "out", classifier, of.network, rows, []).lines
    assert lines[1:] == [f"not held: {text_export.NO_TOKENIZER}"]
    asked = ["remakers", "remaking", "remained", "then", "theirs", "Re\u00admake", "x\u2019s"]
    code = (
        "import json, runpy, sys\nfound = runpy.run_path('example.py')\n"
        "print(json.dumps([found['encode'](word) for word in sys.argv[1:]]))"
    )
    found = json.loads(run_alone(code, tmp_path / "out", *asked).splitlines()[-1])
    assert found == [[encoder.id(token) for token in encoder.tokens_of(word)] for word in asked]
    assert {2, 3, 4} & {number for row in found for number in row}


def test_the_vocabulary_says_what_goes_in_and_what_comes_out(tmp_path: Path) -> None:
    classifier, _ = export_texts("onnx", tmp_path / "out")
    vocabulary = json.loads((tmp_path / "out" / "vocabulary.json").read_text("utf-8"))
    assert vocabulary["labels"] == LABELS and vocabulary["temperature"] == classifier.temperature
    assert vocabulary["ids"] == {word: number for number, word in enumerate(WORDS, 2)}
    assert (vocabulary["padding"], vocabulary["unknown"], vocabulary["between_columns"]) == (0, 1, 2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "example.py", "model.onnx", "vocabulary.json",
    ]  # fmt: skip


def test_a_model_whose_logits_differ_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, network = text_classifier()
    network.layers[1].layers[-1].bias.assign([0.001, 0, 0])  # not in the pool that was folded from it
    rows = classifier.encoder.encode(TEXTS)
    with pytest.raises(
        InputError, match=r"differ from the classifier's by up to .*, expected 0.0001 at most"
    ):
        export("onnx", tmp_path / "out", classifier, network, rows, TEXTS)
    assert [*tmp_path.iterdir()] == []


def test_an_export_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    export_texts("onnx", tmp_path / "out")
    export_texts("onnx", tmp_path / "out")
    (tmp_path / "out" / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(InputError, match=r"out is there already, and no export"):
        export_texts("onnx", tmp_path / "out")
    assert (tmp_path / "out" / "thesis.txt").exists() and (tmp_path / "out" / "model.onnx").exists()
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(InputError, match="is there already"):
        export_texts("onnx", tmp_path / "file")


def test_images_in_mixed_precision_are_refused_where_the_format_has_none(tmp_path: Path) -> None:
    images = keras.Input((2, 2, 1), dtype="uint8")
    scaled = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255, dtype="mixed_bfloat16")(images))
    network = keras.Model(images, keras.layers.Dense(3)(scaled))
    pool = Pool(KerasNetwork(network), {}, [1.0])
    classifier = Classifier(lambda: pool, ImageEncoder(2, 2, 1), LABELS, ["path"])
    rows = Images.from_pixels(np.zeros((1, 2, 2, 1), np.uint8))
    with pytest.raises(InputError, match="train.precision=mixed_bfloat16"):
        export("onnx", tmp_path / "out", classifier, network, rows, [])


def test_without_the_runtime_of_tflite_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.exports.tflite import run_tflite

    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(InputError, match=r"ai-edge-litert: pip install '.\[export\]'"):
        run_tflite(tmp_path / "model.tflite")


def test_only_what_is_within_the_tolerance_agrees() -> None:
    from pipeline.exports.check import Agreement, require_equal

    ours = np.array([[1.0, 2.0], [3.0, 1.0]], np.float32)
    agreement = Agreement.between(ours, ours + np.array([[0, 0.5], [0, 2.5]], np.float32))
    assert dataclasses.astuple(agreement) == (2, 2.5, 0.0, 0.5)
    require_equal(Agreement.between(ours, ours))
    for wrong in (ours + np.float32(2e-4), ours * np.float32(np.nan)):
        with pytest.raises(InputError):
            require_equal(Agreement.between(ours, wrong))

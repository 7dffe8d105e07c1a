"""Texts in, labels and probabilities out; and what a classifier keeps in its folder."""

from __future__ import annotations

import doctest
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import pandas as pd
import pytest

from pipeline import files
from pipeline.encoder import TokenCounts
from pipeline.errors import InputError
from pipeline.folding.fold_network import fold_networks
from pipeline.folding.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.measures.softmax import softmax
from pipeline.models.kim_cnn import Options, build
from pipeline.networks.keras_network import KerasNetwork
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier, parse_form, save
from pipeline.prediction.drift import Reference
from pipeline.prediction.pool import Pool
from pipeline.text.encoder import TextEncoder
from tests.prediction import model_folders

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


def folded(network: keras.Model) -> Pool:
    """The network alone, folded."""
    found = fold_networks([network])
    assert found is not None
    return Pool(found, {}, [1.0])


def not_folded(network: keras.Model) -> Pool:
    return Pool(KerasNetwork(network), {}, [1.0])


@pytest.fixture
def classifier(network: keras.Model) -> Classifier:
    predictor = folded(network).rounded()
    return Classifier(lambda: predictor, ENCODER, ["a", "b", "c"], ["text"])


def count_tokens(texts: list[str]) -> TokenCounts:
    return ENCODER.count_tokens(pd.DataFrame({"text": texts}))


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
    classifier.set_drift_reference(ENCODER.encode(TEXTS), count_tokens(TEXTS))
    classifier.set_validation(ENCODER.encode(TEXTS), np.arange(len(TEXTS), dtype=np.int32) % 3)
    save(tmp_path, classifier, network, folded(network))
    loaded = Classifier.load(tmp_path, form)
    assert loaded.temperature == classifier.temperature
    assert loaded.reference == classifier.reference
    assert loaded.validation is not None and classifier.validation is not None
    for found, noted in zip(loaded.validation, classifier.validation, strict=True):
        np.testing.assert_array_equal(found, noted)
    assert loaded.predict(TEXTS)[0] == classifier.predict(TEXTS)[0]
    exact = form == "int16"
    tolerance = 0 if exact else 1e-3
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), classifier.predict_proba(TEXTS), atol=tolerance)


def test_a_network_that_was_not_folded_predicts_by_keras(
    classifier: Classifier, network: keras.Model, tmp_path: Path
) -> None:
    save(tmp_path, classifier, network, not_folded(network))
    loaded = Classifier.load(tmp_path)
    assert isinstance(loaded.predictor, Pool) and isinstance(loaded.predictor.networks, KerasNetwork)
    assert not loaded.is_folded
    assert loaded.predict(TEXTS)[0] == classifier.predict(TEXTS)[0]


def test_the_reference_is_what_the_rows_show(classifier: Classifier) -> None:
    texts = ["a lovely film", "zzz film", "awful"]
    classifier.set_drift_reference(ENCODER.encode(texts), count_tokens(texts))
    labels = classifier.predict(texts)[0]
    shares = [labels.count(label) / 3 for label in "abc"]
    by_unknown = [2, *[0] * 9, 1, *[0] * 10]  # half of "zzz film" is unknown
    assert classifier.reference == Reference(
        outside=1 / 6, classes=shares, rows=3, rows_by_unknown=by_unknown
    )


def test_a_classifier_saved_before_the_reference_had_rows_still_loads(
    classifier: Classifier, network: keras.Model, tmp_path: Path
) -> None:
    classifier.set_drift_reference(ENCODER.encode(TEXTS), count_tokens(TEXTS))
    save(tmp_path, classifier, network, folded(network))

    def as_before(saved: Any) -> None:
        del saved["reference"]["rows"], saved["reference"]["rows_by_unknown"]

    model_folders.change_json(tmp_path, "classifier.json", as_before)
    loaded = Classifier.load(tmp_path)
    assert loaded.predict(TEXTS)[0] == classifier.predict(TEXTS)[0]
    assert loaded.reference and loaded.reference.rows is None


def test_the_validation_part_is_noted_as_predict_sees_its_rows(classifier: Classifier) -> None:
    calibrate(classifier)
    truth = np.arange(len(TEXTS), dtype=np.int32) % 3
    classifier.set_validation(ENCODER.encode(TEXTS), truth)
    labels, sure = classifier.predict(TEXTS)
    assert classifier.validation is not None
    np.testing.assert_array_equal(classifier.validation.probability, sure)
    assert [classifier.labels[place] for place in classifier.validation.predicted] == labels
    assert classifier.validation.correct.tolist() == (classifier.validation.predicted == truth).tolist()


def test_a_folder_without_the_validation_part_loads_as_before(
    classifier: Classifier, network: keras.Model, tmp_path: Path
) -> None:
    save(tmp_path, classifier, network, folded(network))
    assert not (tmp_path / "validation.npz").exists()
    assert Classifier.load(tmp_path).validation is None


def test_a_classifier_of_an_older_format_is_refused_with_the_remedy(
    classifier: Classifier, network: keras.Model, tmp_path: Path
) -> None:
    save(tmp_path, classifier, network, not_folded(network))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    with pytest.raises(InputError, match="format 1 of the model is not 5: remove .* and train again"):
        Classifier.load(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "table-0.int16.npy",
        "folded.npz",
        "pool.npz",
        "validation.npz",
        "classifier.json",
        "text_encoder.json",
    ],
)
def test_a_changed_or_missing_file_is_named(
    classifier: Classifier, network: keras.Model, tmp_path: Path, name: str
) -> None:
    classifier.set_validation(ENCODER.encode(TEXTS), np.zeros(len(TEXTS), np.int32))
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
    pool = Pool(FoldedModel([member]), {}, [1.0])
    save(tmp_path, Classifier(lambda: pool, ENCODER, ["good", "bad"], ["text"]), network, pool)
    (example,) = doctest.DocTestFinder(recurse=False).find(
        Classifier, "Classifier", globs={"Classifier": Classifier, "folder": tmp_path}
    )
    assert example.examples and doctest.DocTestRunner().run(example).failed == 0


# A folder that was changed on purpose, by one who made the digests fit


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two networks and two linear models."""
    folder = tmp_path_factory.mktemp("whole")
    model_folders.save_text_model(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(whole, tmp_path / "model")


@pytest.mark.parametrize("damage", model_folders.DAMAGES)
def test_an_array_that_does_not_fit_is_named_with_its_file(whole: Path, tmp_path: Path, damage: str) -> None:
    for name in model_folders.ARRAYS:
        folder = shutil.copytree(whole, tmp_path / name)
        model_folders.change_array(folder, name, model_folders.DAMAGES[damage])
        for form in model_folders.forms(name):
            with pytest.raises(InputError) as refused:
                Classifier.load(folder, form)
            file = model_folders.archive_of(name)
            assert str(refused.value).startswith(str(folder / file)), (name, str(refused.value))


@pytest.mark.parametrize("number", [np.nan, np.inf, 3e38])
def test_numbers_that_are_not_finite_or_lead_to_such_end_in_an_error(
    whole: Path, tmp_path: Path, number: float
) -> None:
    def damaged(array: np.ndarray) -> np.ndarray:
        return np.full_like(array, number)

    for name in model_folders.ARRAYS:
        if name.endswith((".int16.npy", ".keys")) or name.startswith("validation."):
            continue  # of whole numbers, or no numbers that predictions are made of
        folder = shutil.copytree(whole, tmp_path / name)
        model_folders.change_array(folder, name, damaged)
        for form in model_folders.forms(name):
            try:
                loaded = Classifier.load(folder, form)
                assert np.isfinite(loaded.predict_proba(model_folders.TEXTS)).all()
                # A table is not searched: a NaN in it is never a window's maximum.
                assert number == 3e38 or name.startswith("table-")
            except InputError as refused:
                assert "finite" in str(refused)


@pytest.mark.parametrize("name", ["tokens", "characters"])
def test_n_grams_whose_keys_do_not_rise_are_refused(folder: Path, name: str) -> None:
    model_folders.change_array(folder, f"{name}.keys", lambda keys: keys[::-1].copy())
    with pytest.raises(InputError, match="pool.npz: keys do not rise"):
        Classifier.load(folder)


@pytest.mark.parametrize("form", ["int16", "keras"])
def test_linear_models_of_other_classes_or_words_are_refused(
    folder: Path, form: Literal["int16", "keras"]
) -> None:
    for name in ("weights", "bias"):
        model_folders.change_array(folder, f"tokens.{name}", lambda array: array[..., :2].copy())
    with pytest.raises(InputError, match="pool.npz: tokens are of 2 classes, expected 3, as labels"):
        Classifier.load(folder, form)


def test_weights_of_more_or_fewer_members_are_refused(folder: Path) -> None:
    model_folders.change_array(folder, "weights", lambda weights: weights[:2])
    with pytest.raises(InputError, match="pool.npz: it has 2 weights, expected 3"):
        Classifier.load(folder)


@pytest.mark.parametrize("form", ["int16", "float32", "keras"])
def test_all_members_predict_in_every_form(whole: Path, form: Literal["int16", "float32", "keras"]) -> None:
    loaded = Classifier.load(whole, form)
    assert isinstance(loaded.predictor, Pool)
    assert list(loaded.predictor.linear) == ["tokens", "characters"]
    inputs = loaded.encoder.encode(model_folders.TEXTS)
    total = sum(np.float32(w) * logits for _, w, logits in loaded.predictor.opinions(inputs))
    np.testing.assert_allclose(loaded.logits(inputs), total, rtol=1e-5)
    assert loaded.is_folded == (form != "keras")


def test_a_model_of_images_with_members_that_read_words_is_refused(whole: Path, tmp_path: Path) -> None:
    model_folders.save_image_model(folder := tmp_path / "model")
    shutil.copy(whole / "pool.npz", folder / "pool.npz")
    for name in ("keys", "idf", "weights", "bias", "table"):
        model_folders.change_array(folder, f"characters.{name}", lambda array: None)
    model_folders.change_array(folder, "weights", lambda weights: weights[:2])
    with pytest.raises(
        InputError, match="pool.npz: n-grams of words, expected none, as the model takes images"
    ):
        Classifier.load(folder)


def _bank(**change: Any) -> Callable[[Any], None]:
    return lambda saved: saved["folded"][0].update(change)


def _set(*keys: str | int, value: Any) -> Callable[[Any], None]:
    def change(saved: Any) -> None:
        for key in keys[:-1]:
            saved = saved[key]
        saved[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("classifier.json", _set("labels", value=["a", "b"]), "JSON: .*2 labels and a reference of 3"),
        ("classifier.json", _set("labels", value=["a", "b", "a"]), "JSON: .*labels that are equal"),
        ("classifier.json", _set("labels", 0, value=1), r"labels\.0: .*string"),
        ("classifier.json", _set("temperature", value=0), "temperature: "),
        ("classifier.json", _set("temperature", value=float("nan")), "temperature: "),
        (
            "classifier.json",
            _set("reference", "classes", value=[1.0]),
            "JSON: .*3 labels and a reference of 1",
        ),
        ("classifier.json", _set("reference", "classes", 0, value=2.0), r"reference\.classes\.0: "),
        ("classifier.json", _set("reference", "outside", value=-1), r"reference\.outside: "),
        ("classifier.json", _set("reference", "rows", value=-1), r"reference\.rows: "),
        ("classifier.json", _set("reference", "rows", value=10**30), r"reference\.rows: "),
        ("classifier.json", _set("reference", "rows_by_unknown", value=[1]), r"reference\.rows_by_unknown: "),
        ("classifier.json", _bank(windows=[0, 4, 5]), r"folded\.0\.windows\.0: .*greater than or equal to 1"),
        ("classifier.json", _bank(windows=[3, 4, 10**30]), r"folded\.0\.windows\.2: .*less than"),
        ("classifier.json", _bank(windows=[3, 4]), r"folded\.0: .*2 windows and 3 counts"),
        ("classifier.json", _bank(windows=[], filters=[]), r"folded\.0\.windows: "),
        ("classifier.json", _bank(filters=[4, 4, -4]), r"folded\.0\.filters\.2: "),
        ("classifier.json", _bank(activation="exp"), r"folded\.0\.activation: "),
        ("text_encoder.json", _set("words", 0, value="w9"), "words: .*'w9' occurs 2 times"),
        (
            "text_encoder.json",
            _set("tokenize", "maximum_length", value=10**30),
            r"tokenize\.maximum_length: ",
        ),
    ],
)
def test_a_description_that_makes_no_sense_is_named_with_its_file(
    folder: Path, name: str, change: Callable[[Any], Any], message: str
) -> None:
    model_folders.change_json(folder, name, change)
    with pytest.raises(InputError, match=f"{name}: {message}"):
        Classifier.load(folder)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("classifier.json", _bank(windows=[3, 4, 10**12])),
        ("classifier.json", _bank(filters=[4, 4, 10**12])),
        ("classifier.json", _bank(windows=[5, 4, 4])),
        ("text_encoder.json", lambda saved: saved["words"].append("w10")),
        ("text_encoder.json", lambda saved: saved["words"].remove("w9")),
    ],
)
def test_a_table_of_another_vocabulary_or_other_filters_is_refused(
    folder: Path, name: str, change: Callable[[Any], Any]
) -> None:
    model_folders.change_json(folder, name, change)
    with pytest.raises(InputError, match=r"table-0.int16.npy: the table is int16 .*, expected int16 "):
        Classifier.load(folder)


def test_labels_that_are_not_those_of_the_classes_are_refused(folder: Path) -> None:
    def change(saved: Any) -> None:
        saved["labels"], saved["reference"] = ["a", "b", "c", "d"], None

    model_folders.change_json(folder, "classifier.json", change)
    with pytest.raises(
        InputError, match="folded.npz: a model of 3 classes, expected one for each of 4 labels"
    ):
        Classifier.load(folder)


def test_parts_of_different_classes_are_refused(folder: Path) -> None:
    for name in ("1.weights", "1.offset"):
        model_folders.change_array(folder, name, lambda array: array[:2].copy())
    with pytest.raises(InputError, match=r"folded.npz: its networks are of \[3, 2\] classes"):
        Classifier.load(folder)


def test_a_pipe_in_place_of_a_file_is_refused_at_once(whole: Path, tmp_path: Path) -> None:
    for path in whole.iterdir():
        folder = shutil.copytree(whole, tmp_path / path.name)
        (folder / path.name).unlink()
        os.mkfifo(folder / path.name)
        for form in ("int16", "float32", "keras"):
            if path.name.startswith("table-") and form not in path.name:
                continue
            if (path.name == "network.keras") != (form == "keras") and path.suffix != ".json":
                continue
            with pytest.raises(InputError, match=f"{path.name} is no file"):
                Classifier.load(folder, form)


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_keras_network_that_cannot_be_read_is_one_line(folder: Path, damage: bytes | None) -> None:
    content = (folder / "network.keras").read_bytes()
    (folder / "network.keras").write_bytes(content[: len(content) // 2] if damage is None else damage)
    model_folders.rewrite_manifest(folder)
    with pytest.raises(InputError, match="network.keras cannot be read .*: remove .* and train again"):
        Classifier.load(folder, "keras").load_predictor()


@pytest.mark.filterwarnings("ignore:.*structure of `inputs`:UserWarning")
def test_a_keras_network_of_other_words_classes_or_inputs_is_refused(folder: Path) -> None:
    ids = keras.Input((None,), dtype="int32")
    few = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(9, 3)(ids))
    all_words = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(10, 3)(ids))
    pixels = keras.Input((4, 4, 1), dtype="uint8")
    for inputs, outputs, message in [
        (ids, few, "cannot be read"),
        (ids, keras.layers.Dense(2)(all_words), r"the logits of a row is float32 \[1, 2\], expected"),
        (pixels, keras.layers.Dense(3)(keras.layers.Flatten()(pixels)), "cannot be read"),
        (ids, [all_words, all_words], "cannot be read"),
    ]:
        keras.Model(inputs, outputs).save(folder / "network.keras")
        model_folders.rewrite_manifest(folder)
        with pytest.raises(InputError, match=f"network.keras:? {message}"):
            Classifier.load(folder, "keras").load_predictor()
    keras.Model(ids, all_words).save(folder / "network.keras")
    model_folders.rewrite_manifest(folder)
    Classifier.load(folder, "keras").load_predictor()


def test_a_manifest_too_large_for_one_is_not_read(folder: Path) -> None:
    with (folder / "manifest.json").open("ab") as file:
        file.truncate(33 << 20)
    with pytest.raises(InputError, match="manifest.json is larger than 32 MiB"):
        Classifier.load(folder)


# A folder that training replaces meanwhile


def test_a_folder_replaced_at_any_moment_of_loading_is_read_whole(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new one has other labels, so that no file of one fits those of the other."""
    labels, moments = ["x", "y", "z"], 0
    digest = files.sha256
    for moment in range(20):
        folder = shutil.copytree(whole, tmp_path / f"{moment}" / "model")
        calls = 0

        def replaced(path: Path, folder: Path = folder, moment: int = moment) -> str:
            nonlocal calls
            calls += 1
            found = digest(path)
            if calls == moment:
                with files.atomic_folder(folder) as fresh:
                    shutil.copytree(whole, fresh, dirs_exist_ok=True)
                    model_folders.change_json(fresh, "classifier.json", _set("labels", value=labels))
            return found

        monkeypatch.setattr("pipeline.manifest.sha256", replaced)
        loaded = Classifier.load(folder)
        monkeypatch.undo()
        if 0 < moment <= calls:
            assert loaded.labels == labels
            moments += 1
        assert loaded.digest == Classifier.load(folder).digest
    assert moments >= 5


def test_a_keras_network_replaced_before_it_is_used_is_not_taken(folder: Path) -> None:
    loaded = Classifier.load(folder, "keras")
    (folder / "network.keras").write_bytes(b"another")
    model_folders.rewrite_manifest(folder)
    with pytest.raises(InputError, match="network.keras was changed"):
        loaded.load_predictor()


@pytest.mark.parametrize(
    ("texts", "message"),
    [("lovely", r"write \[text\]"), (["lovely", None], "text 1 is None, a NoneType, where str was expected")],
)
def test_what_is_no_list_of_texts_is_refused(texts: Any, message: str, tmp_path: Path) -> None:
    model_folders.save_text_model(tmp_path / "model")
    classifier = Classifier.load(tmp_path / "model")
    for predict in (classifier.predict, classifier.predict_proba):
        with pytest.raises(InputError, match=message):
            predict(texts)

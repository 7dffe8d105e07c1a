"""The estimator is the line, in memory, and one of scikit-learn's."""

from __future__ import annotations

import inspect
import pickle
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

from pipeline import Classifier, ConvtextClassifier
from pipeline.config import loading
from pipeline.errors import InputError
from tests.prediction.model_folders import save_image_model
from tests.project import Project

# TensorFlow's variables, under NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
TINY: dict[str, Any] = {"dimensions": 8, "filters": 4, "epochs": 2}
WORDS = {"good": ["fine", "lovely", "great"], "bad": ["awful", "poor", "dull"], "odd": ["strange", "weird"]}
NEUTRAL = ["film", "story", "actor", "scene", "music", "plot"]


def rows(count: int, seed: int, classes: tuple[str, ...] = ("good", "bad", "odd")) -> pd.DataFrame:
    """Texts of six words, of which two tell the class."""
    numbers = np.random.default_rng(seed)
    labels = numbers.choice(classes, count)
    texts = [
        " ".join([*numbers.choice(NEUTRAL, 4), *numbers.choice(WORDS[label], 2), f"number{place}"])
        for place, label in enumerate(labels)
    ]
    return pd.DataFrame({"text": texts, "label": labels})


TRAINING, NEW = rows(120, 1), rows(40, 2)


@pytest.fixture(scope="module")
def fitted() -> ConvtextClassifier:
    return ConvtextClassifier(**TINY).fit(TRAINING["text"], TRAINING["label"])


def test_the_defaults_are_those_of_the_default_model() -> None:
    parameters = ConvtextClassifier().get_params()
    configuration = loading.load("docstrings", "convtext", "", {})
    options = configuration.model_dump()
    expected = {"seed": options["seed"], "validation": options["split"]["validation"], "memory": None}
    for section in ("tokenize", "embed", "network", "train", "ensemble"):
        expected |= options[section]
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in parameters.items()}
    assert listed == expected | {"mlflow": False}


def test_its_help_explains_each_parameter() -> None:
    help_text = inspect.getdoc(ConvtextClassifier) or ""
    arguments = help_text.partition("Args:")[2].partition("Attributes:")[0]
    explained = re.findall(r"^    (\w+): ", arguments, re.MULTILINE)
    assert explained == list(inspect.signature(ConvtextClassifier).parameters)


def test_it_labels_new_texts_with_labels_of_the_callers_type(fitted: ConvtextClassifier) -> None:
    assert fitted.classes_.tolist() == ["bad", "good", "odd"]
    assert fitted.score(NEW["text"], NEW["label"]) > 0.9
    numbers = TRAINING["label"].map({"bad": -1, "good": 1, "odd": 10})
    of_numbers = ConvtextClassifier(**TINY).fit(TRAINING["text"].tolist(), numbers)
    assert of_numbers.classes_.tolist() == [-1, 1, 10] and of_numbers.classes_.dtype == np.int64
    assert of_numbers.predict(["a lovely fine film"]).tolist() == [1]


def test_probabilities_are_the_softmax_of_the_decision_function(fitted: ConvtextClassifier) -> None:
    probabilities, logits = fitted.predict_proba(NEW["text"]), fitted.decision_function(NEW["text"])
    assert probabilities.shape == logits.shape == (40, 3)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)
    assert (fitted.classes_[probabilities.argmax(axis=1)] == fitted.predict(NEW["text"])).all()


def test_of_two_classes_the_decision_function_is_above_0_for_the_second() -> None:
    two = rows(80, 3, ("good", "bad"))
    model = ConvtextClassifier(**TINY).fit(two["text"], two["label"])
    decision = model.decision_function(two["text"])
    assert decision.shape == (80,)
    assert ((decision > 0) == (model.predict(two["text"]) == "good")).all()
    np.testing.assert_allclose(
        1 / (1 + np.exp(-decision)), model.predict_proba(two["text"])[:, 1], rtol=1e-4, atol=1e-6
    )


def test_evidence_adds_up_to_the_logit(fitted: ConvtextClassifier) -> None:
    (evidence,) = fitted.evidence(["lovely great film"])
    names = [name for name, _ in evidence]
    assert "lovely" in names and names[-2:] == ["(others)", "(bias)"]
    logit = fitted.decision_function(["lovely great film"]).max() * fitted.classifier_.temperature
    assert sum(value for _, value in evidence) == pytest.approx(logit, abs=1e-3)


def test_a_model_that_was_saved_or_pickled_is_the_same(fitted: ConvtextClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    expected = fitted.predict_proba(NEW["text"])
    for again in (ConvtextClassifier.load(tmp_path / "model"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(again.predict_proba(NEW["text"]), expected)
        assert again.classes_.tolist() == ["bad", "good", "odd"] and again.history_ == fitted.history_
        assert again.filters == 4 and again.epochs == 2
    _, probabilities = Classifier.load(tmp_path / "model").predict(NEW["text"].tolist())
    np.testing.assert_array_equal(probabilities, expected.max(axis=1))


def test_a_damaged_folder_is_refused_with_the_name_of_the_file(
    fitted: ConvtextClassifier, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    (tmp_path / "model/estimator.json").write_text("{}")
    loaded = ConvtextClassifier.load  # also of the file that only the estimator reads
    with pytest.raises(InputError, match=r"estimator\.json"):
        loaded(tmp_path / "model")
    (tmp_path / "model/pool.npz").unlink()
    with pytest.raises(InputError, match=r"pool\.npz"):
        loaded(tmp_path / "model")
    with pytest.raises(InputError, match=r"none is no folder of a model: it has no manifest\.json"):
        loaded(tmp_path / "none")


def test_a_folder_of_other_things_is_not_replaced(fitted: ConvtextClassifier, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("precious")
    (tmp_path / "extension").mkdir()
    (tmp_path / "extension" / "manifest.json").write_text('{"manifest_version": 3}')
    for _ in range(2):
        fitted.save(tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("precious")
    (tmp_path / "model" / ".ipynb_checkpoints").mkdir()
    for folder in (tmp_path, tmp_path / "extension", tmp_path / "model"):
        before = sorted(folder.rglob("*"))
        with pytest.raises(InputError, match="holds more than a model"):
            fitted.save(folder)
        assert sorted(folder.rglob("*")) == before
    loaded = ConvtextClassifier.load(tmp_path / "model")  # without what is no part of it
    assert "notes.txt" not in loaded._files


def test_a_model_of_images_is_no_estimator_of_texts(tmp_path: Path) -> None:
    save_image_model(tmp_path / "model")
    with pytest.raises(InputError, match="a model of images, expected one of texts"):
        ConvtextClassifier.load(tmp_path / "model")


def test_a_fit_changes_neither_parameters_nor_the_process() -> None:
    model = ConvtextClassifier(**TINY, precision="mixed_bfloat16")
    parameters = model.get_params()
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    model.fit(TRAINING["text"], TRAINING["label"])
    assert (random.random(), np.random.random()) == expected
    assert keras.config.dtype_policy().name == "float32"
    assert all(model.get_params()[name] is value for name, value in parameters.items())


def test_a_row_of_weight_0_is_left_out_and_others_count_by_their_weight(fitted: ConvtextClassifier) -> None:
    more = pd.concat([TRAINING, rows(30, 4).assign(label="odd")], ignore_index=True)
    weights = np.r_[np.ones(120), np.zeros(30)]
    again = ConvtextClassifier(**TINY).fit(more["text"], more["label"], sample_weight=weights)
    np.testing.assert_allclose(again.predict_proba(NEW["text"]), fitted.predict_proba(NEW["text"]), rtol=1e-5)
    favoured = np.where(TRAINING["label"] == "odd", 20, 1)
    other = ConvtextClassifier(**TINY).fit(TRAINING["text"], TRAINING["label"], sample_weight=favoured)
    odd = other.classes_.tolist().index("odd")
    assert (other.predict_proba(["film story"]) > fitted.predict_proba(["film story"]))[0, odd]


def test_texts_of_several_columns_are_read_as_one_row() -> None:
    table = pd.DataFrame({"title": TRAINING["text"].str[:10], "body": TRAINING["text"]})
    model = ConvtextClassifier(**TINY).fit(table, TRAINING["label"])
    assert model.predict(table).tolist() == model.predict(table.to_numpy()).tolist()
    assert model.score(table, TRAINING["label"]) > 0.9
    swapped = table[["body", "title"]].assign(more="of no use")
    assert model.predict(swapped).tolist() == model.predict(table).tolist()
    with pytest.raises(ValueError, match="1 columns were given where 2 were fitted: title, body"):
        model.predict(table["title"])
    with pytest.raises(ValueError, match="3 columns were given where 2"):
        model.predict(swapped.to_numpy())
    assert model.classifier_.columns == ["title", "body"]  # as `convtext predict` will look for them


def test_wrong_parameters_are_one_line_that_names_them() -> None:
    for parameters, expected in (
        ({"filters": 0}, "filters"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"ngrams": ["words"]}, "ngrams"),
        ({"seed": "one"}, "seed"),
        ({"validation": 0.0}, "validation and test must be above 0"),
    ):
        with pytest.raises(ValueError, match=f"ConvtextClassifier.*{expected}") as error:
            ConvtextClassifier(**parameters).fit(TRAINING["text"], TRAINING["label"])
        assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=r"or lower minimum_count$"):
        ConvtextClassifier(minimum_count=1000).fit(TRAINING["text"], TRAINING["label"])


@pytest.mark.parametrize(
    "classes",
    [
        np.array([3, 2**63 + 1], np.uint64),
        *(
            pytest.param(other, marks=pytest.mark.slow)
            for other in (np.array(["a", "b"], object), np.array([False, True]), [1.0, 2.0])
        ),
    ],
    ids=["uint64", "object", "bool", "float"],
)
def test_labels_keep_their_type_and_value_through_a_pickle(classes: Any) -> None:
    two = rows(60, 3, ("good", "bad"))
    labels = np.asarray(classes)[(two["label"] == "good").to_numpy().astype(int)]
    again = pickle.loads(pickle.dumps(ConvtextClassifier(**TINY | {"epochs": 1}).fit(two["text"], labels)))
    assert again.classes_.dtype == np.asarray(classes).dtype and again.classes_.tolist() == list(classes)


@pytest.mark.slow
def test_fits_in_threads_have_the_bits_of_fits_one_after_the_other() -> None:
    def fit(seed: int) -> np.ndarray:
        model = ConvtextClassifier(**TINY, seed=seed).fit(TRAINING["text"], TRAINING["label"])
        return model.decision_function(NEW["text"])

    with ThreadPoolExecutor(2) as threads:
        at_once = list(threads.map(fit, (1, 2)))
    for seed, found in zip((1, 2), at_once, strict=True):
        np.testing.assert_array_equal(found, fit(seed))


def test_before_fit_nothing_is_predicted() -> None:
    with pytest.raises(NotFittedError):
        ConvtextClassifier().predict(["a"])
    with pytest.raises(NotFittedError):
        clone(ConvtextClassifier()).save("nowhere")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MLflow's, about SQLAlchemy
def test_a_fit_is_recorded_in_mlflow_if_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/runs.db")
    experiment = mlflow.create_experiment("fits", artifact_location=(tmp_path / "artifacts").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", experiment)
    with mlflow.start_run() as run:
        ConvtextClassifier(**TINY | {"filters": 2}, mlflow=True).fit(TRAINING["text"], TRAINING["label"])
        model = ConvtextClassifier(**TINY, mlflow=True).fit(TRAINING["text"], TRAINING["label"])
    below = f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    found, first = mlflow.search_runs([experiment], below, output_format="list")
    assert first.data.params["filters"] == "2"
    assert found.data.params["filters"] == "4" and found.data.params["max_norm"] == "1.5"
    assert found.data.metrics["validation_accuracy"] == pytest.approx(
        model.history_[-1]["validation_accuracy"]
    )
    logged, _ = mlflow.search_logged_models([experiment], output_format="list")
    served = mlflow.pyfunc.load_model(logged.model_uri).predict(pd.DataFrame({"text": ["a lovely film"]}))
    assert served["predicted_label"].tolist() == model.predict(["a lovely film"]).tolist()


@pytest.mark.slow
def test_it_is_exported_as_by_the_command(fitted: ConvtextClassifier, tmp_path: Path) -> None:
    lines = fitted.export(tmp_path / "export", NEW["text"], "keras")
    assert lines[0].startswith("40 validation rows: logits within ")
    assert {path.name for path in (tmp_path / "export").iterdir()} == {
        "model.keras", "vocabulary.json", "example.py",
    }  # fmt: skip
    with pytest.raises(InputError, match="no export"):
        fitted.export(tmp_path, NEW["text"])
    with pytest.raises(ValueError, match="form 'pickle': expected one of keras"):
        fitted.export(tmp_path / "other", NEW["text"], "pickle")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 texts"):
        fitted.export(tmp_path / "other", [])


@pytest.mark.slow
def test_the_bits_are_those_of_the_line_on_the_same_rows(project: Project, tmp_path: Path) -> None:
    training, test = rows(300, 5), rows(40, 6)
    training.to_csv(tmp_path / "rows.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    options = "SET=embed.dimensions=8 network.filters=4 train.epochs=3"
    done = project.make(
        tmp_path / "data", "train", f"CORPUS={tmp_path}/rows.csv", f"TEST={tmp_path}/test.csv", options
    )
    of_line = ConvtextClassifier.load(Path(done.stdout.splitlines()[-1]) / "model")
    model = ConvtextClassifier(dimensions=8, filters=4, epochs=3).fit(training["text"], training["label"])
    np.testing.assert_array_equal(
        model.decision_function(test["text"]), of_line.decision_function(test["text"])
    )
    assert model.classifier_.temperature == of_line.classifier_.temperature


@pytest.mark.slow
def test_it_works_in_pipelines_searches_cross_validations_and_calibrations() -> None:
    texts, labels = TRAINING["text"], TRAINING["label"]
    pipeline = Pipeline([("lower", FunctionTransformer(lambda column: column.str.lower())),
                         ("model", ConvtextClassifier(**TINY))])  # fmt: skip
    assert pipeline.fit(texts.str.upper(), labels).score(NEW["text"].str.upper(), NEW["label"]) > 0.9
    scores = cross_val_score(ConvtextClassifier(**TINY), texts, labels, cv=3, n_jobs=2)
    assert scores.mean() > 0.9
    search = GridSearchCV(ConvtextClassifier(**TINY), {"filters": np.array([2, 4])}, cv=2).fit(texts, labels)
    assert search.best_params_["filters"] in (2, 4) and search.score(NEW["text"], NEW["label"]) > 0.9
    calibrated = CalibratedClassifierCV(ConvtextClassifier(**TINY), cv=2, n_jobs=2).fit(texts, labels)
    assert calibrated.predict_proba(NEW["text"]).shape == (40, 3)


class OfNumbers(ConvtextClassifier):
    """For scikit-learn's checks, whose rows are numbers: each becomes a word of its column and its value."""

    def fit(self, rows: Any, y: Any, sample_weight: Any = None) -> OfNumbers:
        return super().fit(self._texts(rows, True), y, sample_weight)

    def predict(self, rows: Any) -> Any:
        return super().predict(self._texts(rows))

    def predict_proba(self, rows: Any) -> Any:
        return super().predict_proba(self._texts(rows))

    def decision_function(self, rows: Any) -> Any:
        return super().decision_function(self._texts(rows))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags

    def _texts(self, rows: Any, is_fit: bool = False) -> list[str]:
        if not is_fit:
            check_is_fitted(self)
        numbers = validate_data(self, rows, reset=is_fit, dtype=np.float64)
        return [
            " ".join(f"c{place}is{round(2 * value)}" for place, value in enumerate(row)) for row in numbers
        ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the checks themselves
def test_scikit_learns_checks_pass() -> None:
    model = OfNumbers(dimensions=4, filters=2, epochs=1, minimum_count=1)
    by_rows = "rows are split by chance, the vocabulary and idf count rows, and copies of a row are one unit"
    expected = {"check_sample_weight_equivalence_on_dense_data": by_rows}
    results = check_estimator(model, expected_failed_checks=expected, on_fail=None)
    failed = {one["check_name"]: one["exception"] for one in results if one["status"] == "failed"}
    assert failed == {} and sum(one["status"] == "passed" for one in results) > 50

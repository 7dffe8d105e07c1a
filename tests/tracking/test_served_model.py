"""The MLflow model behind a real server, and loaded where there is no convtext."""

from __future__ import annotations

import json
import logging
import os
import platform
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest
import starlette.requests
from mlflow.models import Model
from packaging.requirements import Requirement
from PIL import Image

from pipeline.artifacts import RunFolder
from pipeline.compilation import native_kernels
from pipeline.files import write_arrays
from pipeline.folding.fold_network import fold_networks
from pipeline.images.encoder import ImageEncoder
from pipeline.measures.abstention import Outcomes
from pipeline.models import dense
from pipeline.models.kim_cnn import Options, build
from pipeline.networks.keras_network import KerasNetwork
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier, save
from pipeline.prediction.pool import Pool
from pipeline.text.encoder import TextEncoder
from pipeline.tracking import package, served_model
from pipeline.tracking.served_model import ServedModel
from tests.model_server import model_server
from tests.prediction.model_folders import save_text_model

# TensorFlow's variables, under NumPy 2.4.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
]
TEXTS = ["a lovely film", "an awful film", "lovely lovely", "awful", "", 'Ünknown "film", really\nlovely']
LABELS = ["1", "=2", "so, so"]
# Nothing of this process's: not its folder, and no pickle.
ELSEWHERE = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "CONVTEXT_DATA")}
ELSEWHERE |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # MLflow calls uvicorn by name
ELSEWHERE |= {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}

CARD = "---\ntags: [text]\n---\n\n# Model card\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """With a classifier of random weights."""
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    folder.model.mkdir()
    keras.utils.set_random_seed(1)
    encoder = TextEncoder.learn(TEXTS * 3, Tokenize(minimum_count=1))
    vectors = np.random.default_rng(1).normal(size=(len(encoder.words) + 2, 6)).astype(np.float32)
    network = build(Options(filters=4, max_norm=None), vectors, 3)
    folded = fold_networks([network])
    assert folded is not None
    pool = Pool(folded, {}, [1.0])
    made = Classifier(pool.rounded, encoder, LABELS, ["review"], temperature=0.5)
    # Right where the probability was 0.5, and in 80 % where it was 0.25; of TEXTS it is 1/3.
    sure = np.repeat(np.array([0.5, 0.25], np.float32), 60)
    correct = (sure == 0.5) | (np.arange(120) % 5 > 0)
    made.validation = Outcomes(sure, np.zeros(120, np.int32), correct)
    save(folder.model, made, network, pool)
    write_arrays(folder.row_keys, train=np.zeros(1, np.uint64))
    folder.model_card.write_text(CARD)
    return folder


@pytest.fixture(scope="module")
def classifier(run: RunFolder) -> Classifier:
    return Classifier.load(run.model)


@pytest.fixture(scope="module")
def model(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier as an MLflow model."""
    place = tmp_path_factory.mktemp("mlflow") / "model"
    package.save(place, run.model, run.row_keys, run.model_card)
    return place


@pytest.fixture(scope="module")
def server(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with model_server(model, tmp_path_factory.mktemp("elsewhere"), ELSEWHERE) as address:
        yield address


def ask(server: str, body: Any, kind: str = "application/json") -> tuple[int, Any]:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = urllib.request.Request(f"{server}/invocations", data, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def assert_as_the_classifier_says(found: Any, classifier: Classifier, texts: list[str]) -> None:
    labels, sure = classifier.predict(texts)
    assert list(found[0]) == [
        "predicted_label", "probability", "probability_of_1", "probability_of_=2", "probability_of_so, so",
    ]  # fmt: skip
    assert [row["predicted_label"] for row in found] == labels
    lacking = classifier.encoder.encode(texts).as_sequences().lack_known_words
    sure[lacking] = 0
    table = np.array([[row[name] for name in list(found[0])[1:]] for row in found], np.float32)
    np.testing.assert_array_equal(table, np.column_stack([sure, classifier.predict_proba(texts)]))


def test_every_form_of_json_and_csv_gets_the_classifiers_own_probabilities(
    server: str, classifier: Classifier
) -> None:
    split = {"columns": ["id", "review"], "data": [[n, text] for n, text in enumerate(TEXTS)]}
    bodies: list[Any] = [
        {"dataframe_split": split},
        {"dataframe_records": [{"review": text} for text in TEXTS]},
        {"inputs": [{"review": text} for text in TEXTS]},
        {"inputs": {"review": TEXTS}},
    ]
    for body in bodies:
        status, found = ask(server, body)
        assert status == 200, found
        assert_as_the_classifier_says(found, classifier, TEXTS)
    status, found = ask(server, pd.DataFrame({"review": TEXTS}).to_csv(index=False), "text/csv")
    assert status == 200, found
    assert_as_the_classifier_says(found, classifier, TEXTS)


def test_parameters_choose_labels_and_columns(server: str, classifier: Classifier) -> None:
    rows = {"dataframe_records": [{"review": "a lovely film"}]}
    status, found = ask(server, rows | {"params": {"top": 2, "probabilities": False, "abstain": 1.0}})
    assert (status, list(found[0])) == (
        200, ["predicted_label", "probability", "predicted_label_2", "probability_2"],
    )  # fmt: skip
    assert found[0]["predicted_label"] == ""
    second = np.argsort(-classifier.predict_proba(["a lovely film"])[0])[1]
    assert found[0]["predicted_label_2"] == LABELS[second]
    assert ask(server, rows | {"params": {"top": 4}})[0] == 400


def test_a_precision_is_what_predict_makes_of_it(server: str, classifier: Classifier) -> None:
    rows = {"dataframe_records": [{"review": text} for text in TEXTS]}
    labels = [label if text else "" for label, text in zip(classifier.predict(TEXTS)[0], TEXTS, strict=True)]
    for precision, shown in ((0.95, [""] * len(TEXTS)), (0.8, labels)):
        status, found = ask(server, rows | {"params": {"precision": precision}})
        assert status == 200, found
        assert [row["predicted_label"] for row in found] == shown
    status, said = ask(server, rows | {"params": {"precision": 0.9999}})
    assert status == 400 and "do not show a precision of 0.9999" in said
    assert ask(server, rows | {"params": {"precision_by_class": 0.9999}})[0] == 400


@pytest.mark.parametrize(
    "params",
    [
        {"top": None}, {"top": "2"}, {"top": 2.5}, {"top": [1]}, {"top": {}}, {"top": True}, {"top": 10**30},
        {"abstain": None}, {"abstain": "x"}, {"abstain": float("nan")}, {"abstain": [0.5]},
        {"precision": None}, {"precision": 1.0}, {"precision": 0.9, "abstain": 0.5},
        {"precision_by_class": "x"},
        {"probabilities": None}, {"probabilities": 1}, {"probabilities": "no"}, [], "top", 7,
    ],
)  # fmt: skip
def test_a_parameter_of_another_type_is_refused_in_a_line(server: str, params: object) -> None:
    status, said = ask(server, {"dataframe_records": [{"review": "awful"}], "params": params})
    assert (status, "Traceback" in said) == (400, False), said


def test_a_client_that_hangs_up_costs_no_page_of_the_servers_log() -> None:
    """Only Starlette's error of that is left out, and no other."""

    class ClientDisconnect(Exception):
        pass

    def record(error: Exception) -> logging.LogRecord:
        traceback = (type(error), error, None)
        return logging.LogRecord("uvicorn.error", logging.ERROR, "", 1, "Exception in ASGI", None, traceback)

    assert not served_model._is_no_hang_up(record(ClientDisconnect()))
    assert served_model._is_no_hang_up(record(ValueError()))
    assert served_model._is_no_hang_up(logging.LogRecord("x", logging.ERROR, "", 1, "said", None, None))
    assert ClientDisconnect.__name__ == starlette.requests.ClientDisconnect.__name__


def test_what_is_missing_is_an_empty_text_and_what_is_no_text_is_refused(
    server: str, classifier: Classifier
) -> None:
    status, found = ask(server, {"dataframe_records": [{"review": None}, {"review": "awful"}]})
    assert status == 200, found
    assert_as_the_classifier_says(found, classifier, ["", "awful"])
    for rows in (
        [{"review": 3}],
        [{"review": "awful"}, {"review": 3}],
        [{"review": {}}],
        [{"text": "awful"}],
    ):
        status, said = ask(server, {"dataframe_records": rows})
        assert (status, "Traceback" in said) == (400, False), said
    assert ask(server, "{")[0] == 400


def test_many_clients_at_once_get_what_each_asked_for(server: str, classifier: Classifier) -> None:
    texts = [f"a {'lovely ' * (n % 5)}{'awful ' * (n % 3)}film {n}" for n in range(200)]
    expected = classifier.predict_proba(texts)
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda text: ask(server, {"dataframe_records": [{"review": text}]}), texts))
    assert {status for status, _ in done} == {200}
    found = [[row[0][f"probability_of_{label}"] for label in LABELS] for _, row in done]
    np.testing.assert_array_equal(np.array(found, np.float32), expected)


def test_mlflow_predicts_a_file_by_its_command(
    server: str, model: Path, classifier: Classifier, tmp_path: Path
) -> None:
    """After the server: what that one compiled lies in the model's folder."""
    pd.DataFrame({"review": TEXTS}).to_csv(tmp_path / "in.csv", index=False)
    command = [sys.executable, "-m", "mlflow", "models", "predict", "-m", str(model), "-i", "in.csv"]
    command += ["--content-type", "csv", "--env-manager", "local", "-o", "out.json"]
    done = subprocess.run(command, cwd=tmp_path, env=ELSEWHERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())["predictions"]
    assert_as_the_classifier_says(found, classifier, TEXTS)


def test_a_text_model_is_loaded_without_tensorflow_by_what_it_brings(
    server: str, model: Path, tmp_path: Path
) -> None:
    code = (
        "import sys, mlflow.pyfunc, pandas as pd\n"
        f"model = mlflow.pyfunc.load_model({str(model)!r})\n"
        "print(len(model.predict(pd.DataFrame({'review': ['a', 'b']}))), 'tensorflow' in sys.modules)\n"
        "print(sys.modules['convtext'].__file__, 'pipeline' in sys.modules)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=ELSEWHERE, capture_output=True, text=True)
    brought = model / "code" / "convtext" / "__init__.py"
    assert done.stdout.splitlines() == ["2 False", f"{brought} False"], done.stderr


def test_a_process_that_has_the_package_already_loads_the_model_by_it(
    model: Path, classifier: Classifier
) -> None:
    loaded = mlflow.pyfunc.load_model(str(model))
    found = loaded.predict(pd.DataFrame({"review": TEXTS}))
    assert_as_the_classifier_says(found.to_dict("records"), classifier, TEXTS)
    assert isinstance(loaded.unwrap_python_model(), ServedModel)
    assert not [name for name in sys.modules if name.partition(".")[0] == "convtext"]


def test_the_package_is_brought_whole(model: Path) -> None:
    def files(folder: Path) -> set[str]:
        paths = {str(path.relative_to(folder)) for path in folder.rglob("*")}
        return {path for path in paths if "__pycache__" not in path}

    (code,) = (model / "code").iterdir()
    assert (code.name, code.is_symlink()) == ("convtext", False)
    assert files(code) == files(Path(package.__file__).parents[1])


def test_the_model_says_what_it_takes_and_pins_what_it_needs(model: Path) -> None:
    found = Model.load(str(model))
    assert found.signature is not None
    assert [(one.name, one.type.name, one.required) for one in found.signature.inputs.inputs] == [
        ("review", "string", True)
    ]
    assert found.signature.outputs.input_names()[:2] == ["predicted_label", "probability"]
    requirements = [Requirement(line) for line in (model / "requirements.txt").read_text().splitlines()]
    needed = {one.name: one for one in requirements}
    assert str(needed["numpy"].specifier) == f"=={np.__version__}"
    assert str(needed["pandas"].specifier) == f"=={pd.__version__}"
    here = {"platform_system": platform.system(), "platform_machine": platform.machine()}
    marker = needed["numba"].marker
    assert (marker is None or marker.evaluate(here)) != native_kernels.is_usable()
    assert marker is None or marker.evaluate(here | {"platform_machine": "another"})
    assert not {"tensorflow", "tensorflow-cpu", "keras", "scikit-learn"} & {*needed}
    assert not [path for path in model.rglob("*") if path.suffix in (".pkl", ".pickle")]
    assert found.load_input_example(str(model)).columns.tolist() == ["review"]


def test_an_image_model_takes_files_as_bytes_and_refuses_others(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.model.mkdir(parents=True)
    network = dense.build(dense.Options(hidden=[4]), (8, 8, 1), 2)
    pool = Pool(KerasNetwork(network), {}, [1.0])
    made = Classifier(lambda: pool, ImageEncoder(8, 8, 1), ["dark", "light"], ["path"])
    save(run.model, made, network, pool)
    write_arrays(run.row_keys, train=np.zeros(1, np.uint64))
    run.model_card.write_text(CARD)
    package.save(tmp_path / "model", run.model)
    needed = (tmp_path / "model" / "requirements.txt").read_text()
    assert "pillow==" in needed and "keras==" in needed

    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    paths = [tmp_path / "dark.png", tmp_path / "light.png"]
    for path, grey in zip(paths, (20, 230), strict=True):
        Image.new("L", (9, 9), grey).save(path)
    found = loaded.predict(pd.DataFrame({"image": [path.read_bytes() for path in paths]}))
    names = ["probability_of_dark", "probability_of_light"]
    np.testing.assert_array_equal(found[names].to_numpy(), made.predict_proba([str(path) for path in paths]))
    with pytest.raises(
        mlflow.exceptions.MlflowException, match="row 1: no png, jpg, webp, gif, bmp or tiff image"
    ):
        loaded.predict(pd.DataFrame({"image": [paths[0].read_bytes(), b"no image"]}))


def test_who_has_the_model_has_its_card(model: Path) -> None:
    assert (model / "MODEL_CARD.md").read_text() == CARD


def test_a_model_of_two_columns_is_asked_for_both(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    save_text_model(folder.model, "title", "body")
    write_arrays(folder.row_keys, test=np.zeros(1, np.uint64))
    folder.model_card.write_text(CARD)
    package.save(tmp_path / "packed", folder.model)
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "packed"))
    assert loaded.metadata.get_input_schema().input_names() == ["title", "body"]
    table = pd.DataFrame({"body": ["w9", "w3"], "id": [1, 2], "title": ["w2 w4", ""]})
    labels, sure = Classifier.load(folder.model).predict(["w2 w4\x1fw9", "\x1fw3"])
    found = loaded.predict(table)
    assert found["predicted_label"].tolist() == labels
    np.testing.assert_array_equal(found["probability"].to_numpy(np.float32), sure)

"""The predictor's opponents, as one who knows them would use them, each at its best on the validation part.

Each is a function that fits it to a run's corpus and writes it to a folder, and one that loads it from there.
What fitting alone needs is imported there: no opponent's start is to wait for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

SETTING = "setting.json"
MARK = "__label__"  # fastText's own
SIGNS = ".!?,'/()"  # what fastText's documentation puts blanks around
WORTH = 0.005  # of accuracy, for which fastText has the signs set apart: that costs time
PREDICTED = 512  # rows of a batch of Keras
Label = Callable[[list[str]], tuple[list[str], list[float]]]  # texts to labels and their probabilities


class Part(NamedTuple):
    texts: list[str]
    labels: np.ndarray  # int64 [texts]


class Task(NamedTuple):
    training: Part
    validation: Part
    names: list[str]  # of the labels
    run: Path  # data/build/<corpus>/<model>


def task(run: Path) -> Task:
    from pipeline.artifacts import RunFolder
    from pipeline.reading import read_json, read_table

    corpus = RunFolder(run).corpus
    rows = read_table(corpus.rows)
    chosen = [rows[rows["part"] == name] for name in ("train", "validation")]
    parts = [Part(list(part["text"]), part["label"].to_numpy(np.int64)) for part in chosen]
    return Task(*parts, read_json(corpus.labels), run)


# TF-IDF and logistic regression ---------------------------------------------------------------------------


def fit_tfidf(task: Task, folder: Path) -> None:
    import joblib
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from pipeline.baselines.logistic import C_TOLERANCES

    fitted = [
        make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), dtype=np.float32), LogisticRegression(C=C, max_iter=1000)
        ).fit(task.training.texts, [task.names[label] for label in task.training.labels])
        for C in C_TOLERANCES
    ]
    truth = [task.names[label] for label in task.validation.labels]
    joblib.dump(max(fitted, key=lambda one: one.score(task.validation.texts, truth)), folder / "model.joblib")


def load_tfidf(folder: Path) -> Label:
    import joblib

    fitted = joblib.load(folder / "model.joblib")

    def label(texts: list[str]) -> tuple[list[str], list[float]]:
        probabilities = fitted.predict_proba(texts)  # `predict` would read the texts a second time
        return fitted.classes_[probabilities.argmax(axis=1)].tolist(), probabilities.max(axis=1).tolist()

    return label


# fastText -------------------------------------------------------------------------------------------------


def fit_fasttext(task: Task, folder: Path) -> None:
    """The settings of `pipeline.baselines.catalogue`, on words as fastText itself finds them: between blanks,
    and between signs where the validation part is the better for it."""
    import fasttext

    from pipeline.baselines.fasttext import EPOCHS, LEARNING_RATES

    best: dict[bool, tuple[float, Any]] = {}
    words = sum(len(text.split()) for text in task.training.texts)
    for apart in (False, True):
        lines = cleaned(task.training.texts, apart)
        asked = cleaned(task.validation.texts, apart)
        with TemporaryDirectory() as place:
            file = Path(place, "training.txt")
            # It learns in the file's order, and many corpora are sorted by class.
            order = np.random.default_rng(1).permutation(len(lines))
            text = "".join(f"{MARK}{task.training.labels[row]} {lines[row]}\n" for row in order)
            file.write_text(text, "utf-8")
            for epochs, rate in product(EPOCHS, LEARNING_RATES):
                model = fasttext.train_supervised(
                    str(file),
                    epoch=epochs,
                    lr=rate,
                    wordNgrams=2,
                    bucket=min(2_000_000, 2 * words),
                    thread=1,  # with more, no run repeats another
                    seed=1,
                    verbose=0,
                )
                said = [int(one[0].removeprefix(MARK)) for one in model.predict(asked)[0]]
                score = float(np.mean(np.array(said) == task.validation.labels))
                if apart not in best or score > best[apart][0]:
                    best[apart] = score, model
    apart = best[True][0] >= best[False][0] + WORTH
    (folder / SETTING).write_text(json.dumps({"apart": apart, "names": task.names}), "utf-8")
    best[apart][1].save_model(str(folder / "model.bin"))


def load_fasttext(folder: Path) -> Label:
    import fasttext

    setting, model = (
        json.loads((folder / SETTING).read_text("utf-8")),
        fasttext.load_model(str(folder / "model.bin")),
    )
    names = {f"{MARK}{number}": name for number, name in enumerate(setting["names"])}

    def label(texts: list[str]) -> tuple[list[str], list[float]]:
        predicted, probabilities = model.predict(cleaned(texts, setting["apart"]))
        return [names[one[0]] for one in predicted], [float(one[0]) for one in probabilities]

    return label


def cleaned(texts: list[str], apart: bool) -> list[str]:
    """In lower case and on one line each, as fastText wants them; `apart` with blanks around the signs."""
    lines = [text.lower().replace("\n", " ") for text in texts]
    if not apart:
        return lines
    joined = "\n".join(lines)  # one long text is replaced in sooner than many short ones
    for sign in SIGNS:
        joined = joined.replace(sign, f" {sign} ")
    return joined.split("\n")


# Keras ----------------------------------------------------------------------------------------------------


def fit_keras(task: Task, folder: Path) -> None:
    """As public repositories build it: Embedding, Conv1D, GlobalMaxPooling1D; windows, filters and channels
    are those of the trained model."""
    from pipeline.networks.backend import keras, tf
    from tests.benchmarks.contestants import BATCH

    network = plain_network(task)
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def data(part: Part) -> Any:
        whole = tf.data.Dataset.from_tensor_slices((part.texts, part.labels))
        return whole.shuffle(len(part.texts), seed=1).batch(BATCH).prefetch(2)

    stop = keras.callbacks.EarlyStopping("val_accuracy", patience=1, restore_best_weights=True)
    training, validation = data(task.training), data(task.validation)
    network.fit(training, validation_data=validation, epochs=5, callbacks=[stop], verbose=0)
    network.save(folder / "model.keras")
    (folder / SETTING).write_text(json.dumps({"names": task.names}), "utf-8")


def plain_network(task: Task) -> Any:
    """Texts, string [batch], to probabilities [batch, classes]; padded to the longest of a batch."""
    from pipeline.artifacts import RunFolder
    from pipeline.config.stage_options import TokenizeOptions, TrainOptions
    from pipeline.networks.backend import keras
    from pipeline.reading import read_json
    from tests.benchmarks.contestants import DIMENSIONS, FILTERS, WINDOWS

    run = RunFolder(task.run)
    options = TrainOptions.model_validate(read_json(run.train_options)).network
    tokens = TokenizeOptions.model_validate(read_json(run.corpus.tokenize_options)).tokenize
    keras.utils.set_random_seed(1)
    vectorize = keras.layers.TextVectorization(max_tokens=tokens.maximum_size)
    vectorize.adapt(task.training.texts)
    texts = keras.Input((), dtype="string")
    ids = vectorize(texts)[:, : tokens.maximum_length]
    channels = [
        keras.layers.Embedding(vectorize.vocabulary_size(), DIMENSIONS, trainable=channel != "static")(ids)
        for channel in options.get("channels", ["static", "tuned"])
    ]
    vectors = keras.layers.concatenate(channels) if len(channels) > 1 else channels[0]
    windows = options.get("windows", WINDOWS)
    filters = options.get("filters", FILTERS)
    features = []
    for window, count in zip(
        windows, filters if isinstance(filters, list) else [filters] * len(windows), strict=True
    ):
        convolved = keras.layers.Conv1D(count, window, activation="relu", padding="same")(vectors)
        features.append(keras.layers.GlobalMaxPooling1D()(convolved))
    joined = keras.layers.concatenate(features) if len(features) > 1 else features[0]
    dropped = keras.layers.Dropout(0.5)(joined)
    return keras.Model(texts, keras.layers.Dense(len(task.names), activation="softmax")(dropped))


def load_keras(folder: Path) -> Label:
    from pipeline.networks.backend import keras, tf

    network = keras.saving.load_model(folder / "model.keras")
    names = np.array(json.loads((folder / SETTING).read_text("utf-8"))["names"])

    def label(texts: list[str]) -> tuple[list[str], list[float]]:
        probabilities = network.predict(tf.constant(texts), batch_size=PREDICTED, verbose=0)
        return names[probabilities.argmax(axis=1)].tolist(), probabilities.max(axis=1).tolist()

    return label


FITS: dict[str, Callable[[Task, Path], None]] = {
    "tfidf": fit_tfidf,
    "fasttext": fit_fasttext,
    "keras": fit_keras,
}
LOADS: dict[str, Callable[[Path], Label]] = {
    "tfidf": load_tfidf,
    "fasttext": load_fasttext,
    "keras": load_keras,
}

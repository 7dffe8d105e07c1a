"""`ConvtextClassifier`: the default model, or another of Kim's kind, as an estimator of scikit-learn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from ..arrays import Floats
from ..environment.interrupts import interrupts_wait
from ..errors import InputError
from ..files import atomic_folder, write_json
from ..manifest import MANIFEST, VerifiedFolder
from ..prediction.classifier import FORMAT, Classifier, load_network, save
from ..prediction.evidence import evidence
from ..reading import read_json
from .data import check_labelled_texts, check_texts
from .parameters import Parameters, flat_names, plain

if TYPE_CHECKING:
    from ..prediction.training import Trained

Form = Literal["keras", "saved_model", "onnx", "tflite"]
DESCRIPTION = "estimator.json"  # beside the model's files: parameters, classes and history


class ConvtextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A text classifier: Kim's (2014) convolutional network pooled with linear models of n-grams.

    Texts are a sequence of str, or a data frame or array with a column for each of several texts. The
    parameters are the options of `conf/models/` and `conf/corpora/`, without their sections; the defaults are
    those of the default model. The same seed gives the same bits on one machine, those of `train` on the same
    rows.

    Args:
        seed: of whatever is drawn at random, from 0 to 2^32 - 1.
        validation: the share of the rows that epochs, the linear models' settings and weights, and the
            temperature of the probabilities are chosen by; equal texts stay together.
        memory: bytes; of texts beyond it linear models learn a sample. By default what the machine has.
        mlflow: whether `fit` logs a run, with parameters, history and model, to MLflow.
        unit: with "character", each character of a script without spaces is a token; "auto" looks at the
            texts.
        cleaning: with "kim", that of Kim's code: most punctuation is dropped, n't and 's are split off.
        lowercase: whether upper case is ignored.
        minimum_count: words that occur less often are not in the vocabulary.
        maximum_size: the most words in the vocabulary, the most frequent ones.
        maximum_length: the most tokens of a text that are read.
        unseen: a word outside the vocabulary becomes the "similar" one with the longest common prefix, or
            "unknown".
        vectors: what both channels start from: "spectral" (a factorization of co-occurrences in the texts),
            "corpus" (word2vec on them), "random", a file, a name of gensim's downloader, or a folder with a
            sentence encoder; several are concatenated.
        dimensions: of vectors that are learned or random; pretrained ones have their own.
        corpus_tokens: the most tokens that vectors are learned from, in all epochs together.
        missing: how words get a vector that the pretrained ones lack: by "subwords", or at random.
        channels: the tables of vectors that filters read: "static" stays as it starts, "tuned" is trained.
        combination: whether channels have "separate" filters, "shared" ones as Kim's, or are "concatenated".
        windows: the numbers of tokens that filters read at once.
        filters: of each window: one number, or one for each.
        activation: what a filter's sums go through before the maximum over time.
        embedding_dropout: the share of a batch's word types that are left out before the convolution.
        dropout: the share of the filters' maxima that are left out in training.
        max_norm: the bound on the norm of each class's weights; None is none.
        optimizer: "adam" or "adadelta", of a form that touches only the vectors of a batch.
        learning_rate: the optimizer's.
        batch_size: the rows of a batch.
        epoch_rows: twice as many texts or more are cut into up to four epochs of at least so many; None is
            an epoch of all.
        epochs: the most of them.
        patience: epochs without a better validation score after which training stops.
        averaging: the momentum of the moving average of the weights after each epoch; 0 is the last alone.
        precision: "mixed_bfloat16" is faster where the processor has it.
        class_weights: with "balanced", all classes weigh the same, and macro-F1 chooses instead of accuracy.
        members: networks that differ in their seed, whose logits are averaged.
        ngrams: linear models on "tokens" and pairs of them, and on "characters" of words; () is none.

    Attributes:
        classes_: the distinct labels, sorted.
        classifier_: the `Classifier`, which needs neither TensorFlow nor scikit-learn to predict.
        history_: a record of each epoch of the network, with loss, accuracy, validation_accuracy and others.

    Examples:
        >>> model = ConvtextClassifier().fit(["a lovely film", ...], ["good", ...])
        >>> model.predict(["lovely", "awful"])
        array(['good', 'bad'])
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        validation: float = 0.1,
        memory: int | None = None,
        mlflow: bool = False,
        unit: Literal["auto", "word", "character"] = "auto",
        cleaning: Literal["none", "kim"] = "none",
        lowercase: bool = True,
        minimum_count: int = 2,
        maximum_size: int = 100_000,
        maximum_length: int = 1000,
        unseen: Literal["similar", "unknown"] = "similar",
        vectors: str | Sequence[str] = "spectral",
        dimensions: int = 100,
        corpus_tokens: int = 1_500_000,
        missing: Literal["subwords", "uniform"] = "subwords",
        channels: Sequence[Literal["static", "tuned"]] = ("static", "tuned"),
        combination: Literal["shared", "separate", "concatenated"] = "separate",
        windows: Sequence[int] = (1, 2, 3),
        filters: int | Sequence[int] = 64,
        activation: Literal["relu", "tanh", "linear"] = "relu",
        embedding_dropout: float = 0.0,
        dropout: float = 0.5,
        max_norm: float | None = 1.5,
        optimizer: Literal["adadelta", "adam"] = "adam",
        learning_rate: float = 0.004,
        batch_size: int = 100,
        epoch_rows: int | None = 50_000,
        epochs: int = 20,
        patience: int = 5,
        averaging: float = 0.8,
        precision: Literal["float32", "mixed_bfloat16"] = "float32",
        class_weights: Literal["none", "balanced"] = "none",
        members: int = 1,
        ngrams: Sequence[Literal["tokens", "characters"]] = ("tokens", "characters"),
    ) -> None:
        self.seed = seed
        self.validation = validation
        self.memory = memory
        self.mlflow = mlflow
        self.unit = unit
        self.cleaning = cleaning
        self.lowercase = lowercase
        self.minimum_count = minimum_count
        self.maximum_size = maximum_size
        self.maximum_length = maximum_length
        self.unseen = unseen
        self.vectors = vectors
        self.dimensions = dimensions
        self.corpus_tokens = corpus_tokens
        self.missing = missing
        self.channels = channels
        self.combination = combination
        self.windows = windows
        self.filters = filters
        self.activation = activation
        self.embedding_dropout = embedding_dropout
        self.dropout = dropout
        self.max_norm = max_norm
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epoch_rows = epoch_rows
        self.epochs = epochs
        self.patience = patience
        self.averaging = averaging
        self.precision = precision
        self.class_weights = class_weights
        self.members = members
        self.ngrams = ngrams

    def fit(self, texts: Any, labels: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train on texts and their labels.

        `sample_weight` [texts] weighs a row in whatever is fitted, chosen or calibrated by it; the
        vocabulary, idf and the vectors count it once. Rows of weight 0 are left out. Raises ValueError for
        parameters or rows that cannot be, with one line that says what was expected.
        """
        given = self.get_params(deep=False)
        parameters = Parameters.of_values(given)
        data = check_labelled_texts(texts, labels, sample_weight)
        names = [str(label) for label in data.classes.tolist()]
        with interrupts_wait():  # late, as TensorFlow takes seconds to start
            from ..networks.backend import sealed
            from .in_memory import train_in_memory
        with flat_names(), sealed():
            trained = train_in_memory(data, names, parameters)
            classes = {"classes": data.classes.tolist(), "dtype": data.classes.dtype.str}
            description = {"parameters": plain(given), **classes}
            files = _packed(trained, description | {"history": trained.history})
        self._restore(files)
        if parameters.general.mlflow:
            from .mlflow_run import log_fit  # late: MLflow takes seconds to start

            with self._folder() as model:
                log_fit(plain(given), trained.history, model)
        return self

    def predict(self, texts: Any) -> NDArray[Any]:
        """Return the most probable label of each text, [texts] of the type of `classes_`."""
        best = self._logits(self._checked(texts)).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def predict_proba(self, texts: Any) -> Floats:
        """Return calibrated probabilities, float32 [texts, classes], in the order of `classes_`."""
        return self.classifier_.softmax(self._logits(self._checked(texts)))

    def decision_function(self, texts: Any) -> Floats:
        """Return calibrated logits, float32 [texts, classes], whose softmax the probabilities are.

        Of two classes their difference, float32 [texts], as scikit-learn has it: above 0 is the second.
        """
        logits = self._logits(self._checked(texts)) / np.float32(self.classifier_.temperature)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def evidence(self, texts: Any) -> list[list[tuple[str, float]]]:
        """Return for each text what its n-grams add to the logit of its most probable label.

        The greatest come first, then `(others)` and `(bias)`: they add up to the logit (see
        `prediction.evidence`), before the temperature.
        """
        rows = self._checked(texts)
        logits, encoder = self._logits(rows), self.classifier_.encoder
        pieces = [encoder.pieces(text) for text in rows]
        sequences, best = encoder.encode(rows).as_sequences(), logits.argmax(axis=1)
        found = evidence(self.classifier_.predictor, sequences, pieces, logits, best)
        return [[(ngram, value) for ngram, value in json.loads(entry)] for entry in found]

    def save(self, folder: str | Path) -> None:
        """Write the model's folder, which `load` reads, and so do `Classifier.load` and `convtext predict`.

        Raises InputError for a folder that holds something other than a model, which would be replaced.
        """
        check_is_fitted(self)
        path = Path(folder)
        if path.exists() and not _holds_a_model_alone(path):
            raise InputError(f"{path} is there already, and holds more than a model: name another folder")
        with atomic_folder(path) as unfinished:
            _write(self._files, unfinished)

    def export(self, folder: str | Path, texts: Any, form: Form = "keras") -> list[str]:
        """Write the model for Keras, TensorFlow, ONNX or TensorFlow Lite alone, as the command `export` does.

        The logits of `texts`, which it should not have learned, are compared with the classifier's. Returns
        lines on how they agree, and on what the format cannot hold. Raises InputError as `exports.exporter`.
        """
        from ..exports.exporter import export  # late: TensorFlow takes seconds to start
        from ..networks.backend import sealed

        rows = self._checked(texts)
        if form not in get_args(Form):
            raise ValueError(f"form {form!r}: expected one of {', '.join(get_args(Form))}")
        if not rows:
            raise ValueError("0 texts were given where some were expected, to compare the logits of")
        with sealed(), self._folder() as model:
            classifier = Classifier.load(model, "float32")
            inputs = classifier.encoder.encode(rows)
            return export(form, Path(folder), classifier, load_network(model), inputs, rows).lines

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote, or the `model/` of a run, whose parameters are then the defaults.

        Raises InputError for a folder that is not whole, and for a model of images.
        """
        path, loaded = Path(folder), cls()
        if not (path / MANIFEST).is_file():
            raise InputError(f"{path} is no folder of a model: it has no {MANIFEST}")
        files = VerifiedFolder(path, FORMAT)
        if Classifier.load(path).encoder.kind == "image":  # all other files are verified
            raise InputError(f"{path} is a model of images, expected one of texts")
        if DESCRIPTION in files:
            loaded.set_params(**read_json(files.verified(DESCRIPTION))["parameters"])
        loaded._restore({name: (path / name).read_bytes() for name in files.names})
        return loaded

    def __getstate__(self) -> dict[str, Any]:
        """Return the parameters and the bytes of the model's files."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "classifier_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_files" in state:
            self._restore(state["_files"])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def _restore(self, files: Mapping[str, bytes]) -> None:
        """Take a model's files, and what was learned from them."""
        self._files = dict(files)
        with self._folder() as model:
            self.classifier_ = Classifier.load(model)
            self.classifier_.load_predictor()
        description = json.loads(files[DESCRIPTION]) if DESCRIPTION in files else {}
        labels = description.get("classes", self.classifier_.labels)
        self.classes_ = np.array(labels, description.get("dtype"))
        self.history_ = description.get("history", [])

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """Give a folder with the model's files, which is then removed."""
        with TemporaryDirectory() as folder:
            _write(self._files, Path(folder))
            yield Path(folder)

    def _checked(self, texts: Any) -> list[str]:
        check_is_fitted(self)
        return check_texts(texts, self.classifier_.columns)

    def _logits(self, texts: list[str]) -> Floats:
        return self.classifier_.logits(self.classifier_.encoder.encode(texts))


def _holds_a_model_alone(folder: Path) -> bool:
    """Return whether all that a folder holds are the files of a model."""
    try:
        return {path.name for path in folder.iterdir()} <= {*VerifiedFolder(folder, FORMAT).names}
    except (InputError, OSError):
        return False


def _packed(trained: Trained, description: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a model's folder by their names."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_json(folder / DESCRIPTION, description)
        save(folder, trained.classifier, trained.members.network, trained.members.pool)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)

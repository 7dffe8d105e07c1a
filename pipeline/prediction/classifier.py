"""A trained classifier: the network and the encoder of its inputs, in one folder.

model/manifest.json        format, sha256 of every other file
model/classifier.json      labels, the column or columns of the texts (or of the paths of images), the
                           temperature, the reference for drift, the folded networks' shapes
model/text_encoder.json    tokenizer and vocabulary, or
model/image_encoder.json   the images' size
model/network.keras
model/validation.npz       how the rows of the validation part came out (see `Outcomes`), for `abstention`
model/pool.npz             the linear models on n-grams, if any, and the weights of all members (see `pool`)
model/folded.npz           the folded form of the networks (see `folded`) without its tables
model/table-<n>.<form>.npy the table of network n, in float32 and in int16; memory-mapped
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ..arrays import Floats, check_array
from ..encoder import Encoder, TokenCounts
from ..errors import InputError
from ..files import read_replaceable, write_arrays, write_json
from ..folding.folded import FORMS, ConvolutionShape, FoldedModel, Form
from ..images.encoder import ImageEncoder
from ..inputs import Images, Kind, Sequences, check_strings
from ..manifest import VerifiedFolder, write_manifest
from ..measures.abstention import Outcomes
from ..measures.calibration import fit_temperature
from ..measures.softmax import compiled_softmax
from ..options import Real, Section
from ..reading import check_unpacked, map_array, read_arrays, read_json, readable
from ..text.encoder import TextEncoder
from .drift import Reference
from .pool import Pool, Predictor, linear_members

FORMAT = 5
DESCRIPTION = "classifier.json"
NETWORK, FOLDED, TABLE = "network.keras", "folded.npz", "table-{}.{}.npy"
VALIDATION = "validation.npz"
POOL = "pool.npz"
Keras = Literal["keras"]
KERAS: Keras = "keras"
ENCODER = "{}_encoder.json"
ENCODERS: dict[Kind, type[TextEncoder | ImageEncoder]] = {"text": TextEncoder, "image": ImageEncoder}


class Classifier:
    """Labels and probabilities of texts or image files.

    Examples:
        >>> classifier = Classifier.load(folder)  # data/build/<corpus>/<model>/model
        >>> labels, probabilities = classifier.predict(["a lovely film", "an awful film"])
        >>> labels
        ['good', 'bad']
    """

    def __init__(
        self,
        predictor: Callable[[], Predictor],
        encoder: Encoder,
        labels: list[str],
        columns: list[str],
        temperature: float = 1.0,
        reference: Reference | None = None,
        digest: str = "",
        validation: Outcomes | None = None,
    ) -> None:
        """Take a `predictor` that is called on first use, as TensorFlow takes seconds to start.

        `columns` are where the texts, or the paths of images, came from. Probabilities are the softmax of
        logits / `temperature`. `reference` is what `drift` compares new rows with. `digest` is that of the
        files that the classifier was loaded from. `validation` is how the rows of the validation part came
        out, which older models do not say.
        """
        self._make_predictor = predictor
        self.encoder = encoder
        self.labels = labels
        self.columns = columns
        self.temperature = temperature
        self.reference = reference
        self.digest = digest
        self.validation = validation

    @cached_property
    def predictor(self) -> Predictor:
        """The network, loaded on first use."""
        return self._make_predictor()

    def load_predictor(self) -> None:
        """Load the network now, so that no prediction has to wait for it."""
        _ = self.predictor

    @property
    def is_folded(self) -> bool:
        """True if prediction needs no TensorFlow."""
        return isinstance(self.predictor, Pool) and isinstance(self.predictor.networks, FoldedModel)

    def calibrate(
        self,
        inputs: Sequences | Images,
        labels: NDArray[np.integer[Any]],
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        """Choose the temperature, which changes no label.

        The network must not have been trained on these rows, but they may have chosen its epoch.
        """
        self.temperature = fit_temperature(self.logits(inputs), labels, weights)

    def set_drift_reference(self, inputs: Sequences | Images, tokens: TokenCounts | None) -> None:
        """Describe rows that the network was not trained on, for `drift` to compare others with.

        `tokens` are those of the rows; None for images.
        """
        classes = np.bincount(self.logits(inputs).argmax(axis=1), minlength=len(self.labels))
        self.reference = Reference.from_counts(classes, tokens)

    def set_validation(self, inputs: Sequences | Images, labels: NDArray[np.integer[Any]]) -> None:
        """Note how rows that the network was not trained on come out, once it is calibrated."""
        logits = self.logits(inputs)
        self.validation = Outcomes.of_rows(self.softmax(logits), logits.argmax(axis=1), labels)

    def with_predictor(self, predictor: Callable[[], Predictor]) -> Classifier:
        """Return the classifier with another predictor; the rest is as it was measured with this one."""
        return Classifier(
            predictor,
            self.encoder,
            self.labels,
            self.columns,
            self.temperature,
            self.reference,
            validation=self.validation,
        )

    def predict(self, texts: Sequence[str]) -> tuple[list[str], Floats]:
        """Return the most probable label of each text or image file, and its probability, float32 [texts].

        The texts of several columns are one with `inputs.BOUNDARY` between them.
        """
        # By logits: of two classes whose probabilities round to one number, the better is meant.
        logits = self.logits(self._inputs(texts))
        labels = [self.labels[best] for best in logits.argmax(axis=1)]
        return labels, self.softmax(logits).max(axis=1)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Return probabilities, float32 [texts, labels], in the order of `labels`.

        Each row sums to 1 and depends on its own text alone.
        """
        return self.softmax(self.logits(self._inputs(texts)))

    def _inputs(self, texts: Sequence[str]) -> Sequences | Images:
        check_strings(texts)
        return self.encoder.encode(texts)

    def softmax(self, logits: Floats) -> Floats:
        """Return calibrated probabilities [rows, labels]."""
        probabilities: Floats = compiled_softmax(logits, self.temperature)
        return probabilities

    def logits(self, inputs: Sequences | Images) -> Floats:
        """Return float32 [rows, labels], before the temperature.

        Raises InputError if they are not finite: of a table only what a row needs is read, so that numbers in
        it which are too large are not found before.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            logits = self.predictor.logits(inputs)
        if not np.isfinite(logits).all():
            raise InputError("the model gives logits that are not finite: train again, or copy it again")
        return logits

    @classmethod
    def load(cls, folder: str | Path, form: Form | Keras = "int16") -> Classifier:
        """Read what `save` wrote: the folded form with its table in float32 or int16, or the Keras network.

        The Keras network is also taken if the network could not be folded. A folder that training replaces
        meanwhile is read once more. Raises InputError with the file that is missing or was changed, or holds
        what does not fit the others.
        """
        path = Path(folder)
        return read_replaceable(path, lambda: cls._read(path, form))

    @classmethod
    def _read(cls, folder: Path, form: Form | Keras) -> Classifier:
        files = VerifiedFolder(folder, FORMAT)
        description = files.read(DESCRIPTION, _Description)
        kind: Kind = "image" if ENCODER.format("image") in files else "text"
        path = files.verified(ENCODER.format(kind))
        encoder = ENCODERS[kind].from_json(read_json(path), str(path))
        classes = len(description.labels)
        if form == "keras" or kind == "image" or not description.folded:
            networks = _keras_network(files, encoder, classes)
        else:
            networks = _folded(files, description.folded, form, encoder, classes)
        validation = _validation(files, classes) if VALIDATION in files else None
        return cls(
            _pool(files, networks, encoder, classes),
            encoder,
            description.labels,
            [description.column] if isinstance(description.column, str) else description.column,
            description.temperature,
            description.reference,
            files.digest,
            validation,
        )


def load_network(folder: Path) -> Any:
    """Load the Keras network itself, as it was trained."""
    predictor: Any = Classifier.load(folder, KERAS).predictor
    return predictor.networks.model


def parse_form(name: str) -> Form | Keras:
    """Return the form of that name. Raises InputError if there is none."""
    for form in (*FORMS, KERAS):
        if name == form:
            return form
    raise InputError(f"form {name}: expected one of {', '.join([*FORMS, KERAS])}", option="form")


def save(folder: Path, classifier: Classifier, network: Any, pool: Pool) -> None:
    """Write a classifier, its Keras network and its pool with exact numbers into an existing folder."""
    network.save(folder / NETWORK)
    write_arrays(folder / POOL, **pool.arrays())
    folded = pool.networks if isinstance(pool.networks, FoldedModel) else None
    shapes = folded.shapes if folded else []
    if folded:
        forms: dict[Form, FoldedModel] = {"float32": folded, "int16": folded.rounded()}
        arrays = folded.arrays()
        for form, model in forms.items():
            for number, member in enumerate(model.members):
                np.save(folder / TABLE.format(number, form), member.table, allow_pickle=False)
                arrays[f"{number}.scale.{form}"] = member.scale
        write_arrays(folder / FOLDED, **arrays)
    if classifier.validation:
        write_arrays(folder / VALIDATION, **classifier.validation._asdict())
    description = _Description(
        labels=classifier.labels,
        column=classifier.columns[0] if len(classifier.columns) == 1 else classifier.columns,
        temperature=classifier.temperature,
        folded=shapes,
        reference=classifier.reference,
    )
    write_json(folder / DESCRIPTION, description.model_dump())
    write_json(folder / ENCODER.format(classifier.encoder.kind), classifier.encoder.to_json())
    write_manifest(folder, FORMAT)


def _folded(
    files: VerifiedFolder, shapes: list[ConvolutionShape], form: Form, encoder: Encoder, classes: int
) -> Callable[[], Predictor]:
    """Verify and check the files now, so that a damaged one is found before any work is done."""
    tables = []
    for number, shape in enumerate(shapes):
        tables.append(map_array(files.verified(name := TABLE.format(number, form))))
        with files.checking(name):
            check_array("the table", tables[-1], form, (encoder.vocabulary, shape.columns))
    arrays = read_arrays(files.verified(FOLDED))
    with files.checking(FOLDED):
        scales = [arrays[f"{number}.scale.{form}"] for number in range(len(shapes))]
        model = FoldedModel.from_arrays(shapes, tables, scales, arrays)
        if model.classes != classes:
            raise InputError(f"a model of {model.classes} classes, expected one for each of {classes} labels")
    return lambda: model


def _pool(
    files: VerifiedFolder, networks: Callable[[], Predictor], encoder: Encoder, classes: int
) -> Callable[[], Predictor]:
    """Verify and check the file now; the networks are loaded on first use."""
    arrays = read_arrays(files.verified(POOL))
    with files.checking(POOL):
        linear, weights = linear_members(arrays, classes)
        if linear and encoder.kind == "image":
            raise InputError("n-grams of words, expected none, as the model takes images")
        if characters := linear.get("characters"):
            table = characters.arrays()["table"]
            check_array("characters.table", table, np.float32, (encoder.vocabulary, classes + 1))
    return lambda: Pool(networks(), linear, weights)


def _validation(files: VerifiedFolder, classes: int) -> Outcomes:
    arrays = read_arrays(files.verified(VALIDATION))
    with files.checking(VALIDATION):
        return Outcomes.from_arrays(arrays, classes)


def _keras_network(files: VerifiedFolder, encoder: Encoder, classes: int) -> Callable[[], Predictor]:
    """Verify the file now, and once more when it is read, as training may have replaced it meanwhile."""
    files.verified(NETWORK)

    def load() -> Predictor:
        from ..networks.keras_network import KerasNetwork  # here, as TensorFlow takes seconds to start

        # Keras and TensorFlow raise whatever they run into, and some of it only when the network runs.
        with readable(path := files.verified(NETWORK), Exception):
            with ZipFile(path) as archive:
                check_unpacked(path, archive)
            network = KerasNetwork.load(path)
            logits = network.logits(encoder.last_input())
        with files.checking(NETWORK):
            check_array("the logits of a row", logits, np.float32, (1, classes))
        return network

    return load


class _Description(Section):
    labels: Annotated[list[str], Field(min_length=1)]
    column: str | Annotated[list[str], Field(min_length=2)]  # several have a BOUNDARY between their texts
    temperature: Annotated[Real, Field(gt=0)]
    reference: Reference | None
    folded: list[ConvolutionShape]  # of each network; none if they could not be folded

    @model_validator(mode="after")
    def _has_distinct_labels_and_their_shares(self) -> _Description:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("labels that are equal")
        if self.reference and len(self.reference.classes) != len(self.labels):
            raise ValueError(f"{len(self.labels)} labels and a reference of {len(self.reference.classes)}")
        return self

"""A trained classifier: the network, and everything that turns a text or an image file into its input, in
one folder.

model/manifest.json        format, sha256 of every other file
model/classifier.json      labels, the column of the text (of images, of their paths), the temperature, the
                           folded networks' shapes
model/text_encoder.json    tokenizer and vocabulary, or
model/image_encoder.json   the images' size
model/network.keras
model/folded.npz           the folded form (see `folded`) without its tables
model/table-<n>.<form>.npy the table of network n, in float32 and in int16; memory-mapped
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from ..encoder import Encoder
from ..errors import InputError
from ..files import read_arrays, read_json, sha256, write_arrays, write_json
from ..images.encoder import ImageEncoder
from ..inputs import Images, Kind, Sequences
from ..measures.calibration import fit_temperature
from ..measures.softmax import compiled_softmax
from ..options import Real, Section
from ..text.encoder import TextEncoder
from .drift import Reference
from .folded import FORMS, FoldedModel, Form, Shape

FORMAT = 4
MANIFEST, DESCRIPTION = "manifest.json", "classifier.json"
NETWORK, FOLDED, TABLE = "network.keras", "folded.npz", "table-{}.{}.npy"
Keras = Literal["keras"]
KERAS: Keras = "keras"
ENCODER = "{}_encoder.json"
ENCODERS: dict[Kind, type[TextEncoder | ImageEncoder]] = {"text": TextEncoder, "image": ImageEncoder}
Floats = NDArray[np.float32]
S = TypeVar("S", bound=Section)


class Predictor(Protocol):
    """Logits float32 [rows, labels], before the temperature: the folded form's, or the network's."""

    def logits(self, inputs: Any, /) -> Floats: ...


class Classifier:
    """Texts or image files in, labels and probabilities out."""

    def __init__(
        self,
        predictor: Callable[[], Predictor],
        encoder: Encoder,
        labels: list[str],
        column: str,
        temperature: float = 1.0,
        reference: Reference | None = None,
    ) -> None:
        """`predictor` is called on first use, as TensorFlow takes seconds to start. `column` is where the
        texts, or the paths of images, came from. Probabilities are the softmax of logits / `temperature`."""
        self._predictor = predictor
        self.encoder = encoder
        self.labels = labels
        self.column = column
        self.temperature = temperature
        self.reference = reference

    @cached_property
    def predictor(self) -> Predictor:
        return self._predictor()

    @property
    def is_folded(self) -> bool:
        """Whether a prediction does without TensorFlow."""
        return isinstance(self.predictor, FoldedModel)

    def calibrate(self, inputs: Sequences | Images, labels: NDArray[np.int32]) -> None:
        """Choose the temperature on rows that the network was not trained on; they may have chosen its epoch.
        No label changes by it."""
        self.temperature = fit_temperature(self.logits(inputs), labels)

    def refer(self, inputs: Sequences | Images, outside: float) -> None:
        """Note how rows look that the network was not trained on, for `drift` to compare others with:
        `outside` is the share of their tokens that are no words of the vocabulary."""
        classes = np.bincount(self.logits(inputs).argmax(axis=1), minlength=len(self.labels))
        self.reference = Reference(outside=outside, classes=(classes / len(inputs)).tolist())

    def predict(self, texts: Sequence[str]) -> tuple[list[str], Floats]:
        """The most probable label of each text, or image file, and its probability, float32 [texts]."""
        logits = self.logits(
            self.encoder.encode(texts)
        )  # of these the best: two probabilities may round to one
        labels = [self.labels[best] for best in logits.argmax(axis=1)]
        return labels, self.softmax(logits).max(axis=1)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """float32 [texts, labels], in the order of `labels`; each row sums to 1 and depends on its own text
        alone."""
        return self.softmax(self.logits(self.encoder.encode(texts)))

    def softmax(self, logits: Floats) -> Floats:
        """Calibrated probabilities [rows, labels]."""
        probabilities: Floats = compiled_softmax(logits, self.temperature)
        return probabilities

    def logits(self, inputs: Sequences | Images) -> Floats:
        """float32 [rows, labels], before the temperature."""
        return self.predictor.logits(inputs)

    @classmethod
    def load(cls, folder: Path, form: Form | Keras = "int16") -> Classifier:
        """Read what `save` wrote: the folded form with its table in float32 or int16, or the Keras network,
        which is also taken where the network could not be folded.

        Raises InputError that names the file which is missing or was changed.
        """
        files = _Files(folder)
        description = files.read(DESCRIPTION, _Description)
        kind: Kind = "image" if ENCODER.format("image") in files else "text"
        path = files.verified(ENCODER.format(kind))
        encoder = ENCODERS[kind].from_json(read_json(path), str(path))
        if form == "keras" or not description.folded:
            predictor = _keras_network(files.verified(NETWORK))
        else:
            predictor = _folded(files, description.folded, form)
        return cls(
            predictor,
            encoder,
            description.labels,
            description.column,
            description.temperature,
            description.reference,
        )


def load_network(folder: Path) -> Any:
    """The Keras network itself, as it was trained."""
    predictor: Any = Classifier.load(folder, KERAS).predictor
    return predictor.model


def form_named(name: str) -> Form | Keras:
    """Raises InputError for what is no form."""
    for form in (*FORMS, KERAS):
        if name == form:
            return form
    raise InputError(f"FORM={name}: expected one of {', '.join([*FORMS, KERAS])}")


def save(folder: Path, classifier: Classifier, network: Any, folded: FoldedModel | None) -> None:
    """Write the files into an existing folder: of the classifier, the Keras network and its folded form."""
    network.save(folder / NETWORK)
    shapes = folded.shapes if folded else []
    if folded:
        forms: dict[Form, FoldedModel] = {"float32": folded, "int16": folded.rounded()}
        arrays = folded.arrays()
        for form, model in forms.items():
            for number, member in enumerate(model.members):
                np.save(folder / TABLE.format(number, form), member.table, allow_pickle=False)
                arrays[f"{number}.scale.{form}"] = member.scale
        write_arrays(folder / FOLDED, **arrays)
    description = _Description(
        labels=classifier.labels,
        column=classifier.column,
        temperature=classifier.temperature,
        folded=shapes,
        reference=classifier.reference,
    )
    write_json(folder / DESCRIPTION, description.model_dump())
    write_json(folder / ENCODER.format(classifier.encoder.kind), classifier.encoder.to_json())
    digests = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    write_json(folder / MANIFEST, _Manifest(format=FORMAT, sha256=digests).model_dump())


def _folded(files: _Files, shapes: list[Shape], form: Form) -> Callable[[], FoldedModel]:
    """Verified now, so that a damaged file is found before any work is done."""
    paths = [files.verified(TABLE.format(number, form)) for number in range(len(shapes))]
    tables = [np.load(path, mmap_mode="r", allow_pickle=False) for path in paths]
    arrays = read_arrays(files.verified(FOLDED))
    scales = [arrays[f"{number}.scale.{form}"] for number in range(len(shapes))]
    model = FoldedModel.of(shapes, tables, scales, arrays)
    return lambda: model


def _keras_network(path: Path) -> Callable[[], Predictor]:
    def load() -> Predictor:
        from ..networks.keras_network import KerasNetwork  # here, as TensorFlow takes seconds to start

        return KerasNetwork.load(path)

    return load


class _Files:
    """The folder's files, each as its digest in the manifest says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifest = self._parsed(MANIFEST, _Manifest)
        if self._manifest.format != FORMAT:
            raise InputError(
                f"{folder}: format {self._manifest.format} of the model is not {FORMAT}: {self._remedy}"
            )

    def __contains__(self, name: str) -> bool:
        return name in self._manifest.sha256

    def verified(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            raise InputError(f"{path} is missing: {self._remedy}")
        if sha256(path) != self._manifest.sha256.get(name):
            raise InputError(f"{path} was changed or cut since training: {self._remedy}")
        return path

    def read(self, name: str, content: type[S]) -> S:
        self.verified(name)
        return self._parsed(name, content)

    def _parsed(self, name: str, content: type[S]) -> S:
        path = self._folder / name
        try:
            return content.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise InputError(f"{path} is missing: {self._remedy}") from error
        except ValidationError as error:
            raise InputError(f"{path} was changed or cut since training: {self._remedy}") from error

    @property
    def _remedy(self) -> str:
        return f"remove {self._folder} and run `make train` as before"


class _Description(Section):
    labels: list[str]
    column: str
    temperature: Annotated[Real, Field(gt=0)]
    reference: Reference | None  # what `predict` compares its rows with
    folded: list[Shape]  # of each network; none where they could not be folded


class _Manifest(Section):
    format: int
    sha256: dict[str, str]

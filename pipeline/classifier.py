"""A trained classifier: the network, and everything that turns a text into its input, in one folder.

model/manifest.json        format, sha256 of every other file
model/classifier.json      labels, the column of the text, the temperature
model/text_encoder.json    tokenizer and vocabulary
model/network.keras
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from pipeline.artifacts import read_json, sha256, write_json
from pipeline.calibration import fit_temperature, softmax
from pipeline.errors import InputError
from pipeline.options import Real, Section
from pipeline.sequences import Sequences
from pipeline.text import TextEncoder

if TYPE_CHECKING:
    from pipeline.backend import keras

FORMAT = 3
MANIFEST, DESCRIPTION, ENCODER, NETWORK = (
    "manifest.json",
    "classifier.json",
    "text_encoder.json",
    "network.keras",
)
FILES = (DESCRIPTION, ENCODER, NETWORK)
S = TypeVar("S", bound=Section)


class Classifier:
    """Texts in, labels and probabilities out."""

    def __init__(
        self,
        network: Callable[[], keras.Model],
        encoder: TextEncoder,
        labels: list[str],
        column: str,
        temperature: float = 1.0,
    ) -> None:
        """`network` gives the network, which takes ids and gives logits [rows, len(labels)]; it is called on
        first use, as TensorFlow takes seconds to start. `column` is where the texts came from. Probabilities
        are the softmax of logits / `temperature`."""
        self._network = network
        self.encoder = encoder
        self.labels = labels
        self.column = column
        self.temperature = temperature

    @cached_property
    def network(self) -> keras.Model:
        return self._network()

    @cached_property
    def _compiled(self) -> Any:
        """The network as one compiled function: `Model.predict` would leave memory behind at every call."""
        from pipeline.backend import tf

        (inputs,) = self.network.inputs
        return tf.function(
            lambda batch: self.network(batch, training=False),
            input_signature=[tf.TensorSpec(inputs.shape, inputs.dtype)],
        )

    def start(self) -> None:
        """Load the network now, which takes seconds, rather than on first use."""
        self._compiled(np.zeros((1, 1), np.int32))

    def calibrate(self, sequences: Sequences, labels: NDArray[np.int32]) -> None:
        """Choose the temperature on rows that the network was not trained on; they may have chosen its epoch.
        No label changes by it."""
        self.temperature = fit_temperature(self.logits(sequences), labels)

    def predict(self, texts: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """The most probable label of each text, and its probability, float32 [texts]."""
        return self.label(self.encoder.encode(texts))

    def label(self, sequences: Sequences) -> tuple[list[str], NDArray[np.float32]]:
        """The same for texts that are encoded already."""
        logits = self.logits(sequences)  # of these the best, as rounding can make two probabilities equal
        labels = [self.labels[best] for best in logits.argmax(axis=1)]
        return labels, softmax(logits, self.temperature).max(axis=1)

    def probabilities(self, sequences: Sequences) -> NDArray[np.float32]:
        """float32 [rows, labels]; each row sums to 1 and depends on its own tokens alone."""
        return softmax(self.logits(sequences), self.temperature)

    def logits(self, sequences: Sequences) -> NDArray[np.float32]:
        """float32 [rows, labels], before the temperature."""
        from pipeline.batches import SortedBatches

        batches = SortedBatches(sequences)
        if not len(batches):
            return np.empty((0, len(self.labels)), np.float32)
        logits = [self._compiled(ids).numpy() for ids, *_ in batches]
        restored: NDArray[np.float32] = batches.restore(np.concatenate(logits))
        return restored

    def save(self, folder: Path) -> None:
        """Write the files into an existing folder."""
        self.network.save(folder / NETWORK)
        description = _Description(labels=self.labels, column=self.column, temperature=self.temperature)
        write_json(folder / DESCRIPTION, description.model_dump())
        write_json(folder / ENCODER, self.encoder.to_json())
        digests = {name: sha256(folder / name) for name in FILES}
        write_json(folder / MANIFEST, _Manifest(format=FORMAT, sha256=digests).model_dump())

    @classmethod
    def load(cls, folder: Path) -> Classifier:
        """Read what `save` wrote. Raises InputError that names the file which is missing or was changed."""
        manifest = _read(folder / MANIFEST, _Manifest)
        if manifest.format != FORMAT:
            raise InputError(
                f"{folder}: format {manifest.format} of the model is not {FORMAT}: {_remedy(folder)}"
            )
        for name in FILES:
            path = folder / name
            if not path.is_file():
                raise InputError(f"{path} is missing: {_remedy(folder)}")
            if sha256(path) != manifest.sha256.get(name):
                raise InputError(f"{path} was changed or cut since training: {_remedy(folder)}")
        description = _read(folder / DESCRIPTION, _Description)
        return cls(
            lambda: _load_network(folder / NETWORK),
            TextEncoder.from_json(read_json(folder / ENCODER), str(folder / ENCODER)),
            description.labels,
            description.column,
            description.temperature,
        )


class _Description(Section):
    labels: list[str]
    column: str
    temperature: Annotated[Real, Field(gt=0)]


class _Manifest(Section):
    format: int
    sha256: dict[str, str]


def _read(path: Path, content: type[S]) -> S:
    try:
        return content.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: {_remedy(path.parent)}") from error
    except ValidationError as error:
        raise InputError(f"{path} was changed or cut since training: {_remedy(path.parent)}") from error


def _remedy(folder: Path) -> str:
    return f"remove {folder} and run `make train` as before"


def _load_network(path: Path) -> keras.Model:
    import pipeline.layers  # noqa: F401  (Keras must know the layers before it reads them)
    from pipeline.backend import keras

    return keras.saving.load_model(path, compile=False, safe_mode=True)

"""A trained classifier: the network, and everything that turns a text into its input, in one folder.

model/manifest.json        format, sha256 of every other file
model/classifier.json      labels, the column of the text
model/text_encoder.json    tokenizer and vocabulary
model/network.keras
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.sequences import Sequences
from pipeline.text import TextEncoder

if TYPE_CHECKING:
    from pipeline.backend import keras

FORMAT = 1


class Classifier:
    """Texts in, labels and probabilities out."""

    def __init__(
        self, network: Callable[[], keras.Model], encoder: TextEncoder, labels: list[str], column: str
    ) -> None:
        """`network` gives the network, which takes ids and gives logits [rows, len(labels)]; it is called on
        first use, as TensorFlow takes seconds to start. `column` is where the texts came from."""
        self._network = network
        self.encoder = encoder
        self.labels = labels
        self.column = column

    @cached_property
    def network(self) -> keras.Model:
        return self._network()

    @cached_property
    def _logits(self) -> Any:
        """The network as one compiled function: `Model.predict` would leave memory behind at every call."""
        from pipeline.backend import tf

        (inputs,) = self.network.inputs
        return tf.function(
            lambda batch: self.network(batch, training=False),
            input_signature=[tf.TensorSpec(inputs.shape, inputs.dtype)],
        )

    def predict(self, texts: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """The most probable label of each text, and its probability, float32 [texts]."""
        probabilities = self.probabilities(self.encoder.encode(texts))
        return [self.labels[best] for best in probabilities.argmax(axis=1)], probabilities.max(axis=1)

    def probabilities(self, sequences: Sequences) -> NDArray[np.float32]:
        """float32 [rows, labels]; each row sums to 1 and depends on its own tokens alone."""
        from pipeline.batches import SortedBatches

        batches = SortedBatches(sequences)
        if not len(batches):
            return np.empty((0, len(self.labels)), np.float32)
        logits = [self._logits(batches[number][0]).numpy() for number in range(len(batches))]
        return _softmax(batches.restore(np.concatenate(logits)))

    def save(self, folder: Path) -> None:
        """Write the files into an existing folder."""
        self.network.save(folder / "network.keras")
        description = {"labels": self.labels, "column": self.column}
        _write_json(folder / "classifier.json", description)
        _write_json(folder / "text_encoder.json", self.encoder.to_json())
        digests = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
        _write_json(folder / "manifest.json", {"format": FORMAT, "sha256": digests})

    @classmethod
    def load(cls, folder: Path) -> Classifier:
        """Read what `save` wrote. Raises InputError that names the file which is missing or was changed."""
        manifest = _read_json(folder / "manifest.json")
        if manifest.get("format") != FORMAT:
            raise InputError(
                f"{folder}: format {manifest.get('format')!r} of the model is not {FORMAT}: train it again"
            )
        for name, digest in manifest["sha256"].items():
            if _sha256(folder / name) != digest:
                raise InputError(f"{folder / name} was changed or cut since training: train the model again")
        description = _read_json(folder / "classifier.json")
        return cls(
            lambda: _load_network(folder / "network.keras"),
            TextEncoder.from_json(
                _read_json(folder / "text_encoder.json"), str(folder / "text_encoder.json")
            ),
            description["labels"],
            description["column"],
        )


def _load_network(path: Path) -> keras.Model:
    import pipeline.layers  # noqa: F401  (Keras must know the layers before it reads them)
    from pipeline.backend import keras

    return keras.saving.load_model(path, compile=False, safe_mode=True)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} is missing: train the model again") from error


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: train the model again") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} was changed or cut since training: train the model again") from error

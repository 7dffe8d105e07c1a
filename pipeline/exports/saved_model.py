"""A classifier as TensorFlow's SavedModel: from ids or images and, if it holds the tokenizer, from text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..linear.character_ngrams import CharacterNgrams
from ..networks.backend import held_back_stderr, keras, tf
from ..plain.character_graph import CharacterGraph
from ..plain.keras_outputs import graph_function
from ..plain.keras_text import CHARACTERS, WITHOUT_CHARACTERS, normalized
from ..plain.text_graph import TextGraph

DEFAULT, FROM_TEXT = "serving_default", "text"  # the signatures
Batch = NDArray[Any] | list[str]


class _Served(tf.Module):  # type: ignore[misc]  # tensorflow has no types
    """A Keras model, whose variables TensorFlow Lite's converter finds as the module's own alone."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model = model
        self.own = [variable.value for variable in model.variables]

    def signature(self) -> Any:
        (given,) = self.model.inputs
        spec = tf.TensorSpec(given.shape, given.dtype, given.name)
        return graph_function(lambda inputs: self.model(inputs, training=False), spec)


class TextModel(tf.Module):  # type: ignore[misc]  # tensorflow has no types
    """A text classifier from strings; of a word outside the vocabulary it reads the characters, too."""

    def __init__(
        self,
        model: keras.Model,
        encoder: TextGraph,
        temperature: float,
        characters: tuple[CharacterNgrams, float] | None,
    ) -> None:
        """Take a model that `build_text` returned, and the linear model of characters with its weight."""
        super().__init__()
        self._encoder, self._temperature = encoder, temperature
        self._model = keras.Model(model.input, model.get_layer(WITHOUT_CHARACTERS).output)
        self._characters = CharacterGraph(*characters) if characters else None
        self._table: Any = model.get_layer(CHARACTERS).embeddings if characters else None

    def __call__(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the logits and probabilities [rows, classes] of strings [rows]."""
        encoded = self._encoder.encode(texts)
        logits = self._model(encoded.ids, training=False)
        if self._characters is not None:
            known = tf.convert_to_tensor(self._table.value)
            rows = tf.concat([known, self._characters.rows(encoded.unseen)], axis=0)
            logits += normalized(tf.reduce_sum(tf.gather(rows, encoded.words), axis=1))
        return {"logits": logits, "probabilities": tf.nn.softmax(logits / self._temperature)}


def save_model(model: keras.Model, path: Path, from_text: TextModel | None = None) -> None:
    """Write a Keras model, and one from text if there is one, as a folder."""
    served = _Served(model)
    signatures = {DEFAULT: served.signature()}
    if from_text:
        served.from_text = from_text
        spec = tf.TensorSpec([None], tf.string, "texts")
        signatures[FROM_TEXT] = graph_function(from_text.__call__, spec)
    with held_back_stderr():
        tf.saved_model.save(served, str(path), signatures)


def run_saved_model(path: Path, signature: str = DEFAULT) -> Callable[[Batch], NDArray[np.float32]]:
    """Return a function from a batch of a signature's inputs to its logits."""
    loaded = tf.saved_model.load(str(path))  # which the signature does not keep
    run = loaded.signatures[signature]
    ((name, _),) = run.structured_input_signature[1].items()

    def logits(batch: Batch) -> NDArray[np.float32]:
        result: NDArray[np.float32] = run(**{name: tf.constant(batch)})["logits"].numpy()
        return result

    logits.loaded = loaded  # type: ignore[attr-defined]
    return logits
